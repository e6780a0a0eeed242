//! Bodies that are retried when they fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::types::Backon;
use forloop_core::{CancelToken, Cause, Event, LoopError, Outcome, Retry, Timer, each};

use super::times::Stopwatch;
use crate::strategies::{Run, Stops, every_strategy};
use crate::{Alive, Backend, Gate, Job, LONG, Log, Peak, boxed, job, on_time, seconds, yields};

/// The number of calls of the body for each item.
#[derive(Clone, Default)]
struct Calls {
    calls: Arc<Mutex<BTreeMap<u64, u32>>>,
}

impl Calls {
    fn count(&self, n: u64) -> u32 {
        let mut calls = self.calls.lock().expect("no counter panics");
        let call = calls.entry(n).or_default();
        *call += 1;
        *call
    }

    fn of(&self, n: u64) -> u32 {
        self.calls.lock().expect("no counter panics").get(&n).copied().unwrap_or(0)
    }

    /// Begins to count anew.
    fn forget(&self) {
        self.calls.lock().expect("no counter panics").clear();
    }

    /// A body that fails until it has been called `n` times before.
    fn flaky(&self, n: u64) -> Job<Result<u64, String>> {
        let call = self.count(n);
        job(async move {
            yields(2).await;
            if u64::from(call) > n { Ok(n) } else { Err(format!("{n}: call {call}")) }
        })
    }
}

/// A constant back-off of `delay` seconds, for at most `times` retries.
fn again<B: Backend>(delay: u64, times: usize) -> ConstantBuilder {
    ConstantBuilder::default().with_delay(seconds::<B>(delay)).with_max_times(times)
}

/// OPT-7: A failed body is retried until it succeeds or the back-off is exhausted.
pub fn a_failed_body_is_retried_until_it_succeeds_or_the_back_off_is_exhausted<B: Backend>(
    backend: B,
) {
    let clock = backend.clock();
    for limit in [1, 3, 64] {
        let calls = Calls::default();
        let looping = each(0..6).limit(limit).unwrap().at(backend.place());
        let settled = looping.timer(&clock).retry(again::<B>(0, 3)).settle(|n| calls.flaky(n));
        let settled = backend.block_on(settled);
        for (index, outcome) in settled.iter().enumerate() {
            let n = index as u64;
            match outcome {
                Outcome::Ok(value) => assert!(*value == n && n <= 3),
                Outcome::Err(error) => assert!(*error == format!("{n}: call 4") && n > 3),
                other => panic!("{other:?}"),
            }
            let attempts = index.min(3) as u32 + 1;
            assert_eq!((settled.attempts(index), calls.of(n)), (attempts, attempts));
        }
        assert_eq!(settled.attempts(6), 0);
        assert_eq!(settled.summary().to_string(), "4 ok, 2 failed (5 retried)");
    }
}

/// OPT-7
pub fn every_strategy_sees_only_the_last_attempt<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    // First each item fails at least once and succeeds in the end. Then all fail as often as they may.
    for (failures, retries) in [(1, 9), (100, 2)] {
        let looping = || {
            let looping = each(0..4).limit(2).unwrap().at(backend.place());
            looping.timer(&clock).retry(again::<B>(0, retries))
        };
        let body = |n: u64| calls.flaky(n + failures);
        let runs = every_strategy!(spawned: looping(), body, but not {
            filter_map: "its bodies return an `Option`, so no attempt fails",
            for_each: "its bodies return nothing, so no attempt fails"
        });
        backend.block_on(async {
            for Run { strategy, returned } in runs {
                let returned = returned.await;
                calls.forget();
                if failures > 1 {
                    assert!(!returned.failures.is_empty(), "{strategy:?}: {returned:?}");
                    // The failure that stops the loop is of the last attempt. Others may have waited for theirs.
                    let least = if strategy.stops == Stops::AtFailure { 1 } else { 3 };
                    let attempts = returned.attempts.iter();
                    let most = attempts.clone().max().is_none_or(|&most| most == 3);
                    assert!(
                        most && attempts.min().is_none_or(|&fewest| fewest >= least),
                        "{strategy:?}: {returned:?}"
                    );
                    continue;
                }
                strategy.check(&returned, 4, |index| index as u64 + 1);
                // In the caller's task the first success is that of the item with the fewest failures.
                let first = returned.values.first();
                assert!(
                    B::SPAWNED
                        || !matches!(strategy.stops, Stops::AfterSuccesses(_))
                        || first == Some(&(Some(0), 1)),
                    "{strategy:?}: {returned:?}"
                );
            }
        });
    }
}

