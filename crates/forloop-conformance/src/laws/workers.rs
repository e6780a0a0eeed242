//! Loops whose workers pull the items and call the closure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use forloop_core::places::WorkerPool;
use forloop_core::{CancelToken, Cause, LoopError, Outcome, each, each_stream};
use futures_lite::{StreamExt, future, stream};

use super::strategies::{Completions, WORKERS, run_every_strategy, worker_pool};
use super::{endless, errors};
use crate::strategies::Stops;
use crate::{Alive, Gate, LONG, Log, PanicOnDrop, Peak, Spawning, eventually, yields};

/// The natural numbers, each logged when it is pulled.
fn logged(pulled: &Log) -> impl Iterator<Item = u64> + Clone + Send + use<> {
    let pulled = pulled.clone();
    (0..).inspect(move |&n| pulled.write(n))
}

/// WRK-1: Each item is pulled once and its body called once, in input order.
pub fn each_item_is_pulled_once_and_its_body_called_once_in_input_order<B: Spawning>(backend: B) {
    let expected: Vec<_> = (0..300).collect();
    for (workers, limit) in WORKERS.into_iter().flat_map(|w| [(w, 1), (w, 7), (w, usize::MAX)]) {
        let (pulled, called) = (Log::default(), Log::default());
        let looping = each(logged(&pulled).take(300)).limit(limit).unwrap();
        let calls = called.clone();
        let outputs = looping.at(worker_pool(&backend, workers)).gather(move |n| {
            calls.write(n);
            async move {
                yields(n as usize % 4).await;
                n
            }
        });
        assert_eq!(backend.block_on(outputs), expected);
        assert_eq!((pulled.read(), called.read()), (expected.clone(), expected.clone()));
    }
}

/// WRK-1
pub fn every_strategy_returns_what_it_returns_elsewhere<B: Spawning>(backend: B) {
    let all = run_every_strategy(&backend, (3, 8), 50, Completions::AnyOrder, |_| false);
    for (strategy, returned, mut completed) in all {
        strategy.check(&returned, 50, |index| index as u64);
        if !matches!(strategy.stops, Stops::AfterSuccesses(_)) {
            completed.sort_unstable();
            assert!(completed.into_iter().eq(0..50), "{strategy:?}");
        }
    }
    let looping = || each(0..50_u64).limit(8).unwrap().at(worker_pool(&backend, 3));
    let even = async |n: u64| {
        yields(n as usize % 3).await;
        if n.is_multiple_of(2) { Ok(n) } else { Err(n.to_string()) }
    };
    backend.block_on(async {
        let settled = looping().settle(even).await;
        assert!(settled.iter().enumerate().all(|(index, outcome)| match outcome {
            Outcome::Ok(n) => *n == index as u64 && n % 2 == 0,
            Outcome::Err(n) => *n == index.to_string(),
            _ => false,
        }));
        assert_eq!(settled.len(), 50);
        let kept = looping().filter_map(async |n: u64| n.checked_sub(40)).await;
        assert!(kept.into_iter().eq(0..10));
        let firsts = looping().first_ok(7, even).await.unwrap();
        assert!(firsts.iter().all(|&(index, n)| index as u64 == n && n % 2 == 0));
        assert_eq!(firsts.len(), 7);
        assert_eq!(looping().first_ok(0, even).await, Ok(vec![]));
        let few = looping().first_ok(26, even).await.unwrap_err();
        assert_eq!(few.failures().len(), 25);
        let winner = looping().race_ok(even).await.unwrap();
        assert_eq!(winner.0 as u64, winner.1);
    });
}

/// WRK-2: The limit counts the bodies of all workers together, and is reached.
pub fn exactly_limit_bodies_run_across_all_workers<B: Spawning>(backend: B) {
    for (workers, limit) in [(1, 3), (2, 1), (2, 7), (4, 3), (4, 64)] {
        let (peak, gate, arrived) = (Peak::default(), Gate::default(), Alive::default());
        let seen = peak.clone();
        let looping = each(0..limit * 3).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let bodies = looping.for_each(move |_| {
            let (peak, gate, arrived) = (seen.clone(), gate.clone(), arrived.clone());
            async move {
                let body = async {
                    // The first bodies complete when `limit` of them are running.
                    let guard = arrived.guard();
                    if arrived.ever() >= limit {
                        gate.open();
                    }
                    gate.passed().await;
                    yields(2).await;
                    drop(guard);
                };
                peak.during(body).await;
            }
        });
        backend.block_on(bodies);
        assert_eq!(peak.most(), limit, "{workers} workers");
    }
}

