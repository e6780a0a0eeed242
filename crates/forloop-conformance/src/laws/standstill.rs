//! Law 9: no body stands still while its loop's consumer awaits something else. The proof is the
//! deadlock of futures-rs#2387: the consumer wants a fair lock that was handed to such a body.

use std::time::Duration;

use forloop_core::{Timer, each};
use futures_lite::{StreamExt, future};

use crate::{Backend, Fair, Inline, Job, LONG, Tally, job, yields};

const ITEMS: u64 = 20;

/// A body that holds the lock across an await.
fn body(lock: &Fair, n: u64) -> Job<u64> {
    let lock = lock.clone();
    job(async move {
        let _held = lock.lock().await;
        yields(3).await;
        n
    })
}

/// A consumer's step that holds it too.
async fn step(lock: &Fair, seen: &Tally, n: u64) {
    let _held = lock.lock().await;
    yields(2).await;
    seen.write(n);
}

/// Runs every consuming form on the results of one strategy.
macro_rules! every_form {
    ($backend:ident, $strategy:ident, $value:expr) => {{
        let (lock, value) = (Fair::default(), $value);
        let results = || {
            let looping = each(0..ITEMS).limit(3).unwrap().at($backend.place());
            looping.$strategy(|n| body(&lock, n))
        };
        let seen = Tally::default();
        $backend.block_on(results().for_each(|item| step(&lock, &seen, value(item))));
        all_seen(&seen);

        let seen = Tally::default();
        let tried = $backend.block_on(results().try_for_each(|item| {
            let step = step(&lock, &seen, value(item));
            async move { Ok::<(), String>(step.await) }
        }));
        assert_eq!(tried, Ok(()));
        all_seen(&seen);

        let seen = Tally::default();
        $backend.block_on(results().consume(|mut feed| {
            let (lock, seen) = (&lock, &seen);
            async move {
                while let Some(item) = feed.next().await {
                    step(lock, seen, value(item)).await;
                }
            }
        }));
        all_seen(&seen);
    }};
}

fn all_seen(seen: &Tally) {
    let mut seen = seen.read();
    seen.sort_unstable();
    assert_eq!(seen, (0..ITEMS).collect::<Vec<_>>());
}

/// Law 9
pub fn a_step_that_wants_what_a_body_holds_gets_it<B: Backend>(backend: B) {
    every_form!(backend, stream, |n: u64| n);
    every_form!(backend, stream_unordered, |n: u64| n);
    every_form!(backend, as_completed, |(_, n): (usize, u64)| n);
}

/// Law 9: the row above can fail. A plain loop over the same results stands still, as the
/// documentation of the results says, and a virtual clock tells: nothing can run any more.
pub fn a_plain_loop_over_the_results_stands_still(in_task: Inline) {
    let (lock, seen, clock) = (Fair::default(), Tally::default(), in_task.clock());
    let sync_body = async {
        let looping = each(0..ITEMS).limit(3).unwrap();
        let mut results = std::pin::pin!(looping.stream_unordered(|n| body(&lock, n)));
        while let Some(n) = results.next().await {
            step(&lock, &seen, n).await;
        }
        true
    };
    let nothing_runs = async {
        clock.sleep(LONG).await;
        false
    };
    assert!(!in_task.block_on(future::or(sync_body, nothing_runs)));
    assert_eq!(clock.now(), Duration::from_secs(3600));
    assert!(seen.read().is_empty(), "the first step waits already");
}
