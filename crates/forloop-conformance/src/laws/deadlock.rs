//! Law 9: bodies make progress while the consumer of their loop awaits something else. The test is the deadlock
//! of futures-rs#2387: the consumer awaits a fair lock that was handed over to a body.

use std::time::Duration;

use forloop_core::{Timer, each};
use futures_lite::{StreamExt, future};

use crate::{Backend, FairMutex, Inline, Job, LONG, Log, job, yields};

const ITEMS: u64 = 20;

/// A body that holds the lock across an await.
fn body(lock: &FairMutex, n: u64) -> Job<u64> {
    let lock = lock.clone();
    job(async move {
        let _held = lock.lock().await;
        yields(3).await;
        n
    })
}

/// A step of the consumer that holds it as well.
async fn step(lock: &FairMutex, seen: &Log, n: u64) {
    let _held = lock.lock().await;
    yields(2).await;
    seen.write(n);
}

/// Runs every consumer on the results of one strategy.
macro_rules! every_consumer {
    ($backend:ident, $strategy:ident, $value:expr) => {{
        let (lock, value) = (FairMutex::default(), $value);
        let results = || {
            let looping = each(0..ITEMS).limit(3).unwrap().at($backend.place());
            looping.$strategy(|n| body(&lock, n))
        };
        let seen = Log::default();
        $backend.block_on(results().for_each(|item| step(&lock, &seen, value(item))));
        all_seen(&seen);

        let seen = Log::default();
        let tried = $backend.block_on(results().try_for_each(|item| {
            let step = step(&lock, &seen, value(item));
            async move { Ok::<(), String>(step.await) }
        }));
        assert_eq!(tried, Ok(()));
        all_seen(&seen);

        let seen = Log::default();
        $backend.block_on(results().consume(|mut receiver| {
            let (lock, seen) = (&lock, &seen);
            async move {
                while let Some(item) = receiver.next().await {
                    step(lock, seen, value(item)).await;
                }
            }
        }));
        all_seen(&seen);
    }};
}

fn all_seen(seen: &Log) {
    let mut seen = seen.read();
    seen.sort_unstable();
    assert_eq!(seen, (0..ITEMS).collect::<Vec<_>>());
}

/// Law 9: A step or consumer that awaits a lock held by a body acquires it.
pub fn a_step_that_awaits_a_lock_held_by_a_body_acquires_it<B: Backend>(backend: B) {
    every_consumer!(backend, stream, |n: u64| n);
    every_consumer!(backend, stream_unordered, |n: u64| n);
    every_consumer!(backend, as_completed, |(_, n): (usize, u64)| n);
}

/// Law 9: The law above can fail: a plain loop over the same stream deadlocks, as its documentation says.
pub fn a_plain_loop_over_the_stream_deadlocks(in_task: Inline) {
    let (lock, seen, clock) = (FairMutex::default(), Log::default(), in_task.clock());
    let plain_loop = async {
        let looping = each(0..ITEMS).limit(3).unwrap();
        let mut results = std::pin::pin!(looping.stream_unordered(|n| body(&lock, n)));
        while let Some(n) = results.next().await {
            step(&lock, &seen, n).await;
        }
        true
    };
    // The virtual clock advances only when nothing else can run.
    let time_passes = async {
        clock.sleep(LONG).await;
        false
    };
    assert!(!in_task.block_on(future::or(plain_loop, time_passes)));
    assert_eq!(clock.now(), Duration::from_secs(3600));
    assert!(seen.read().is_empty(), "the first step waits");
}