/// WRK-2: A result of a stream keeps its permit until it is taken.
pub fn results_that_are_not_taken_keep_their_permits<B: Spawning>(backend: B) {
    for (workers, limit) in [(1, 4), (3, 4), (4, 9)] {
        let pulled = Log::default();
        let looping =
            each(logged(&pulled)).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let clock = backend.clock();
        backend.block_on(async {
            let mut results = looping.stream_unordered(async |n| n);
            for taken in 0..20 {
                assert!(results.next().await.is_some());
                eventually(&clock, || pulled.read().len() >= taken + limit).await;
                yields(20).await;
                // A result that was taken frees its permit when the stream is polled again.
                assert!(pulled.read().len() <= taken + limit, "{:?}", pulled.read());
            }
        });
    }
}

/// WRK-2: An output that a strategy handles in order keeps its permit until it is handled.
pub fn outputs_that_are_not_folded_yet_keep_their_permits<B: Spawning>(backend: B) {
    for (workers, limit) in WORKERS.into_iter().flat_map(|w| [(w, 1), (w, 5)]) {
        let (pulled, folded) = (Log::default(), Log::default());
        let (pulls, folds) = (pulled.clone(), folded.clone());
        let items = (0..60).inspect(move |&n| {
            pulls.write(n);
            assert!(pulls.read().len() <= folds.read().len() + limit, "{n}");
        });
        let looping = each(items).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let body = async |n: u64| {
            yields(n as usize % 3).await;
            n
        };
        backend.block_on(looping.fold((), body, |(), (_, n)| folded.write(n)));
        assert_eq!((pulled.read().len(), folded.read().len()), (60, 60));
        // With a limit of one, no body is called after the last success.
        if limit == 1 {
            let called = Log::default();
            let looping =
                each(logged(&called)).limit(1).unwrap().at(worker_pool(&backend, workers));
            let firsts = looping.first_ok(3, async |n| Ok::<_, String>(n));
            assert_eq!(backend.block_on(firsts), Ok(vec![(0, 0), (1, 1), (2, 2)]));
            assert_eq!(called.read(), [0, 1, 2]);
        }
    }
}

/// WRK-3: The first failure is returned after every body has stopped, and no item is pulled after it.
pub fn the_first_failure_stops_the_bodies_and_the_source<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (pulled, alive) = (Log::default(), Alive::default());
        let looping = each(logged(&pulled)).limit(16).unwrap().at(worker_pool(&backend, workers));
        let guards = alive.clone();
        let failing = looping.try_for_each(move |n| {
            let guard = guards.guard();
            async move {
                let _alive = guard;
                yields(3).await;
                if n == 40 { Err(n.to_string()) } else { Ok(()) }
            }
        });
        let error = backend.block_on(async {
            let error = failing.await.unwrap_err();
            // Checked before any other task is polled.
            assert_eq!(alive.now(), 0);
            error
        });
        assert_eq!(errors(&error), ["40"]);
        let pulled = pulled.read().len();
        // Other workers may pull an item before they see the failure.
        let most = if workers == 1 { 40 + 16 } else { usize::MAX };
        assert!((41..=most).contains(&pulled), "{pulled} items, though none after the failure");
    }
}

/// WRK-3: Failures of different workers are returned in completion order.
pub fn failures_are_returned_in_completion_order<B: Spawning>(backend: B) {
    let gate = Gate::default();
    let looping = each(0..3).unbounded().at(worker_pool(&backend, 3));
    let error = backend.block_on(looping.race_ok(move |n| {
        let gate = gate.clone();
        async move {
            match n {
                2 => gate.open(),
                _ => gate.passed().await,
            }
            // The bodies that wait for the gate fail after the one that opens it.
            yields(if n == 2 { 0 } else { 50 }).await;
            Err::<(), _>(n.to_string())
        }
    }));
    let error = error.unwrap_err();
    assert_eq!((errors(&error)[0], errors(&error).len()), ("2", 3));
}