/// OPT-7: The failure in the error is that of the last attempt, with the number of attempts.
pub fn the_last_failure_has_the_number_of_attempts<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    let looping = each(0..9).limit(2).unwrap().at(backend.place());
    let failing = looping.timer(&clock).retry(again::<B>(0, 2)).try_gather(|n| calls.flaky(n));
    let error = backend.block_on(failing).unwrap_err();
    let first = error.first().unwrap();
    let index = first.index.unwrap();
    assert!(first.attempts == 3 && if B::SPAWNED { index >= 3 } else { index == 3 });
    let message = format!("body {index} failed 3 times: {index}: call 3");
    assert!(format!("{error:#}").starts_with(&message), "{error:#}");
    assert_eq!(calls.of(8), 0);
}

/// OPT-7: Only errors that `when` accepts are retried.
pub fn only_transient_errors_are_retried<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    let retry = Retry::new(again::<B>(0, 9)).when(|error: &String| !error.starts_with("2:"));
    let looping = each(0..4).unbounded().at(backend.place()).timer(&clock).retry(retry);
    let settled = backend.block_on(looping.settle(|n| calls.flaky(n)));
    let errors: Vec<_> = settled.errors().collect();
    assert_eq!(errors, [(2, &"2: call 1".to_owned())]);
    assert_eq!((0..4).map(|n| calls.of(n)).collect::<Vec<_>>(), [1, 2, 1, 4]);
}

/// OPT-7: An endless back-off stops at `at_most` attempts, or after 1000, with the last failure.
pub fn an_endless_back_off_stops_at_the_maximum_number_of_attempts<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    let endless =
        || Retry::new(ConstantBuilder::default().with_delay(Duration::ZERO).without_max_times());
    let run = |retry: Retry<Backon<ConstantBuilder>>, attempts: u32| {
        let looping = each([0, 1_000_000, 2]).limit(2).unwrap().at(backend.place());
        let settled =
            backend.block_on(looping.timer(&clock).retry(retry).settle(|n| calls.flaky(n)));
        assert!(settled[0].is_ok() && settled[1].is_failure() && settled[2].is_ok());
        assert_eq!(settled.attempts(1), attempts);
    };
    run(endless().at_most(7), 7);
    run(endless(), 1000);
    // There is always one attempt.
    let looping =
        each([5]).unbounded().at(backend.place()).timer(&clock).retry(endless().at_most(0));
    let settled = backend.block_on(looping.settle(|n| Calls::default().flaky(n)));
    assert_eq!(settled.attempts(0), 1);
}

/// OPT-7: The delays of the back-off separate the attempts.
pub fn the_back_off_spaces_the_attempts<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let looping = each(0..1).sequential().at(backend.place());
    let delays = [1, 3, 2].map(seconds::<B>).into_iter();
    let settled = backend.block_on(looping.timer(&watch.clock).retry(delays).settle(boxed(|n| {
        watch.times.write((n, watch.read()));
        job(async { Err::<u64, _>("no".to_owned()) })
    })));
    assert_eq!(settled.attempts(0), 4);
    for (started, due) in watch.logged().into_iter().zip([0, 1, 4, 6]) {
        on_time::<B>(started, seconds::<B>(due));
    }
}

/// OPT-7, law 6: A waiting retry keeps its permit, so no other body starts instead.
pub fn a_waiting_retry_keeps_its_permit<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let (calls, peak) = (Calls::default(), Peak::default());
    let looping = each(0..4).limit(2).unwrap().at(backend.place());
    let retry = again::<B>(10, 1);
    let settled = backend.block_on(looping.timer(&watch.clock).retry(retry).settle(boxed(|n| {
        watch.times.write((n, watch.read()));
        let (peak, call) = (peak.clone(), calls.count(n));
        job(async move {
            peak.during(yields(1)).await;
            if n < 2 && call == 1 { Err("once".to_owned()) } else { Ok(n) }
        })
    })));
    assert!(settled.iter().all(Outcome::is_ok) && peak.most() <= 2);
    // The first two were retried before the other two started.
    let times = watch.times.read();
    let order: Vec<_> = times.iter().map(|&(n, _)| n).collect();
    assert!(order[..2].iter().all(|&n| n < 2), "{order:?}");
    for &(n, started) in &times[2..] {
        assert!(started >= seconds::<B>(10), "{n} started at {started:?}");
    }
}

