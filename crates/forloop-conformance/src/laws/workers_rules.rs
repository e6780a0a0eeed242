//! Loops on workers whose options decide when items start, or stop the loop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{CancelToken, Cause, Outcome, Rate, Retry, Timer, each, try_each};
use futures_lite::future;

use super::strategies::{WORKERS, worker_pool};
use crate::{Alive, Gate, LONG, Log, Spawning, eventually, on_time, seconds, yields};

/// The bodies that run at once, or their weights, by key.
#[derive(Clone, Default)]
struct Running {
    now: Arc<Mutex<BTreeMap<u64, (usize, usize)>>>,
}

impl Running {
    fn add(&self, key: u64, weight: isize) {
        let mut running = self.now.lock().expect("no counter panics");
        let (now, most) = running.entry(key).or_default();
        *now = now.checked_add_signed(weight).expect("none completes twice");
        *most = (*most).max(*now);
    }

    /// Some time of a body with this key.
    async fn during(self, key: u64, weight: usize) {
        self.add(key, weight as isize);
        yields(3).await;
        self.add(key, -(weight as isize));
    }

    /// The most that has run at once, of any key.
    fn most(&self) -> usize {
        let running = self.now.lock().expect("no counter panics");
        running.values().map(|&(_, most)| most).max().unwrap_or(0)
    }
}

/// Numbers of workers with limits.
fn pools() -> impl Iterator<Item = (usize, usize)> {
    WORKERS.into_iter().flat_map(|workers| [(workers, 1), (workers, 5), (workers, usize::MAX)])
}

/// A constant back-off of no time, for at most `times` retries.
fn at_once(times: usize) -> ConstantBuilder {
    ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(times)
}

/// WRK-12: On workers, a key has no more bodies than its limit, and items take as many permits as they weigh.
pub fn keys_and_weights_are_limited_across_all_workers<B: Spawning>(backend: B) {
    for (workers, limit) in pools() {
        let (by_key, weights) = (Running::default(), Running::default());
        let looping = || each(0..60_u64).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let running = by_key.clone();
        let keyed = looping().limit_by(|n| n % 3, 2).unwrap().gather(move |n| {
            let running = running.clone();
            async move {
                running.during(n % 3, 1).await;
                n
            }
        });
        assert!(backend.block_on(keyed).into_iter().eq(0..60));
        assert!(by_key.most() <= 2.min(limit), "{workers} workers, limit {limit}");
        // One worker starts as many bodies as it may before it polls them again.
        assert!(workers > 1 || by_key.most() == 2.min(limit), "limit {limit}");
        let running = weights.clone();
        let weighed = looping().weight_by(|n| *n as usize % 4).for_each(move |n| {
            let running = running.clone();
            async move { running.during(0, (n as usize % 4).max(1)).await }
        });
        backend.block_on(weighed);
        // An item that weighs more than the limit runs alone.
        assert!(weights.most() <= limit.max(3), "{workers} workers, limit {limit}");
    }
}

/// WRK-12: On workers, a result that is not taken keeps its permits, also where options queue items.
pub fn results_on_workers_keep_their_permits_where_items_are_queued<B: Spawning>(backend: B) {
    for (workers, limit) in [(1, 4), (3, 4), (4, 9)] {
        let called = Log::default();
        let looping = each(0..).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let (calls, clock) = (called.clone(), backend.clock());
        backend.block_on(async {
            let looping = looping.limit_by(|n: &u64| *n, 1).unwrap();
            let mut results = looping.stream(move |n| {
                calls.write(n);
                async move { n }
            });
            for taken in 0..20 {
                assert_eq!(results.next().await, Some(taken as u64));
                eventually(&clock, || called.read().len() >= taken + limit).await;
                yields(20).await;
                // A result that was taken frees its permit when the stream is polled again.
                assert!(called.read().len() <= taken + limit, "{:?}", called.read());
            }
        });
    }
}