/// WRK-4: A panic of a body, the closure or the source propagates after every body has stopped.
pub fn a_panic_propagates_after_the_bodies_have_stopped<B: Spawning>(backend: B) {
    for workers in WORKERS {
        // The body panics, or the closure, or the source.
        for culprit in 0..3 {
            let (pulled, alive) = (Log::default(), Alive::default());
            let items = logged(&pulled).inspect(move |&n| {
                assert!(culprit != 2 || n != 9, "the culprit");
            });
            let looping = each(items).limit(5).unwrap().at(worker_pool(&backend, workers));
            let guards = alive.clone();
            let gathering = looping.gather(move |n| {
                assert!(culprit != 1 || n != 9, "the culprit");
                let guard = guards.guard();
                async move {
                    let _alive = guard;
                    yields(2).await;
                    assert!(culprit != 0 || n != 9, "the culprit");
                    n
                }
            });
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                backend.block_on(gathering)
            }));
            assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "the culprit");
            assert_eq!(alive.now(), 0);
            let pulled = pulled.read().len();
            // Other bodies may be called before the panic is seen.
            let most = if culprit > 0 || workers == 1 { 9 + 5 } else { usize::MAX };
            assert!(pulled <= most, "{pulled} items, though none after the panic");
        }
    }
}

/// WRK-4: With `catch_panics`, a panic of a body or of the closure is the outcome of its item.
pub fn a_caught_panic_is_the_outcome_of_its_item<B: Spawning>(backend: B) {
    let looping = each(0..90).limit(6).unwrap().at(worker_pool(&backend, 3)).catch_panics();
    let settled = backend.block_on(looping.settle(|n| {
        assert!(n % 9 != 1, "the closure");
        async move {
            yields(n % 3).await;
            assert!(n % 9 != 2, "the body");
            if n % 9 == 3 { Err(n) } else { Ok(n) }
        }
    }));
    assert_eq!(settled.len(), 90);
    for (index, outcome) in settled.iter().enumerate() {
        match (index % 9, outcome) {
            (1, Outcome::Panicked(panic)) => assert_eq!(panic.message(), Some("the closure")),
            (2, Outcome::Panicked(panic)) => assert_eq!(panic.message(), Some("the body")),
            (3, Outcome::Err(n)) | (0 | 4.., Outcome::Ok(n)) => assert_eq!(*n, index),
            other => panic!("{other:?}"),
        }
    }
}

/// WRK-4: Panics of destructors on the workers do not hang the loop.
pub fn panics_of_destructors_do_not_hang_the_loop<B: Spawning>(backend: B) {
    let looping = each(0..).limit(8).unwrap().at(worker_pool(&backend, 2));
    let failing = looping.try_for_each(|n| async move {
        let _panics = (n != 3).then_some(PanicOnDrop);
        yields(1).await;
        if n == 3 {
            return Err(n.to_string());
        }
        future::pending().await
    });
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(backend.block_on(failing));
    }));
    assert!(panic.is_err());
}

