//! Closures that are called with each failure and its item.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::types::FailedAttempt;
use forloop_core::{CancelToken, OutcomeKind, each};

use crate::{Backend, Gate, Log, boxed, job, seconds, yields};

/// A failure as a law compares it: the item, and how the attempt prints.
type Logged = (u64, String);

/// A closure for `on_failure` that logs what it is called with.
fn logs(log: &Log<Logged>) -> impl FnMut(&u64, FailedAttempt<'_, String>) + Send + Clone + use<> {
    let log = log.clone();
    move |item, failure| log.write((*item, failure.to_string()))
}

/// OPT-12: Each failure is passed on once with its item, while the other bodies run.
pub fn each_failure_is_passed_on_with_its_item_while_the_loop_runs<B: Backend>(backend: B) {
    let clock = backend.clock();
    let (log, failures) = (Log::default(), Gate::default());
    let looping = each(10..15).unbounded().at(backend.place());
    let (mut write, opens) = (logs(&log), failures.clone());
    let looping = looping.catch_panics().timer(&clock).timeout(seconds::<B>(40)).on_failure(
        move |item: &u64, failure: FailedAttempt<'_, String>| {
            let kind = failure.kind();
            assert_eq!(failure.error().is_some(), kind == OutcomeKind::Failed);
            assert_eq!(failure.panic().is_some(), kind == OutcomeKind::Panicked);
            assert_eq!((failure.index as u64 + 10, failure.retry_after), (*item, None));
            if *item == 12 {
                opens.open();
            }
            write(item, failure);
        },
    );
    let settled = backend.block_on(looping.settle(boxed(|n| {
        let failures = failures.clone();
        job(async move {
            match n {
                // It completes because the loop passes the failure on while this body runs.
                10 => failures.passed().await,
                11 => std::future::pending().await,
                12 => return Err("no".to_owned()),
                13 => panic!("on purpose"),
                _ => {}
            }
            Ok(n)
        })
    })));
    let mut logged = log.read();
    logged.sort();
    assert!(logged.contains(&(11, "timed out".to_owned())), "{logged:?}");
    let failures = settled.iter().enumerate().filter(|(_, outcome)| outcome.is_failure());
    let failures = failures.map(|(index, outcome)| (index as u64 + 10, outcome.to_string()));
    assert_eq!(logged, failures.collect::<Vec<_>>());
    // On a real clock, any body may time out.
    assert!(!B::EXACT || logged.len() == 3, "{logged:?}");
}

/// OPT-7, OPT-12: Each attempt that has failed is passed on with the delay before the next one, in order.
pub fn each_failed_attempt_is_passed_on_with_its_delay<B: Backend>(backend: B) {
    let clock = backend.clock();
    let log = Log::default();
    let looping = each([7, 8]).limit(2).unwrap().at(backend.place());
    let delays = [1, 2].map(seconds::<B>);
    let looping = looping.timer(&clock).retry(delays.into_iter()).on_failure(logs(&log));
    let settled = backend.block_on(looping.settle(boxed(|n| {
        job(async move {
            yields(1).await;
            if n == 7 { Err("busy".to_owned()) } else { Ok(n) }
        })
    })));
    let [first, second] = delays;
    let expected = [
        (7, format!("failed: busy (attempt 1, retry in {first:?})")),
        (7, format!("failed: busy (attempt 2, retry in {second:?})")),
        (7, "failed: busy (attempt 3)".to_owned()),
    ];
    assert_eq!(log.read(), expected);
    assert_eq!((settled.attempts(0), settled.attempts(1)), (3, 1));
}

/// OPT-7, OPT-12, law 2: If the loop stops before the next attempt, the failure is passed on again, as the outcome.
pub fn a_failure_without_a_next_attempt_is_passed_on_as_the_outcome<B: Backend>(backend: B) {
    let clock = backend.clock();
    for drains in [false, true] {
        let (token, log) = (CancelToken::new(), Log::default());
        let mut write = logs(&log);
        let stop = token.clone();
        let looping = each([5, 6]).limit(2).unwrap().at(backend.place());
        let hour = ConstantBuilder::default().with_delay(Duration::from_secs(3600));
        let looping = looping.timer(&clock).retry(hour).on_failure(
            move |item: &u64, failure: FailedAttempt<'_, String>| {
                if failure.retry_after.is_some() {
                    stop.cancel();
                }
                write(item, failure);
            },
        );
        let body = boxed(|n| {
            let token = token.clone();
            job(async move {
                if n == 5 {
                    return Err("no".to_owned());
                }
                token.cancelled().await;
                Ok(n)
            })
        });
        let settled = backend.block_on(async {
            if drains {
                looping.drain_on(&token).settle(body).await
            } else {
                looping.cancel_on(&token).settle(body).await
            }
        });
        assert!(settled[0].is_failure(), "{settled:?}");
        let expected = ["failed: no (attempt 1, retry in 3600s)", "failed: no"];
        assert_eq!(log.read(), expected.map(|text| (5, text.to_owned())), "{settled:?}");
    }
}

/// OPT-12, PAN-1: A panic that is not caught is passed on with its item, and then propagates.
pub fn a_panic_is_passed_on_with_its_item_before_it_propagates<B: Backend>(backend: B) {
    let log = Log::default();
    let looping = each([3, 4]).limit(1).unwrap().at(backend.place()).on_failure(logs(&log));
    let panics = looping.settle(boxed(|n| {
        job(async move { if n == 3 { panic!("on purpose") } else { Ok::<u64, String>(n) } })
    }));
    let panicked = catch_unwind(AssertUnwindSafe(|| backend.block_on(panics)));
    let payload = panicked.expect_err("the panic propagates");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!(log.read(), [(3, "panicked: on purpose".to_owned())]);
    // A panic of the closure stops the loop.
    let looping = each([3, 4]).limit(1).unwrap().at(backend.place());
    let looping =
        looping.on_failure(|_: &u64, _: FailedAttempt<'_, String>| panic!("of the closure"));
    let panics = looping.settle(boxed(|_| job(async move { Err::<u64, _>("no".to_owned()) })));
    let panicked = catch_unwind(AssertUnwindSafe(|| backend.block_on(panics)));
    let payload = panicked.expect_err("the panic propagates");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"of the closure"));
}