/// WRK-12: On workers, a failed body is retried on any of them, until it succeeds or the back-off is exhausted.
pub fn a_failed_body_is_retried_on_any_worker<B: Spawning>(backend: B) {
    for (workers, limit) in pools() {
        let calls = Arc::new(Mutex::new(BTreeMap::<u64, u64>::new()));
        let looping = each(0..40_u64).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let looping = looping.timer(&backend.clock()).retry(at_once(2));
        let of_bodies = calls.clone();
        let settled = backend.block_on(looping.settle(move |n| {
            let call = {
                let mut calls = of_bodies.lock().expect("no counter panics");
                let call = calls.entry(n).or_default();
                *call += 1;
                *call
            };
            async move {
                yields(2).await;
                if call > n % 4 { Ok(n) } else { Err(format!("{n}: call {call}")) }
            }
        }));
        assert_eq!(settled.len(), 40);
        for (index, outcome) in settled.iter().enumerate() {
            let n = index as u64;
            match outcome {
                Outcome::Ok(value) => assert!(*value == n && n % 4 < 3),
                Outcome::Err(error) => assert!(*error == format!("{n}: call 3") && n % 4 == 3),
                other => panic!("{index}: {other:?}"),
            }
            assert_eq!(settled.attempts(index), (index as u32 % 4).min(2) + 1);
        }
    }
}

/// WRK-12: On workers, an attempt that has timed out is retried, and the time limit of an attempt is its own.
pub fn an_attempt_on_workers_that_times_out_is_retried<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (clock, calls) = (backend.clock(), Log::default());
        let looping = each(0..3_u64).limit(4).unwrap().at(worker_pool(&backend, workers));
        let looping = looping.timer(&clock).timeout(seconds::<B>(2)).retry(at_once(1));
        let (of_bodies, log) = (clock.clone(), calls.clone());
        let outcomes = backend.block_on(looping.settle(move |n| {
            log.write(n);
            let (clock, is_first) =
                (of_bodies.clone(), log.read().iter().filter(|&&m| m == n).count() == 1);
            async move {
                match n {
                    // Fails at once. The second attempt takes longer than what was left of the first one's time.
                    0 if is_first => return Err("the first attempt"),
                    0 => clock.sleep(seconds::<B>(1)).await,
                    1 if is_first => future::pending().await,
                    _ => {}
                }
                Ok(n)
            }
        }));
        if B::EXACT {
            assert!(outcomes.iter().all(Outcome::is_ok), "{workers} workers: {outcomes:?}");
            assert_eq!(calls.read().len(), 5);
        }
    }
}

/// WRK-12: On workers, a final failure stops the loop, with the failures that would have been retried.
pub fn a_final_failure_on_workers_stops_the_items_that_back_off<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (alive, gate) = (Alive::default(), Gate::default());
        let looping = each(0..).limit(6).unwrap().at(worker_pool(&backend, workers));
        let back_off = ConstantBuilder::default().with_delay(LONG);
        let retry = Retry::from(back_off).when(|error: &u64| *error != 3);
        let looping = looping.timer(&backend.clock()).retry(retry);
        let guards = alive.clone();
        let failing = looping.try_for_each(move |n| {
            let (guard, gate) = (guards.guard(), gate.clone());
            async move {
                let _alive = guard;
                match n {
                    // It backs off for long when item 3 fails for good.
                    0 => {
                        gate.open();
                        Err(n)
                    }
                    3 => {
                        gate.passed().await;
                        yields(9).await;
                        Err(n)
                    }
                    _ => future::pending().await,
                }
            }
        });
        let error = backend.block_on(failing).unwrap_err();
        assert_eq!(alive.now(), 0);
        let failures: Vec<_> = error.failures().iter().map(|failure| failure.index).collect();
        // Whether item 0 was reported before the loop has stopped depends on its worker.
        assert!(failures[0] == Some(3) || failures == [Some(0), Some(3)], "{failures:?}");
        assert!(failures.len() == 2, "{failures:?}");
    }
}