/// WRK-5: A cancelled loop returns after its bodies have stopped, with the outcome of each item.
pub fn an_interrupted_loop_reports_the_outcome_of_each_item<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (token, alive) = (CancelToken::new(), Alive::default());
        let looping = each(0..).limit(6).unwrap().at(worker_pool(&backend, workers));
        let (guards, clock) = (alive.clone(), backend.clock());
        let gathering = looping.cancel_on(token.cancelled()).gather(move |n: u64| {
            let guard = guards.guard();
            async move {
                let _alive = guard;
                yields(1).await;
                if n % 2 == 1 && n < 20 {
                    return n;
                }
                future::pending().await
            }
        });
        let interrupted = backend.block_on(async {
            let cancel = async {
                // Six bodies with even numbers are running, and the five odd ones between have completed.
                eventually(&clock, || alive.ever() == 11 && alive.now() == 6).await;
                token.cancel();
            };
            let (interrupted, ()) = future::zip(gathering, cancel).await;
            assert_eq!(alive.now(), 0);
            interrupted.unwrap_err()
        });
        assert_eq!(interrupted.cause, Cause::Cancelled);
        assert_eq!(interrupted.pending, [0, 2, 4, 6, 8, 10]);
        assert_eq!(interrupted.ready.len(), 11);
        for (index, outcome) in interrupted.ready.iter().enumerate() {
            match outcome {
                Outcome::Ok(n) => assert_eq!((*n, index % 2), (index as u64, 1)),
                Outcome::Cancelled => assert_eq!(index % 2, 0),
                other => panic!("{index}: {other:?}"),
            }
        }
    }
}

/// WRK-5: A deadline stops the bodies and lists their indices, and one that does not pass changes nothing.
pub fn a_deadline_interrupts_the_loop<B: Spawning>(backend: B) {
    let (alive, clock) = (Alive::default(), backend.clock());
    let looping = each(0..).limit(6).unwrap().at(worker_pool(&backend, 2));
    let looping = looping.timer(&clock).deadline(Duration::from_millis(20));
    let guards = alive.clone();
    let interrupted =
        backend.block_on(looping.for_each(move |_: u64| endless(&guards))).unwrap_err();
    // The bodies that had started by then, which may be none on a slow machine.
    let started: Vec<_> = (0..alive.ever()).collect();
    assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, started));
    assert!(alive.now() == 0 && alive.ever() <= 6);
    // A deadline that does not pass changes nothing.
    let looping =
        each(0..9).limit(6).unwrap().at(worker_pool(&backend, 2)).timer(&clock).deadline(LONG);
    assert_eq!(backend.block_on(looping.gather(async |n: u64| n)).unwrap().len(), 9);
}

/// WRK-6: After a loop is dropped, the workers drop its bodies, its source and its closure.
pub fn a_dropped_loop_drops_its_bodies_source_and_closure<B: Spawning>(backend: B) {
    for limit in [3, 100] {
        let (bodies, captured) = (Alive::default(), Alive::default());
        let (in_source, in_closure) = (captured.guard(), captured.guard());
        let items = (0..).inspect(move |_: &u64| captured_by(&in_source));
        let guards = bodies.clone();
        let looping = each(items).limit(limit).unwrap().at(worker_pool(&backend, 3));
        let mut looping = Box::pin(looping.for_each(move |_| {
            captured_by(&in_closure);
            endless(&guards)
        }));
        let clock = backend.clock();
        backend.block_on(async {
            assert!(future::poll_once(looping.as_mut()).await.is_none());
            eventually(&clock, || bodies.now() == limit).await;
            drop(looping);
            eventually(&clock, || bodies.now() == 0 && captured.now() == 0).await;
        });
    }
}

fn captured_by<T>(_: &T) {}

/// WRK-6: A loop that is dropped before its first poll pulls no item and calls no body.
pub fn a_loop_that_is_never_polled_calls_nothing<B: Spawning>(backend: B) {
    let (pulled, captured) = (Log::default(), Alive::default());
    let guard = captured.guard();
    let looping = each(logged(&pulled)).unbounded().at(worker_pool(&backend, 2));
    drop(looping.for_each(move |_| {
        captured_by(&guard);
        endless(&Alive::default())
    }));
    assert_eq!((pulled.read().len(), captured.now()), (0, 0));
}

