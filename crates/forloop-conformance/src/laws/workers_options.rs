//! Loops with options whose workers pull the items.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use forloop_core::places::{Attempt, Body, Layer};
use forloop_core::{Cause, LoopError, Outcome, each, try_each};
use futures_lite::{StreamExt, future};

use super::strategies::{WORKERS, worker_pool};
use crate::{Alive, Job, Log, Peak, Spawning, TickingClock, job, seconds, yields};

/// A body that is pending forever if `n` is odd, and returns `n` on its first poll if it is even.
fn even(alive: &Alive, n: u64) -> Job<u64> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        if n % 2 == 1 {
            future::pending::<()>().await;
        }
        n
    })
}

/// WRK-9: A time-out on a worker is the outcome of its item alone, and its permit is free when the body has stopped.
pub fn a_time_out_on_a_worker_is_the_outcome_of_its_item<B: Spawning>(backend: B) {
    for (workers, limit) in WORKERS.into_iter().flat_map(|w| [(w, 1), (w, 4)]) {
        let (alive, peak) = (Alive::default(), Peak::default());
        let looping = || {
            let looping = each(0..12).limit(limit).unwrap().at(worker_pool(&backend, workers));
            looping.timer(&backend.clock()).timeout(seconds::<B>(1))
        };
        let (guards, seen) = (alive.clone(), peak.clone());
        let body = move |n: u64| {
            let (body, peak) = (even(&guards, n), seen.clone());
            async move { peak.during(body).await }
        };
        let is_expected = |index: u64, outcome: &Outcome<u64>| match outcome {
            Outcome::Ok(n) => (*n, n % 2) == (index, 0),
            // On a real clock, any body may time out.
            Outcome::TimedOut => index % 2 == 1 || !B::EXACT,
            _ => false,
        };
        let outcomes = backend.block_on(looping().gather(body.clone()));
        assert_eq!(outcomes.len(), 12);
        assert!((0..).zip(&outcomes).all(|(index, outcome)| is_expected(index, outcome)));
        assert_eq!((alive.now(), alive.ever()), (0, 12));
        let mut results = backend.block_on(looping().as_completed(body).collect::<Vec<_>>());
        results.sort_unstable_by_key(|&(index, _)| index);
        assert_eq!(results.len(), 12);
        assert!(results.iter().all(|(index, outcome)| is_expected(*index as u64, outcome)));
        assert!((alive.now(), alive.ever()) == (0, 24) && peak.most() <= limit);
    }
}

/// WRK-9: A loop on workers that stops at a failure stops at a time-out, before it pulls another item.
pub fn a_fail_fast_loop_on_workers_stops_at_a_time_out<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (alive, pulled) = (Alive::default(), Log::default());
        let pulls = pulled.clone();
        let items = (0..100_u64).inspect(move |&n| pulls.write(n));
        let looping = each(items).limit(4).unwrap().at(worker_pool(&backend, workers));
        let guards = alive.clone();
        // Each body is pending, and a body starts only when another has stopped.
        let body = move |n| {
            let body = even(&guards, 2 * n + 1);
            async move { Ok::<u64, String>(body.await) }
        };
        let looping = looping.timer(&backend.clock()).timeout(seconds::<B>(1));
        let tried = backend.block_on(looping.try_gather(body));
        let Err(LoopError::TimedOut { timed_out, .. }) = tried else { panic!("{tried:?}") };
        assert!(timed_out[0] < 4);
        assert!(alive.now() == 0 && pulled.read().len() <= 4, "{:?}", pulled.read());
    }
}

/// WRK-9: Bodies on workers time out while hundreds of them wake themselves, and each is polled at least once.
pub fn bodies_on_workers_time_out_while_others_are_busy<B: Spawning>(backend: B) {
    for (bodies, limit) in [(257, Duration::from_millis(500)), (300, Duration::ZERO)] {
        let (clock, polled) = (TickingClock::default(), Arc::new(AtomicUsize::new(0)));
        let looping = each(0..bodies).unbounded().at(worker_pool(&backend, 1));
        let polls = polled.clone();
        let outcomes = looping.timer(&clock).timeout(limit).gather(move |n: usize| {
            let polled = polls.clone();
            async move {
                polled.fetch_add(1, Ordering::SeqCst);
                if n == 0 {
                    future::pending::<()>().await;
                }
                loop {
                    yields(1).await;
                }
            }
        });
        let outcomes: Vec<Outcome<()>> = backend.block_on(outcomes);
        assert_eq!((outcomes.len(), polled.load(Ordering::SeqCst)), (bodies, bodies));
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::TimedOut)));
    }
}

