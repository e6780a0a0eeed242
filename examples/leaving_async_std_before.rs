//! Leaving async-std, before: what its programs rely on, mostly implicitly.
//!
//! `leaving_async_std_after` does the same on any runtime; it has the same parts and prints the same.
//!
//! verify: only async-std asyncio

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use async_std::channel::{self, Sender};
use async_std::{future, prelude::*, stream, task};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_millis(600);

fn main() {
    task::block_on(async {
        the_loop().await;
        a_failure_among_several().await;
        a_handle_that_is_dropped().await;
        a_task_that_is_to_stop().await;
        tasks_that_block().await;
        a_panic().await;
        block_on_inside_a_task().await;
        a_timer_that_waits_to_be_awaited().await;
    });
}

async fn the_loop() {
    println!("The loop");
    let mut numbers = stream::from_iter([3, 1, 2]);
    let mut handles = Vec::new();
    while let Some(n) = numbers.next().await {
        handles.push(task::spawn(async move { n * n }));
    }
    for handle in handles {
        println!("{}", handle.await);
    }
}

async fn check(n: u32, done: Sender<u32>) -> Result<(), String> {
    task::sleep(SHORT * n).await;
    done.send(n).await.expect("the receiver exists");
    if n == 0 { Err(format!("{n} is nothing")) } else { Ok(()) }
}

async fn a_failure_among_several() {
    println!("A failure among several");
    let (done, listening) = channel::unbounded();
    let handles: Vec<_> = (0..4).map(|n| task::spawn(check(n, done.clone()))).collect();
    drop(done);
    for handle in handles {
        if let Err(error) = handle.await {
            println!("{error}");
            // The other handles are dropped here, and their tasks keep running.
            break;
        }
    }
    let mut ends = 0;
    while listening.recv().await.is_ok() {
        ends += 1;
    }
    println!("{ends} completed");
}

async fn a_handle_that_is_dropped() {
    println!("A handle that is dropped");
    let (tell, listening) = channel::bounded(1);
    drop(task::spawn(async move {
        task::sleep(SHORT).await;
        tell.send("keeps running").await.expect("the receiver exists");
    }));
    println!("its task {}", listening.recv().await.expect("the task was not cancelled"));
}

/// Records that it was dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn a_task_that_is_to_stop() {
    println!("A task that is to stop");
    let stopped = Arc::new(AtomicBool::new(false));
    let guard = Guard(stopped.clone());
    let handle = task::spawn(async move {
        let _guard = guard;
        future::pending::<()>().await;
    });
    handle.cancel().await;
    println!("has stopped: {}", stopped.load(Ordering::SeqCst));
}

async fn tasks_that_block() {
    println!("Tasks that block");
    let (tell, listening) = mpsc::channel();
    // This blocks a thread. The other task needs another one: there is one per core, so on a single core
    // the program would hang.
    let waiting = task::spawn(async move { listening.recv() });
    let telling = task::spawn(async move { tell.send(42) });
    telling.await.expect("the receiver exists");
    println!("received {}", waiting.await.expect("a value was sent"));
    println!("computed {}", task::spawn_blocking(|| 6 * 7).await);
}

async fn a_panic() {
    println!("A panic");
    let handle = task::spawn(async { panic!("out of cheese") });
    // The panic propagates to the task that awaits the handle.
    let caught = catch_unwind(AssertUnwindSafe(|| task::block_on::<_, ()>(handle)));
    let payload = caught.expect_err("the task panicked");
    println!("the task said: {}", payload.downcast_ref::<&str>().expect("the payload is a string"));
}

/// Synchronous, and called by async code.
fn total() -> u32 {
    task::block_on(async {
        task::sleep(SHORT).await;
        42
    })
}

async fn block_on_inside_a_task() {
    println!("block_on inside a task");
    println!("the total is {}", task::spawn(async { total() }).await);
}

async fn a_timer_that_waits_to_be_awaited() {
    println!("A timer that waits to be awaited");
    // The time of a sleep counts from its first poll.
    let nap = task::sleep(LONG);
    task::sleep(LONG).await;
    println!("it is over: {}", future::timeout(SHORT, nap).await.is_ok());
}