/// OPT-7, TMO-1: Each attempt has the full timeout, and an attempt that timed out is retried.
pub fn each_attempt_has_its_own_timeout<B: Backend>(backend: B) {
    let clock = backend.clock();
    let (calls, alive) = (Calls::default(), Alive::default());
    let looping = each(0..3).unbounded().at(backend.place());
    let looping = looping.timer(&clock).timeout(seconds::<B>(2)).retry(again::<B>(1, 2));
    let settled = backend.block_on(looping.settle(boxed(|n| {
        let (call, guard) = (calls.count(n), alive.guard());
        job(async move {
            let _alive = guard;
            if u64::from(call) <= n {
                std::future::pending::<()>().await;
            }
            Ok::<u64, String>(n)
        })
    })));
    // On a real clock, any body may time out.
    assert!(!B::EXACT || settled.iter().all(Outcome::is_ok));
    let attempts: Vec<_> = (0..3).map(|n| settled.attempts(n)).collect();
    assert!(attempts == [1, 2, 3] || !B::EXACT && attempts > vec![1, 2, 3], "{attempts:?}");

    let looping = each(0..2).unbounded().at(backend.place());
    let looping = looping.timer(&clock).retry(again::<B>(1, 2)).timeout(seconds::<B>(1));
    let settled = backend.block_on(looping.settle(boxed(|_| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            std::future::pending::<Result<u64, String>>().await
        })
    })));
    assert!(settled.iter().all(|outcome| matches!(outcome, Outcome::TimedOut)));
    assert_eq!((settled.attempts(0), settled.attempts(1), alive.now()), (3, 3, 0));
}

/// OPT-7: No retry starts after the time limit of `within`, and an attempt that is running then completes.
pub fn no_retry_starts_after_its_time_limit<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let retry = || Retry::new(again::<B>(2, 99)).within(seconds::<B>(5));
    let looping = each(0..2).limit(1).unwrap().at(backend.place());
    // Attempts start at 0, 2 and 4 seconds; the next one would be too late.
    let settled = backend.block_on(looping.timer(&watch.clock).retry(retry()).settle(boxed(|n| {
        watch.times.write((n, watch.read()));
        job(async { Err::<u64, _>("no".to_owned()) })
    })));
    assert!(settled.iter().all(|outcome| matches!(outcome, Outcome::Err(_))));
    if B::EXACT {
        assert_eq!((settled.attempts(0), settled.attempts(1)), (3, 3));
    }
    // An attempt that is running at the time limit completes.
    let looping = each(0..2).unbounded().at(backend.place()).timer(&watch.clock).retry(retry());
    let gathered = backend.block_on(looping.gather(boxed(|n| {
        let clock = watch.clock.clone();
        job(async move {
            clock.sleep(seconds::<B>(7)).await;
            Ok::<u64, String>(n)
        })
    })));
    assert_eq!(gathered, [Ok(0), Ok(1)]);
}

/// OPT-7: A caught panic is the outcome of its item and is not retried.
pub fn caught_panics_are_not_retried<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    let looping = each(0..3).unbounded().at(backend.place()).catch_panics();
    let settled =
        backend.block_on(looping.timer(&clock).retry(again::<B>(0, 3)).settle(boxed(|n| {
            let call = calls.count(n);
            job(async move {
                assert!(n != 1, "on purpose");
                if call == 1 { Err("once".to_owned()) } else { Ok::<u64, String>(n) }
            })
        })));
    assert!(settled[0].is_ok() && settled[2].is_ok());
    assert!(matches!(settled[1], Outcome::Panicked(_)));
    assert_eq!((0..3).map(|n| settled.attempts(n)).collect::<Vec<_>>(), [2, 1, 2]);
}

/// An observer that opens the gate when an item waits for a retry.
fn opens_for_retries(gate: &Gate) -> impl FnMut(Duration, &Event) + Send + use<> {
    let gate = gate.clone();
    move |_, event| {
        if matches!(event, Event::Retried { .. }) {
            gate.open();
        }
    }
}

