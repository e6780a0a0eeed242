//! `bevy_host`: Bevy's task pools run the bodies, without the engine around them.
//!
//! A pool that does not exist, or has no threads, is an error when the seam's value is created, and not a
//! loop that waits forever.

#![forbid(unsafe_code)]

mod seam;

use std::error::Error;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use bevy_tasks::{ComputeTaskPool, TaskPool, TaskPoolBuilder};
use forloop::timer::SystemTimer;
use forloop::{Outcome, Timer};

use seam::{Bevy, NoThreads};

/// A pool without threads, as a program may create it for a machine without spare cores.
static EMPTY: LazyLock<TaskPool> = LazyLock::new(|| TaskPoolBuilder::new().num_threads(0).build());

fn main() -> Result<(), Box<dyn Error>> {
    let error = Bevy::compute().unwrap_err();
    assert_eq!(error, NoThreads::NoPool);
    println!("before the app: {error}");
    println!("an empty pool: {}", Bevy::try_from(&*EMPTY).unwrap_err());

    ComputeTaskPool::get_or_init(|| {
        TaskPoolBuilder::new().num_threads(2).thread_name("compute".to_owned()).build()
    });
    let bevy = Bevy::compute()?;
    forloop::block_on(async {
        tasks(bevy).await?;
        workers(bevy).await?;
        without_time(bevy).await;
        Ok(())
    })
}

/// Runs each body as a task of the pool.
async fn tasks(bevy: Bevy) -> Result<(), Box<dyn Error>> {
    let bodies = forloop::each(0..8_u64).limit(4)?.on(bevy).gather(|n| async move {
        let thread = thread::current();
        (n * n, thread.name().is_some_and(|name| name.starts_with("compute")))
    });
    let (squares, theirs): (Vec<_>, Vec<_>) = bodies.await.into_iter().unzip();
    assert!(theirs.into_iter().all(|theirs| theirs), "every body runs on the pool's threads");
    println!("a task per body, on Bevy's threads: {squares:?}");
    Ok(())
}

/// Pulls the items from one task per thread.
async fn workers(bevy: Bevy) -> Result<(), Box<dyn Error>> {
    let sums = forloop::each(0..10_000_u64).limit(64)?.on_workers(bevy);
    let sums = sums.gather(move |n| async move { n % 7 }).await;
    println!("ten thousand bodies on two workers: {}", sums.into_iter().sum::<u64>());
    Ok(())
}

/// Bevy's pools have no timers; the system's clock serves any host with threads.
async fn without_time(bevy: Bevy) {
    let settled = forloop::each([60, 3600]).unbounded().on(bevy);
    let settled = settled.timeout(Duration::from_millis(50)).settle(|seconds| async move {
        SystemTimer.sleep(Duration::from_secs(seconds)).await;
        Ok::<(), std::io::Error>(())
    });
    assert!(matches!(settled.await[..], [Outcome::TimedOut, Outcome::TimedOut]));
    println!("two bodies timed out");
}
