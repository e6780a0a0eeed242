//! `bevy_threadless`: the seam of `bevy_host` where Bevy is built without its feature `multi_threaded`.
//!
//! Its pool reports one thread, but no thread runs its tasks. So the seam refuses it, and loops run in the
//! task that awaits them, without a pool.

#![forbid(unsafe_code)]

#[path = "../../bevy_host/src/seam.rs"]
mod seam;

use bevy_tasks::{ComputeTaskPool, TaskPool};

use seam::{Bevy, NoThreads};

fn main() {
    let error = Bevy::compute().unwrap_err();
    assert_eq!(error, NoThreads::NoPool);
    println!("before the app: {error}");

    let pool = ComputeTaskPool::get_or_init(TaskPool::new);
    assert_eq!(pool.thread_num(), 1);
    println!("the pool says that it has {} thread", pool.thread_num());
    let error = Bevy::compute().unwrap_err();
    assert_eq!(error, NoThreads::Feature);
    println!("with the app: {error}");

    let squares = forloop::each(0..4).unbounded().gather(async |n| n * n);
    println!("where it is awaited: {:?}", bevy_tasks::block_on(squares));
}
