//! Leaving async-std, after: the same on any runtime, with its assumptions visible in the code.
//!
//! `leaving_async_std_before` is the original; it has the same parts and prints the same.

use std::error::Error;
use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_channel::Sender;
use forloop::{AnyRuntime, Outcome, Timer};
use futures_lite::stream;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_millis(600);

fn main() -> Result<(), Box<dyn Error>> {
    forloop::run(async |runtime: AnyRuntime| {
        the_loop(&runtime).await?;
        a_failure_among_several(&runtime).await;
        a_handle_that_is_dropped(&runtime).await;
        a_task_that_is_to_stop(&runtime).await;
        tasks_that_block(&runtime).await?;
        a_panic(&runtime).await;
        block_on_inside_a_task(&runtime).await?;
        a_timer_that_waits_to_be_awaited(&runtime).await;
        Ok(())
    })?
}

async fn the_loop(runtime: &AnyRuntime) -> Result<(), forloop::ZeroLimit> {
    println!("The loop");
    let numbers = stream::iter([3, 1, 2]);
    forloop::each_stream(numbers)
        .limit(2)?
        .on(runtime.clone())
        .stream(|n| async move { n * n })
        .for_each(async |square| println!("{square}"))
        .await;
    Ok(())
}

async fn check(runtime: AnyRuntime, n: u32, done: Sender<u32>) -> Result<(), String> {
    runtime.sleep(SHORT * n).await;
    done.send(n).await.expect("the receiver exists");
    if n == 0 { Err(format!("{n} is nothing")) } else { Ok(()) }
}

async fn a_failure_among_several(runtime: &AnyRuntime) {
    println!("A failure among several");
    let (done, listening) = async_channel::unbounded();
    let check = |n| check(runtime.clone(), n, done.clone());
    // `try_gather` would cancel the others.
    let settled = forloop::each(0..4).unbounded().on(runtime.clone()).settle(check).await;
    for (_, error) in settled.errors() {
        println!("{error}");
    }
    drop(done);
    let mut ends = 0;
    while listening.recv().await.is_ok() {
        ends += 1;
    }
    println!("{ends} completed");
}

async fn a_handle_that_is_dropped(runtime: &AnyRuntime) {
    println!("A handle that is dropped");
    let (tell, listening) = async_channel::bounded(1);
    let timer = runtime.clone();
    let task = forloop::spawn(runtime, async move {
        timer.sleep(SHORT).await;
        tell.send("keeps running").await.expect("the receiver exists");
    });
    // Dropping the handle would cancel the task, so it is detached.
    task.detach();
    println!("its task {}", listening.recv().await.expect("the task was not cancelled"));
}

/// Records that it was dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn a_task_that_is_to_stop(runtime: &AnyRuntime) {
    println!("A task that is to stop");
    let stopped = Arc::new(AtomicBool::new(false));
    let guard = Guard(stopped.clone());
    let task = forloop::spawn(runtime, async move {
        let _guard = guard;
        future::pending::<()>().await;
    });
    task.cancel().await;
    println!("has stopped: {}", stopped.load(Ordering::SeqCst));
}

async fn tasks_that_block(runtime: &AnyRuntime) -> Result<(), forloop::Cancelled> {
    println!("Tasks that block");
    let (tell, listening) = async_channel::bounded(1);
    // There may be a single thread, so a task must await another task instead of blocking on it.
    let waiting = forloop::spawn(runtime, async move { listening.recv().await });
    let telling = forloop::spawn(runtime, async move { tell.send(42).await });
    telling.await?.expect("the receiver exists");
    println!("received {}", waiting.await?.expect("a value was sent"));
    println!("computed {}", forloop::spawn_blocking(runtime, || 6 * 7).await?);
    Ok(())
}

async fn a_panic(runtime: &AnyRuntime) {
    println!("A panic");
    let bodies = forloop::each(["out of cheese"]).sequential().on(runtime.clone());
    let ends = bodies.catch_panics().gather(|why| async move { panic!("{why}") }).await;
    let ends: Vec<Outcome<()>> = ends;
    if let [Outcome::Panicked(panic)] = &ends[..] {
        println!("the task said: {}", panic.message().expect("the payload is a string"));
    }
}

/// Async, so that no thread is blocked.
async fn total(runtime: AnyRuntime) -> u32 {
    runtime.sleep(SHORT).await;
    42
}

async fn block_on_inside_a_task(runtime: &AnyRuntime) -> Result<(), forloop::Cancelled> {
    println!("block_on inside a task");
    println!("the total is {}", forloop::spawn(runtime, total(runtime.clone())).await?);
    Ok(())
}

async fn a_timer_that_waits_to_be_awaited(runtime: &AnyRuntime) {
    println!("A timer that waits to be awaited");
    // The time of a sleep counts from its call, but the block calls it only when it is polled.
    let nap = async { runtime.sleep(LONG).await };
    runtime.sleep(LONG).await;
    let ends = forloop::each([nap]).sequential().timeout(SHORT).gather(|nap| nap).await;
    println!("it is over: {}", ends[0].is_ok());
}