/// OPT-7, law 2: If the loop stops during a back-off, the outcome of the item is its last failure.
pub fn no_failure_is_lost_when_the_loop_stops_during_a_back_off<B: Backend>(backend: B) {
    let clock = backend.clock();
    let (token, alive, waits) = (CancelToken::new(), Alive::default(), Gate::default());
    let looping = each(0..4).limit(2).unwrap().at(backend.place());
    let looping = looping.timer(&clock).retry(again::<B>(3600, 9)).cancel_on(&token);
    let looping = looping.observe(opens_for_retries(&waits));
    let settled = backend.block_on(looping.settle(boxed(|n| {
        let (token, guard, waits) = (token.clone(), alive.guard(), waits.clone());
        job(async move {
            let _alive = guard;
            if n == 1 {
                waits.passed().await;
                token.cancel();
                std::future::pending::<()>().await;
            }
            Err::<u64, _>(format!("{n} failed"))
        })
    })));
    assert_eq!(settled.interrupted().unwrap().cause, Cause::Cancelled);
    assert_eq!(settled.interrupted().unwrap().pending, [1]);
    assert_eq!(settled.len(), 2);
    assert!(matches!(&settled[0], Outcome::Err(error) if error == "0 failed"));
    assert!(matches!(settled[1], Outcome::Cancelled));
    assert_eq!((settled.attempts(0), settled.attempts(1), alive.now()), (1, 1, 0));

    // The same if the loop stops because another body has failed.
    let waits = Gate::default();
    let looping = each(0..2).unbounded().at(backend.place());
    let looping = looping
        .timer(&clock)
        .retry(Retry::new(again::<B>(3600, 9)).when(|error: &String| error == "again"))
        .observe(opens_for_retries(&waits));
    let error = backend.block_on(looping.try_gather(boxed(|n| {
        let waits = waits.clone();
        job(async move {
            if n == 0 {
                return Err("again".to_owned());
            }
            waits.passed().await;
            Err::<u64, _>("for good".to_owned())
        })
    })));
    let Err(LoopError::Failed { failures, .. }) = error else { panic!("{error:?}") };
    let mut reported: Vec<_> =
        failures.into_iter().map(|failure| (failure.index, failure.error)).collect();
    reported.sort();
    let expected = [(Some(0), "again".to_owned()), (Some(1), "for good".to_owned())];
    assert!(reported == expected, "{reported:?}");
}

