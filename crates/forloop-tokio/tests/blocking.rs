//! Bodies on the blocking threads of a runtime may do there what tokio forbids in a task.

use std::time::Duration;

use forloop_core::{Outcome, Timer, each, spawn_blocking, sync_body};
use forloop_tokio::Tokio;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Mutex, mpsc};

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.enable_time().build().unwrap())
}

/// What a client that blocks does: each of these panics on a thread that polls tasks.
fn block(handle: &Handle) -> u32 {
    let (sender, mut receiver) = mpsc::channel(2);
    sender.blocking_send(1).unwrap();
    let received = receiver.blocking_recv().unwrap();
    let own = Builder::new_current_thread().build().unwrap();
    received
        + *Mutex::new(1).blocking_lock()
        + handle.block_on(async { 1 })
        + own.block_on(async { 1 })
}

#[test]
fn a_body_on_a_blocking_thread_may_block() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let tokio = Tokio::current().unwrap();
            let handle = Handle::current();
            let called = handle.clone();
            let task = spawn_blocking(&tokio, move || block(&called));
            assert!(matches!(task.outcome().await, Outcome::Ok(4)));
            let bodies = each(0..3).unbounded().on_blocking(tokio);
            let sums = bodies.gather(sync_body(move |n: u32| n + block(&handle))).await;
            assert_eq!(sums, [4, 5, 6]);
        });
    }
}

#[test]
fn a_body_on_a_blocking_thread_may_await_a_timer_of_its_runtime() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let tokio = Tokio::current().unwrap();
            let clock = tokio.clone();
            let bodies = each([3, 1]).unbounded().on_blocking(tokio);
            let slept = bodies.gather(move |ms| {
                let clock = clock.clone();
                async move {
                    clock.sleep(Duration::from_millis(ms)).await;
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    ms
                }
            });
            assert_eq!(slept.await, [3, 1]);
        });
    }
}