/// WRK-12: On workers, starts are spaced over all of them.
pub fn starts_are_spaced_over_all_workers<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let (clock, starts) = (backend.clock(), Log::<Duration>::default());
        let begin = clock.now();
        let looping = || {
            let looping = each(0..5_u64).unbounded().at(worker_pool(&backend, workers));
            looping.timer(&clock)
        };
        let body = {
            let (starts, clock) = (starts.clone(), clock.clone());
            move |n| {
                starts.write(clock.now() - begin);
                async move { n }
            }
        };
        let rate = Rate::new(5, seconds::<B>(5)).unwrap();
        assert!(backend.block_on(looping().rate(rate).gather(body.clone())).into_iter().eq(0..5));
        let before = clock.now() - begin;
        let staggered = looping().stagger(seconds::<B>(1)).gather(body);
        assert!(backend.block_on(staggered).into_iter().eq(0..5));
        let starts = starts.read();
        for (n, (rated, staggered)) in starts[..5].iter().zip(&starts[5..]).enumerate() {
            on_time::<B>(*rated, seconds::<B>(n as u64));
            on_time::<B>(*staggered - before, seconds::<B>(n as u64));
        }
    }
}

/// WRK-12: On workers, a condition stops the loop when it is met, and the bodies have stopped when the loop returns.
pub fn a_condition_stops_a_loop_on_workers<B: Spawning>(backend: B) {
    for (workers, limit) in pools().map(|(workers, limit)| (workers, limit.min(8))) {
        let alive = Alive::default();
        let looping = || each(0..).limit(limit).unwrap().at(worker_pool(&backend, workers));
        let body = {
            let guards = alive.clone();
            move |n: u64| {
                let guard = guards.guard();
                async move {
                    let _alive = guard;
                    yields(n as usize % 3).await;
                    n
                }
            }
        };
        let counted = looping().stop_on_counts(|counts| counts.completed() == 10);
        let interrupted = backend.block_on(counted.gather(body.clone())).unwrap_err();
        let completed = interrupted.ready.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!((interrupted.cause, alive.now()), (Cause::ConditionMet, 0));
        // Others may complete before their workers report them.
        assert!((10..=10 + 2 * limit).contains(&completed), "{workers} workers: {completed}");
        let found = looping().stop_on_output(|_, n: &u64| *n == 7);
        let interrupted = backend.block_on(found.gather(body.clone())).unwrap_err();
        assert_eq!((interrupted.cause, alive.now()), (Cause::ConditionMet, 0));
        assert!(matches!(interrupted.ready[7], Outcome::Ok(7)));
    }
}

/// WRK-12: On workers, a loop that is drained completes the bodies that were pulled, and pulls no other item.
pub fn a_drained_loop_on_workers_completes_its_bodies<B: Spawning>(backend: B) {
    for (workers, is_keyed) in WORKERS.into_iter().flat_map(|w| [(w, false), (w, true)]) {
        let (token, gate, called) = (CancelToken::new(), Gate::default(), Log::default());
        let looping = each(0..).limit(6).unwrap().at(worker_pool(&backend, workers));
        let (calls, drain) = (called.clone(), token.clone());
        let opens = gate.clone();
        let body = move |n: u64| {
            calls.write(n);
            let (token, gate) = (drain.clone(), gate.clone());
            async move {
                if n == 5 {
                    token.cancel();
                }
                gate.passed().await;
                n
            }
        };
        let opener = async {
            token.cancelled().await;
            yields(50).await;
            opens.open();
        };
        let interrupted = backend.block_on(async {
            let drained = looping.drain_on(&token);
            let (result, ()) = if is_keyed {
                let keyed = drained.limit_by(|n: &u64| *n, 1).unwrap();
                future::zip(keyed.gather(body), opener).await
            } else {
                future::zip(drained.gather(body), opener).await
            };
            result.unwrap_err()
        });
        assert_eq!((interrupted.cause, interrupted.pending.len()), (Cause::Drained, 0));
        assert!(interrupted.ready.iter().take(6).all(Outcome::is_ok));
        // Other workers may have pulled items before they learn of it, once the gate was open.
        assert!(interrupted.ready.len() >= called.read().len() && called.read().len() >= 6);
    }
    // No item was left: the loop is not interrupted.
    let late = CancelToken::new();
    let drain = late.clone();
    let whole = each(0..3).unbounded().at(worker_pool(&backend, 2)).drain_on(&late);
    let whole = whole.gather(move |n| {
        if n == 2 {
            drain.cancel();
        }
        async move { yields(3).await }
    });
    assert_eq!(backend.block_on(whole).unwrap().len(), 3);
}