/// WRK-7: All workers await a source that is pending.
pub fn a_pending_source_is_awaited_by_all_workers<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (gates, done) = ([Gate::default(), Gate::default()], Log::default());
        let [first, second] = gates.clone();
        let later = |gate: Gate, n| {
            stream::once_future(async move {
                gate.passed().await;
                n
            })
        };
        let items = stream::iter(0..3).chain(later(first, 3)).chain(later(second, 4));
        let looping =
            each_stream(Box::pin(items)).limit(2).unwrap().at(worker_pool(&backend, workers));
        let (completed, clock) = (done.clone(), backend.clock());
        let looping = looping.gather(move |n: u64| {
            let done = completed.clone();
            async move {
                yields(2).await;
                done.write(n);
                n
            }
        });
        let outputs = backend.block_on(async {
            let opener = async {
                for (expected, gate) in [3, 4].into_iter().zip(&gates) {
                    eventually(&clock, || done.read().len() == expected).await;
                    gate.open();
                }
            };
            future::zip(looping, opener).await.0
        });
        assert_eq!(outputs, [0, 1, 2, 3, 4]);
    }
}

/// An iterator whose `size_hint` is wrong.
#[derive(Clone)]
struct WrongHint<I>(I, (usize, Option<usize>));

impl<I: Iterator> Iterator for WrongHint<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}

/// WRK-8: An empty source completes on the first poll, and a wrong `size_hint` changes no output.
pub fn empty_sources_and_wrong_size_hints_are_harmless<B: Spawning>(backend: B) {
    let empty = each(0..0_u64).unbounded().at(worker_pool(&backend, 3)).gather(async |n| n);
    // Completes on the first poll.
    assert_eq!(backend.block_on(future::poll_once(empty)), Some(vec![]));
    let race = each(0..0_u64).unbounded().at(worker_pool(&backend, 3)).race(async |n| n);
    assert!(matches!(backend.block_on(race), Err(LoopError::Empty)));
    for hint in [(0, Some(0)), (0, Some(1)), (9, Some(9)), (1000, None), (usize::MAX, None)] {
        for items in [0, 1, 30] {
            let looping =
                each(WrongHint(0..items, hint)).limit(4).unwrap().at(worker_pool(&backend, 2));
            let outputs = backend.block_on(looping.gather(async |n: u64| {
                yields(1).await;
                n
            }));
            assert!(outputs.into_iter().eq(0..items), "{hint:?}, {items} items");
        }
    }
}

/// WRK-10: Loops on workers nest, and their limits multiply.
pub fn loops_on_workers_nest<B: Spawning>(backend: B) {
    let (runtime, peak) = (backend.runtime(), Peak::default());
    let (seen, outer) = (peak.clone(), worker_pool(&backend, 2));
    let sums = each(0..6_u64).limit(3).unwrap().at(outer).gather(move |n| {
        let (runtime, peak) = (runtime.clone(), seen.clone());
        async move {
            let inner = each(0..20_u64).limit(4).unwrap();
            let products =
                inner.at(WorkerPool::of(runtime, 2.try_into().unwrap())).gather(move |m| {
                    let peak = peak.clone();
                    async move {
                        peak.during(async {
                            yields(2).await;
                            n * m
                        })
                        .await
                    }
                });
            products.await.into_iter().sum::<u64>()
        }
    });
    assert!(backend.block_on(sums).into_iter().eq((0..6).map(|n| n * 190)));
    assert!(peak.most() <= 12);
}

/// WRK-11: Many small loops lose and duplicate nothing, in any interleaving of the workers.
pub fn many_small_loops_lose_and_duplicate_nothing<B: Spawning>(backend: B) {
    let is_odd = Arc::new(AtomicBool::new(false));
    for round in 0..200 {
        let (items, limit) = (round % 23, [1, 2, 5, 64][round % 4]);
        let alive = Alive::default();
        let (guards, odd) = (alive.clone(), is_odd.clone());
        let looping = each(0..items).limit(limit).unwrap();
        let tried = looping.at(worker_pool(&backend, 1 + round % 4)).try_gather(move |n| {
            let (guard, odd) = (guards.guard(), odd.clone());
            async move {
                let _alive = guard;
                yields(n % 3).await;
                odd.fetch_xor(true, Ordering::SeqCst);
                if round % 5 == 4 && n == 11 { Err(n) } else { Ok(n) }
            }
        });
        match backend.block_on(tried) {
            Ok(outputs) => assert!(outputs.into_iter().eq(0..items)),
            Err(error) => assert_eq!(error.failures().len(), 1),
        }
        assert_eq!(alive.now(), 0);
    }
}
