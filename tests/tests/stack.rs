//! How much stack a loop needs: copies of a large body, and levels of loops and scopes inside each other.
//!
//! Each measurement has a thread of its own, and reads how much of that thread's stack was ever touched.

#![cfg(target_os = "linux")]

use std::fs;
use std::future::pending;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use forloop::tokio::Tokio;
use forloop::{Group, LocalScope, TaskSet, each, local_scope, spawn, task_group, wait};
use forloop_conformance::yields;
use futures_lite::StreamExt;

/// The size of a large body.
const LARGE: usize = 64 << 10;

/// The bytes of this thread's stack that were touched.
fn touched() -> usize {
    let local = 0_u8;
    let address = (&raw const local).addr();
    let mappings = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_stack = false;
    for line in mappings.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-')
            && let (Ok(start), Ok(end)) =
                (usize::from_str_radix(start, 16), usize::from_str_radix(end, 16))
        {
            is_stack = (start..end).contains(&address);
        } else if is_stack && first == "Rss:" {
            let kilobytes = line.split_whitespace().nth(1).unwrap();
            return kilobytes.parse::<usize>().unwrap() << 10;
        }
    }
    panic!("the stack is mapped");
}

/// The bytes of stack that `run` needs.
fn stack_of(run: impl FnOnce() + Send) -> usize {
    // No two stacks have the same size, and each is larger than those before it: a stack that a thread has left
    // behind is not used again.
    static SIZE: AtomicUsize = AtomicUsize::new(32 << 20);
    let size = SIZE.fetch_add(1 << 20, Relaxed);
    thread::scope(|scope| {
        let measured = thread::Builder::new().stack_size(size).spawn_scoped(scope, || {
            run();
            touched()
        });
        measured.unwrap().join().unwrap()
    })
}

/// Runs the future that is made, which is not on the stack itself.
fn block_on<F: Future>(make: impl FnOnce() -> F) {
    let mut future = Box::pin(make());
    drop(futures_lite::future::block_on(&mut future));
}

/// As `block_on`, on a runtime of this thread.
fn on_tokio<F: Future>(make: impl FnOnce(Tokio) -> F) {
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let mut future = Box::pin(make(Tokio::current().unwrap()));
    drop(runtime.block_on(&mut future));
}

async fn large(number: u32) -> u32 {
    let held = [1_u8; LARGE];
    yields(1).await;
    black_box(&held);
    number
}

async fn small(number: u32) -> u32 {
    yields(1).await;
    number
}

/// Measures each case with bodies that are small and with bodies that are large.
macro_rules! copies {
    ($($name:literal: |$body:ident| $run:expr;)*) => {
        [$(($name, {
            let without = stack_of(|| { let $body = small; $run; });
            let with = stack_of(|| { let $body = large; $run; });
            (with.saturating_sub(without) + LARGE / 4) / LARGE
        }),)*]
    };
}

fn looping() -> forloop::Loop<impl futures_lite::Stream<Item = u32> + Send + Unpin> {
    each(0..3).limit(2).unwrap()
}

#[test]
fn a_large_body_is_made_where_it_stays() {
    let copies = copies! {
        "for_each": |body| block_on(|| looping().for_each(async |n| { let _ = body(n).await; }));
        "gather": |body| block_on(|| looping().gather(body));
        "settle": |body| block_on(|| looping().settle(async |n| Ok::<_, ()>(body(n).await)));
        "fold": |body| block_on(|| looping().fold(0, body, |sum, (_, n)| sum + n));
        "race": |body| block_on(|| looping().race(body));
        "next": |body| block_on(async || { let _ = looping().stream(body).count().await; });
        "consume": |body| block_on(|| looping().stream(body).for_each(async |_| ()));
        "a large step": |body| block_on(|| looping().stream(small).for_each(async |n| { let _ = body(n).await; }));
        "with_parent_waker": |body| block_on(|| looping().with_parent_waker().gather(body));
        "cancel_on": |body| block_on(|| looping().cancel_on(pending::<()>()).gather(body));
        "limit_by": |body| block_on(|| looping().limit_by(|n| *n, 1).unwrap().gather(body));
        "wait": |body| block_on(async || drop(wait(&mut TaskSet::new((0..3).map(body))).await.0));
        "spawn": |body| on_tokio(async |runtime| { let _ = spawn(&runtime, body(1)).await; });
        "on": |body| on_tokio(|runtime| looping().on(runtime).gather(body));
        "on_blocking": |body| on_tokio(|runtime| looping().on_blocking(runtime).gather(body));
        "local_scope": |body| block_on(|| local_scope(async |scope: LocalScope<'_, ()>| {
            drop(scope.spawn(async move { Ok(body(1).await) }));
            Ok(())
        }));
        "a large body of a scope": |body| block_on(|| local_scope(async |_: LocalScope<'_, ()>| Ok(body(1).await)));
        "task_group": |body| on_tokio(|runtime| task_group(runtime, async |group: Group<_, ()>| {
            drop(group.spawn(async move { Ok(body(1).await) }));
            Ok(())
        }));
    };
    // One of them is the body's own: it makes what it holds on the stack.
    let most = if cfg!(debug_assertions) { 6 } else { 2 };
    assert!(copies.iter().all(|&(_, copies)| copies <= most), "copies of a body: {copies:?}");
}