/// WRK-12: A signal stops a loop on workers although no worker has anything to do, or none has room for a body.
pub fn a_signal_stops_workers_that_wait<B: Spawning>(backend: B) {
    for (workers, waits_for_start) in WORKERS.into_iter().flat_map(|w| [(w, true), (w, false)]) {
        let (token, alive) = (CancelToken::new(), Alive::default());
        let looping = each(0..).limit(4).unwrap().at(worker_pool(&backend, workers));
        let every =
            if waits_for_start { Duration::from_secs(3600) } else { Duration::from_nanos(1) };
        let looping = looping.timer(&backend.clock()).rate(Rate::new(1, every).unwrap());
        let (guards, clock) = (alive.clone(), backend.clock());
        let cancelled = looping.cancel_on(token.clone()).for_each(move |_: u64| {
            let guard = guards.guard();
            async move {
                let _alive = guard;
                if !waits_for_start {
                    future::pending::<()>().await;
                }
            }
        });
        let started = if waits_for_start { 1 } else { 4 };
        let interrupted = backend.block_on(async {
            let cancel = async {
                eventually(&clock, || alive.ever() == started).await;
                yields(9).await;
                token.cancel();
            };
            future::zip(cancelled, cancel).await.0.unwrap_err()
        });
        let pending = if waits_for_start { vec![] } else { vec![0, 1, 2, 3] };
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::Cancelled, pending));
        assert_eq!((alive.now(), alive.ever()), (0, started));
    }
}

/// WRK-12: A panic of an option stops the loop on workers and propagates.
pub fn a_panic_of_an_option_on_workers_propagates<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let alive = Alive::default();
        let looping = each(0..).limit(4).unwrap().at(worker_pool(&backend, workers));
        let looping = looping.weight_by(|n: &u64| if *n == 9 { panic!("the weight") } else { 1 });
        let guards = alive.clone();
        let bodies = looping.for_each(move |_| {
            let guard = guards.guard();
            async move {
                let _alive = guard;
                yields(2).await;
            }
        });
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            backend.block_on(bodies);
        }));
        assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "the weight");
        assert_eq!(alive.now(), 0);
    }
}

/// WRK-11, WRK-12: Many small loops with many options lose and duplicate nothing, in any interleaving of the workers.
pub fn many_small_loops_with_options_lose_and_duplicate_nothing<B: Spawning>(backend: B) {
    for round in 0..60_u64 {
        let (items, limit) = (round % 23, [1, 2, 5, 64][round as usize % 4]);
        let (alive, has_failed) = (Alive::default(), Arc::new(Mutex::new(vec![false; 23])));
        let source =
            (0..=items).map(move |n| if n == items && round % 3 == 0 { Err(n) } else { Ok(n) });
        let looping = try_each(source).limit(limit).unwrap();
        let looping = looping.at(worker_pool(&backend, 1 + round as usize % 4));
        let looping = looping.timer(&backend.clock()).timeout(LONG).retry(at_once(1));
        let looping = looping.limit_by(|n| n % 2, 3).unwrap().weight_by(|n| *n as usize % 3);
        let guards = alive.clone();
        let result = backend.block_on(looping.gather(move |n| {
            let (guard, failed) = (guards.guard(), has_failed.clone());
            async move {
                let _alive = guard;
                yields(n as usize % 3).await;
                let mut failed = failed.lock().expect("no body panics");
                let is_first =
                    failed.get_mut(n as usize).map(|failed| !std::mem::replace(failed, true));
                if n % 5 == 2 && is_first == Some(true) { Err(n) } else { Ok(n) }
            }
        }));
        assert_eq!(alive.now(), 0);
        match result {
            Ok(outcomes) => {
                assert!(round % 3 != 0 && outcomes.len() as u64 == items + 1);
                let is_ok = |(n, outcome): (u64, Outcome<_>)| matches!(outcome, Outcome::Ok(Ok(m)) if m == n);
                assert!((0..).zip(outcomes).all(is_ok));
            }
            Err(interrupted) => {
                assert!(round % 3 == 0 && interrupted.ready.len() as u64 == items);
                assert!(matches!(interrupted.cause, Cause::Source { error, .. } if error == items));
            }
        }
    }
}