/// WRK-9: A loop on workers ends at the first error of its source, and nothing is pulled after it.
pub fn a_fallible_source_on_workers_ends_at_its_first_error<B: Spawning>(backend: B) {
    for (workers, limit) in WORKERS.into_iter().flat_map(|w| [(w, 1), (w, 7), (w, usize::MAX)]) {
        for fails_at in [0, 1, 40, 100] {
            let (alive, has_failed) = (Alive::default(), AtomicBool::new(false));
            let items = (0..100).map(move |n| {
                assert!(!has_failed.load(Ordering::SeqCst), "pulled after the error");
                has_failed.store(n == fails_at, Ordering::SeqCst);
                if n == fails_at { Err(Box::new(n)) } else { Ok(n) }
            });
            let looping = try_each(items).limit(limit).unwrap().at(worker_pool(&backend, workers));
            let guards = alive.clone();
            let gathered = backend.block_on(looping.gather(move |n| {
                let guard = guards.guard();
                async move {
                    let _alive = guard;
                    yields(n % 3).await;
                    n
                }
            }));
            assert_eq!(alive.now(), 0);
            let interrupted = match gathered {
                Ok(outputs) => {
                    assert!(fails_at == 100 && outputs.into_iter().eq(0..100));
                    continue;
                }
                Err(interrupted) => interrupted,
            };
            let Cause::Source { index, error } = interrupted.cause else {
                panic!("{:?}", interrupted.cause)
            };
            assert_eq!((index, *error, interrupted.ready.len()), (fails_at, fails_at, fails_at));
            // With a limit of one, each item is pulled when the body before it has completed.
            let are_complete = interrupted.ready.iter().all(Outcome::is_ok);
            assert!(limit > 1 || are_complete && interrupted.pending.is_empty());
        }
    }
}

/// Logs each attempt, panics for one item, and boxes the body.
struct Logged {
    attempts: Log<Attempt>,
    panics_at: Option<usize>,
}

impl<B: Body + Send + 'static> Layer<B> for Logged {
    type Layered = Job<B::Returns>;

    fn layer(&self, attempt: Attempt, body: B) -> Job<B::Returns> {
        assert!(self.panics_at != Some(attempt.index), "the layer");
        self.attempts.write(attempt);
        job(body)
    }
}

/// WRK-9: Each body on workers is in its layer, whose panic is that of the body.
pub fn each_body_on_workers_is_in_its_layer<B: Spawning>(backend: B) {
    for (workers, panics_at) in WORKERS.into_iter().flat_map(|w| [(w, None), (w, Some(17))]) {
        let (outer, inner) = (Log::default(), Log::default());
        let looping = each(0..60).limit(8).unwrap().at(worker_pool(&backend, workers));
        let looping = looping.layer(Logged { attempts: outer.clone(), panics_at: None });
        let looping = looping.layer(Logged { attempts: inner.clone(), panics_at });
        let outcomes = backend.block_on(looping.catch_panics().gather(async |n: usize| {
            yields(n % 3).await;
            n
        }));
        assert_eq!(outcomes.len(), 60);
        for (index, outcome) in outcomes.iter().enumerate() {
            match outcome {
                Outcome::Ok(n) => assert!(*n == index && panics_at != Some(index)),
                Outcome::Panicked(panic) => assert_eq!(panic.message(), Some("the layer")),
                other => panic!("{index}: {other:?}"),
            }
        }
        let expected = (0..60).filter(|&index| panics_at != Some(index)).map(Attempt::first);
        assert_eq!(inner.read(), expected.collect::<Vec<_>>());
        assert_eq!(inner.read(), outer.read());
    }
}

/// WRK-9: Time-outs, an error of the source and a layer work together on workers.
pub fn options_on_workers_work_together<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (alive, attempts) = (Alive::default(), Log::default());
        let items = (0..31_u64).map(|n| if n == 30 { Err("the end") } else { Ok(n) });
        let looping = try_each(items).limit(8).unwrap().at(worker_pool(&backend, workers));
        let looping = looping.layer(Logged { attempts: attempts.clone(), panics_at: None });
        let looping = looping.timer(&backend.clock()).timeout(seconds::<B>(1)).catch_panics();
        let guards = alive.clone();
        let interrupted = backend.block_on(looping.gather(move |n| even(&guards, n))).unwrap_err();
        assert!(matches!(interrupted.cause, Cause::Source { index: 30, error: "the end" }));
        assert_eq!((alive.now(), attempts.read().len(), interrupted.ready.len()), (0, 30, 30));
        for (index, outcome) in interrupted.ready.iter().enumerate() {
            match outcome {
                Outcome::Ok(n) => assert!(*n == index as u64 && n % 2 == 0),
                Outcome::TimedOut => assert!(index % 2 == 1 || !B::EXACT),
                Outcome::Cancelled | Outcome::NotRun => {
                    assert!(interrupted.pending.contains(&index));
                }
                other => panic!("{index}: {other:?}"),
            }
        }
    }
}