/// OPT-7, CAN-1: A loop that is dropped during a back-off drops the items that it kept for retries.
pub fn a_loop_dropped_during_a_back_off_drops_its_items<B: Backend>(backend: B) {
    let clock = backend.clock();
    let alive = Alive::default();
    let calls = Log::default();
    let items: Vec<_> = (0..3).map(|n| (n, Arc::new(alive.guard()))).collect();
    let looping = each(items).unbounded().at(backend.place());
    let looping = looping.timer(&clock).retry(again::<B>(3600, 9)).settle(boxed(|(n, guard)| {
        calls.write(n);
        job(async move {
            let _alive = guard;
            Err::<u64, _>("no".to_owned())
        })
    }));
    backend.block_on(async {
        let mut looping = Box::pin(looping);
        while calls.read().len() < 3 || alive.now() < 3 {
            assert!(futures_lite::future::poll_once(&mut looping).await.is_none());
            yields(1).await;
        }
        for _ in 0..20 {
            assert!(futures_lite::future::poll_once(&mut looping).await.is_none());
            yields(1).await;
        }
        drop(looping);
        while alive.now() > 0 {
            clock.sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(calls.read().len(), 3);
}

/// OPT-7, TMO-1: The timeout of a completed attempt does not stop the next attempt, even if it reuses the slot.
pub fn a_retry_is_not_stopped_by_the_timeout_of_the_previous_attempt<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    let looping = each(0..2).unbounded().at(backend.place());
    let looping = looping.timer(&clock).timeout(seconds::<B>(10)).retry(again::<B>(1, 1));
    let settled = backend.block_on(looping.settle(boxed(|n| {
        let (clock, call) = (clock.clone(), calls.count(n));
        job(async move {
            let takes = match (n, call) {
                (0, _) => 9,
                (_, 1) => 5,
                // Completes at 5 + 1 + 8 seconds, later than the timeout of the first attempt.
                _ => 8,
            };
            clock.sleep(seconds::<B>(takes)).await;
            if (n, call) == (1, 1) { Err("once".to_owned()) } else { Ok(n) }
        })
    })));
    // On a real clock, any body may time out.
    assert!(!B::EXACT || settled.iter().all(Outcome::is_ok), "{settled:?}");
    assert!(!B::EXACT || settled.attempts(1) == 2);
}

/// OPT-1, OPT-7: No retry starts after the time limit of `within` if a rate delays it for longer than the back-off.
pub fn no_retry_that_a_rate_delays_starts_after_its_time_limit<B: Backend>(backend: B) {
    let clock = backend.clock();
    let calls = Calls::default();
    let rate = forloop_core::Rate::new(1, seconds::<B>(10)).unwrap();
    let retry = Retry::new(again::<B>(1, 3)).within(seconds::<B>(5));
    let looping = each(0..2).unbounded().at(backend.place()).timer(&clock).rate(rate).retry(retry);
    let settled = backend.block_on(looping.settle(boxed(|n| {
        let call = calls.count(n);
        job(async move { if n == 0 { Err(format!("call {call}")) } else { Ok(n) } })
    })));
    assert!(matches!(&settled[0], Outcome::Err(error) if error == "call 1"));
    assert_eq!((settled.attempts(0), calls.of(0), settled[1].is_ok()), (1, 1, true));
    // It fails when it is too late for it, and not when the rate would permit it.
    let start = clock.now();
    let rate = forloop_core::Rate::new(1, LONG).unwrap();
    let retry = Retry::new(again::<B>(1, 3)).within(seconds::<B>(5));
    let looping = each(0..1).unbounded().at(backend.place()).timer(&clock).rate(rate);
    let looping = looping.retry(retry);
    let settled = backend
        .block_on(looping.settle(boxed(|_| job(async { Err::<u64, _>("failed".to_owned()) }))));
    assert_eq!((settled.attempts(0), settled[0].is_ok()), (1, false));
    let took = clock.now() - start;
    assert!(took < if B::EXACT { seconds::<B>(6) } else { LONG }, "{took:?}");
}

/// OPT-7: A time-out is an attempt that failed, and whether it is retried is set apart from errors.
pub fn a_time_out_is_retried_unless_the_loop_says_otherwise<B: Backend>(backend: B) {
    let clock = backend.clock();
    for is_retried in [true, false] {
        let looping = each([0, 1]).unbounded().at(backend.place()).timer(&clock);
        let again = ConstantBuilder::default().with_delay(seconds::<B>(1)).with_max_times(2);
        let retry = Retry::new(again).when(|error: &String| error == "busy");
        let looping = looping.timeout(seconds::<B>(1)).retry(retry.when_timed_out(is_retried));
        let settled = backend.block_on(looping.settle(boxed(|n| {
            job(async move {
                if n == 0 {
                    std::future::pending::<()>().await;
                }
                Err::<u64, _>("gone".to_owned())
            })
        })));
        // On a real clock, any body may time out.
        let attempts = if is_retried { 3 } else { 1 };
        assert_eq!(settled.attempts(0), attempts);
        assert!(settled.attempts(1) == 1 || !B::EXACT, "{settled:?}");
    }
}

/// OPT-7: The delay before an attempt may follow the error, within the number and the time of the attempts.
pub fn the_delay_of_a_retry_may_follow_the_error<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    // The server says how long to wait: 4 seconds at first, and nothing later.
    let again = || ConstantBuilder::default().with_delay(seconds::<B>(1)).with_max_times(2);
    let said = |error: &String| error.parse().ok().map(seconds::<B>);
    let retry = Retry::new(again()).adjust(move |error, delay| said(error).unwrap_or(delay));
    let looping = each(0..1).sequential().at(backend.place()).timer(&watch.clock).retry(retry);
    let settled = backend.block_on(looping.settle(boxed(|n| {
        watch.times.write((n, watch.read()));
        let error = if watch.times.read().len() == 1 { "4" } else { "busy" };
        job(async move { Err::<u64, _>(error.to_owned()) })
    })));
    assert_eq!(settled.attempts(0), 3);
    for (started, due) in watch.logged().into_iter().zip([0, 4, 5]) {
        on_time::<B>(started, seconds::<B>(due));
    }
    // A delay that ends after the time limit is not waited for.
    let retry = Retry::new(again()).within(seconds::<B>(60));
    let retry =
        retry.adjust(|error: &String, delay| delay.max(error.parse().map(seconds::<B>).unwrap()));
    let looping = each(0..1).sequential().at(backend.place()).timer(&watch.clock).retry(retry);
    let begin = watch.read();
    let settled = backend
        .block_on(looping.settle(boxed(|_| job(async { Err::<u64, _>("3600".to_owned()) }))));
    assert_eq!(settled.attempts(0), 1);
    on_time::<B>(watch.read() - begin, Duration::ZERO);
}
