//! Loops that are drained, stopped by a condition, and observed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{CancelToken, Cause, Event, LoopError, Outcome, OutcomeKind, each, each_stream};

use crate::{Alive, Backend, Gate, Job, Log, boxed, job, seconds, yields};

/// OPT-10: After `drain_on` has fired, the running bodies complete and no other body starts.
pub fn draining_completes_the_running_bodies_and_starts_no_other<B: Backend>(backend: B) {
    let (token, gate, alive, called) =
        (CancelToken::new(), Gate::default(), Alive::default(), Log::default());
    let looping = || each(0..).limit(3).unwrap().at(backend.place()).drain_on(&token);
    let body = |n: u64| {
        called.write(n);
        let (token, gate, guard) = (token.clone(), gate.clone(), alive.guard());
        job(async move {
            let _alive = guard;
            if n == 2 {
                token.cancel();
                yields(9).await;
                gate.open();
            }
            gate.passed().await;
            n
        })
    };
    let interrupted = backend.block_on(looping().gather(body)).unwrap_err();
    assert_eq!(interrupted.cause, Cause::Drained);
    assert!(interrupted.pending.is_empty());
    let ready: Vec<_> =
        interrupted.ready.into_iter().map(|outcome| outcome.ok().unwrap()).collect();
    assert_eq!(ready, called.read());
    assert!(ready.len() >= 3 && alive.now() == 0);
    // Drained before it starts: no item is pulled.
    called.write(100);
    let before = called.read().len();
    let interrupted = backend.block_on(looping().gather(body)).unwrap_err();
    assert_eq!((interrupted.cause, called.read().len()), (Cause::Drained, before));
    // No item was left: the loop is not interrupted.
    let whole = each(0..3).unbounded().at(backend.place());
    let late = CancelToken::new();
    let whole = whole.drain_on(&late).gather(boxed(|n| {
        let late = late.clone();
        job(async move {
            if n == 2 {
                late.cancel();
            }
            yields(3).await;
            n
        })
    }));
    assert!(backend.block_on(whole).is_ok());
}

/// OPT-10, law 5: A loop that waits for its source, with no body running, returns when it is drained.
pub fn a_loop_that_waits_for_its_source_can_be_drained<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let drain = token.clone();
    // Drained during the last poll of the source.
    let source = futures_lite::stream::poll_fn(move |_cx| {
        drain.cancel();
        std::task::Poll::<Option<u64>>::Pending
    });
    let looping = each_stream(source).limit(2).unwrap().at(backend.place()).drain_on(&token);
    let interrupted =
        backend.block_on(looping.gather(boxed(|n| job(async move { n })))).unwrap_err();
    assert_eq!((interrupted.cause, interrupted.ready.len()), (Cause::Drained, 0));
}

/// OPT-7, law 1: Items that panic when they are dropped, kept for a retry or never started, do not hang the loop.
pub fn items_that_panic_when_dropped_do_not_hang_the_loop<B: Backend>(backend: B) {
    struct Item(u64);

    impl Clone for Item {
        fn clone(&self) -> Self {
            Self(self.0 + 1)
        }
    }

    impl Drop for Item {
        fn drop(&mut self) {
            // Clones and items that never start panic; the body's own item does not.
            assert!(self.0 == 0 || std::thread::panicking(), "on purpose");
        }
    }

    let clock = backend.clock();
    let alive = Alive::default();
    let again = ConstantBuilder::default().with_delay(Duration::ZERO);
    let items = (0..3).map(|_| Item(0));
    let looping = each(items).unbounded().at(backend.place()).timer(&clock).retry(again);
    let looping = looping.settle(boxed(|mut item: Item| {
        item.0 = 0;
        drop(item);
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            yields(3).await;
            Ok::<u64, String>(0)
        })
    }));
    let caught = catch_unwind(AssertUnwindSafe(|| backend.block_on(looping)));
    assert!(caught.is_err() && alive.now() == 0);
}

/// OPT-10: A second signal cancels the bodies that a draining loop waits for.
pub fn a_draining_loop_can_be_cancelled<B: Backend>(backend: B) {
    let (first, second, alive) = (CancelToken::new(), CancelToken::new(), Alive::default());
    // A task that is cancelled before its first poll has not run.
    let has_started = Gate::default();
    let looping = each(0..).limit(2).unwrap().at(backend.place());
    let looping = looping.drain_on(&first).cancel_on(&second);
    let settled = backend.block_on(looping.settle(boxed(|n: u64| {
        let (first, second, guard) = (first.clone(), second.clone(), alive.guard());
        let has_started = has_started.clone();
        job(async move {
            let _alive = guard;
            if n == 0 {
                has_started.open();
            }
            if n == 1 {
                has_started.passed().await;
                first.cancel();
                yields(9).await;
                second.cancel();
            }
            std::future::pending::<Result<u64, String>>().await
        })
    })));
    let interrupted = settled.interrupted().unwrap();
    assert_eq!((&interrupted.cause, &interrupted.pending[..]), (&Cause::Cancelled, &[0, 1][..]));
    assert!(settled.iter().all(|outcome| matches!(outcome, Outcome::Cancelled)));
    assert_eq!((settled.len(), alive.now()), (2, 0));
}

/// OPT-10: When a loop is drained, queued items have not run, and items that wait for a retry have failed.
pub fn draining_reports_queued_items_as_not_run_and_waiting_retries_as_failed<B: Backend>(
    backend: B,
) {
    let clock = backend.clock();
    let token = CancelToken::new();
    let looping = each([0, 1, 1, 1]).limit(4).unwrap().at(backend.place());
    let again = ConstantBuilder::default().with_delay(seconds::<B>(3600));
    let looping =
        looping.limit_by(|n: &u64| *n, 1).unwrap().timer(&clock).retry(again).drain_on(&token);
    let settled = backend.block_on(looping.settle(boxed(|n| {
        let token = token.clone();
        job(async move {
            if n == 1 {
                yields(20).await;
                token.cancel();
                yields(5).await;
                return Ok(n);
            }
            Err("for now".to_owned())
        })
    })));
    assert_eq!(settled.interrupted().unwrap().cause, Cause::Drained);
    let outcomes: Vec<_> = settled
        .iter()
        .map(|outcome| match outcome {
            Outcome::Ok(_) => "ok",
            Outcome::Err(_) => "failed",
            Outcome::NotRun => "not run",
            other => panic!("{other:?}"),
        })
        .collect();
    // A task may drain its loop before the loop has pulled the last items.
    let pulled = if B::SPAWNED { outcomes.len().max(2) } else { 4 };
    assert_eq!(outcomes, ["failed", "ok", "not run", "not run"][..pulled]);
    assert_eq!((0..4).map(|n| settled.attempts(n)).collect::<Vec<_>>(), [1, 1, 0, 0]);
}

/// OPT-10: The failure of an item that backs off when the loop is drained, or that would be retried, stops no body
/// that runs.
pub fn draining_beside_a_back_off_lets_the_running_bodies_complete<B: Backend>(backend: B) {
    let (clock, completed) = (backend.clock(), Log::default());
    for fails_while_draining in [false, true] {
        let (token, backs_off) = (CancelToken::new(), Gate::default());
        let (all_run, drained) = (Gate::default(), Gate::default());
        let again = ConstantBuilder::default().with_delay(seconds::<B>(3600));
        let looping = || {
            let gate = backs_off.clone();
            let looping = each([0, 1, 2, 3, 3]).limit(5).unwrap().at(backend.place());
            let looping = looping.limit_by(|n: &u64| *n, 1).unwrap().timer(&clock).retry(again);
            looping.drain_on(&token).observe(move |_, event: &Event| {
                if matches!(event, Event::Retried { index: 0, .. }) {
                    gate.open();
                }
            })
        };
        let body = |n: u64| {
            let (token, backs_off, drained) = (token.clone(), backs_off.clone(), drained.clone());
            let (completed, all_run) = (completed.clone(), all_run.clone());
            job(async move {
                match n {
                    0 => return Err("for now".to_owned()),
                    1 => {
                        backs_off.passed().await;
                        all_run.passed().await;
                        token.cancel();
                        yields(20).await;
                        drained.open();
                        if fails_while_draining {
                            return Err("while draining".to_owned());
                        }
                    }
                    _ => {
                        if n == 3 {
                            all_run.open();
                        }
                        drained.passed().await;
                    }
                }
                yields(20).await;
                completed.write(n);
                Ok(())
            })
        };
        let done = if fails_while_draining { [2, 3].to_vec() } else { [1, 2, 3].to_vec() };
        let failed = if fails_while_draining { [0, 1].to_vec() } else { [0].to_vec() };
        let check = |error: LoopError<String>| {
            let mut completed = completed.take();
            completed.sort_unstable();
            assert_eq!(completed, done);
            let failures = error.failures().iter().map(|failure| failure.index.unwrap());
            let mut failures: Vec<_> = failures.collect();
            failures.sort_unstable();
            assert_eq!((failures, error.cause()), (failed.clone(), Some(Cause::Drained)));
        };
        check(backend.block_on(looping().try_gather(body)).unwrap_err());
    }
}

/// A body that fails if `n` is odd, and takes longer the greater `n` is.
fn odd_ones_fail(alive: &Alive, n: u64) -> Job<Result<u64, String>> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        yields(n as usize).await;
        if n % 2 == 1 { Err(format!("{n} is odd")) } else { Ok(n) }
    })
}

/// OPT-2: `stop_on_counts` stops the loop when its condition is met, and marks the items that have not run.
pub fn stop_on_counts_stops_the_loop_when_its_condition_is_met<B: Backend>(backend: B) {
    let alive = Alive::default();
    let body = |n| odd_ones_fail(&alive, n);
    let looping = |limit: usize| each(0..10).limit(limit).unwrap().at(backend.place());
    // After the second failure.
    let failing = looping(1).stop_on_counts(|counts| counts.failed() == 2).settle(body);
    let settled = backend.block_on(failing);
    assert_eq!(settled.interrupted().unwrap().cause, Cause::ConditionMet);
    let settled = settled.pad_to(10);
    let ran = settled.iter().filter(|outcome| !matches!(outcome, Outcome::NotRun)).count();
    assert_eq!((ran, settled.len(), settled.errors().count()), (4, 10, 2));
    // After the third success, while others run.
    for limit in [2, 4, 64] {
        let three = looping(limit).stop_on_counts(|counts| counts.succeeded() == 3).settle(body);
        let settled = backend.block_on(three);
        // Tasks may all have completed by then.
        match settled.interrupted() {
            Some(interrupted) => assert_eq!(interrupted.cause, Cause::ConditionMet),
            None => assert!(B::SPAWNED && settled.len() == 10),
        }
        assert!(settled.iter().filter(|outcome| outcome.is_ok()).count() >= 3);
        assert_eq!(alive.now(), 0);
    }
    // The condition is met by the last item: the loop is not interrupted.
    let all = looping(3).stop_on_counts(|counts| counts.completed() == 10).settle(body);
    assert!(backend.block_on(all).interrupted().is_none());
    // No body has failed, but not all items have run.
    let three = each(0..10).sequential().at(backend.place());
    let three = three.stop_on_counts(|counts| counts.last().is_some_and(|(index, _)| index == 2));
    let error =
        backend.block_on(three.try_gather(boxed(|n| job(async move { Ok::<u64, String>(n) }))));
    assert_eq!(error, Err(LoopError::ConditionMet));
}

/// OPT-2: `stop_on_output` sees the output of each item once and stops the loop at the first match.
pub fn stop_on_output_stops_the_loop_at_a_matching_output<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), backend.clock());
    let body = |n| odd_ones_fail(&alive, n);
    let looping = |limit: usize| each(0..10).limit(limit).unwrap().at(backend.place());
    // One after another: no item is pulled after the match, and the match has its outcome.
    let shown = Log::default();
    let settled = looping(1).stop_on_output(|index, output: &Result<u64, String>| {
        shown.write(index);
        output.as_ref().is_err_and(|error| error.starts_with('3'))
    });
    let settled = backend.block_on(settled.settle(body));
    assert_eq!(settled.interrupted().unwrap().cause, Cause::ConditionMet);
    assert_eq!((settled.len(), settled.errors().count(), shown.read()), (4, 2, vec![0, 1, 2, 3]));
    // While others run: each output is shown once, and none after the match.
    for limit in [2, 4, 64] {
        let shown = Log::default();
        let sought = looping(limit).stop_on_output(|index, output: &Result<u64, String>| {
            shown.write(index);
            *output == Ok(4)
        });
        let settled = backend.block_on(sought.settle(body));
        assert!(matches!(settled[4], Outcome::Ok(4)) && alive.now() == 0);
        let shown = shown.read();
        assert!(shown.ends_with(&[4]), "{shown:?}");
        let mut once = shown.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), shown.len());
    }
    // Of a body that is retried, only the last output is shown.
    let shown = Log::default();
    let again = ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(2);
    let again = looping(3).timer(&clock).retry(again).stop_on_output(
        |index, output: &Result<u64, String>| {
            shown.write((index, output.is_ok()));
            false
        },
    );
    assert!(backend.block_on(again.settle(body)).interrupted().is_none());
    let mut shown = shown.read();
    shown.sort_unstable();
    assert_eq!(shown, (0..10).map(|n| (n, n % 2 == 0)).collect::<Vec<_>>());
    // The match is the last item: the loop is not interrupted.
    let last = looping(1).stop_on_output(|_, output: &u64| *output == 9);
    assert!(backend.block_on(last.gather(boxed(|n| job(async move { n })))).is_ok());
}

/// OPT-2, law 1: A panic of the predicate propagates after the bodies have stopped.
pub fn a_predicates_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..9).limit(4).unwrap().at(backend.place());
    let looping = looping.stop_on_output(|_, _: &u64| panic!("on purpose"));
    let looping = looping.gather(boxed(|n| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            if n != 2 {
                std::future::pending::<()>().await;
            }
            n
        })
    }));
    let caught = catch_unwind(AssertUnwindSafe(|| backend.block_on(looping)));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(alive.now(), 0);
}

/// OPT-2, OPT-10: A condition that was met is not checked again, and a drained loop reports that it was drained.
pub fn a_met_condition_is_not_checked_again_and_a_drained_loop_reports_its_cause<B: Backend>(
    backend: B,
) {
    let (checked, clock) = (Log::default(), backend.clock());
    let again = ConstantBuilder::default().with_delay(seconds::<B>(3600));
    let looping = each(0..4).unbounded().at(backend.place()).timer(&clock).retry(again);
    let checks = checked.clone();
    let looping = looping.stop_on_counts(move |counts| {
        checks.write(counts.completed() as u64);
        counts.completed() == 1
    });
    let settled = backend.block_on(looping.settle(boxed(|n| {
        job(async move {
            // The others wait for a retry by then, or are stopped.
            yields(20 * usize::from(n == 3)).await;
            if n == 3 { Ok(n) } else { Err("again".to_owned()) }
        })
    })));
    assert_eq!((checked.read(), settled.len()), (vec![1], 4));

    // The body fails after the loop was drained, and would have been retried.
    let token = CancelToken::new();
    let looping = each(0..1).unbounded().at(backend.place()).timer(&clock).retry(again);
    let settled = backend.block_on(looping.drain_on(&token).settle(boxed(|_| {
        let token = token.clone();
        job(async move {
            token.cancel();
            yields(5).await;
            Err::<u64, _>("no".to_owned())
        })
    })));
    assert_eq!(
        settled.interrupted().map(|interrupted| interrupted.cause.clone()),
        Some(Cause::Drained)
    );
}

/// OPT-11: Observers receive the events of each item in order: received, each attempt, one outcome.
pub fn observers_receive_the_events_of_each_item_in_order<B: Backend>(backend: B) {
    let clock = backend.clock();
    let events = Log::<(Duration, Event)>::default();
    let looping = each([0, 1, 2, 3]).limit(2).unwrap().at(backend.place());
    let again = ConstantBuilder::default().with_delay(seconds::<B>(1)).with_max_times(1);
    let received = events.clone();
    let looping = looping
        .timer(&clock)
        .timeout(seconds::<B>(3))
        .retry(again)
        .observe(move |at, event: &Event| received.write((at, event.clone())));
    let settled = backend.block_on(looping.settle(boxed(|n: u64| {
        job(async move {
            match n {
                0 => Ok(n),
                1 => Err("no".to_owned()),
                2 => std::future::pending().await,
                _ => Ok(n),
            }
        })
    })));
    let events = events.read();
    assert!(events.windows(2).all(|pair| pair[0].0 <= pair[1].0), "the times are in order");
    assert!(matches!(events[0].1, Event::LoopStarted { lower: 4, upper: Some(4), .. }));
    let of = |item: usize| -> Vec<String> {
        let of_item = events.iter().filter(|(_, event)| event.index() == Some(item));
        let shown = of_item.map(|(_, event)| match event {
            Event::Received { .. } => "received".to_owned(),
            Event::Started { attempt, .. } => format!("started {attempt}"),
            Event::Retried { attempt, .. } => format!("retried {attempt}"),
            Event::Completed { attempts, kind, .. } => format!("{kind:?} {attempts}"),
            other => panic!("{other:?}"),
        });
        shown.collect()
    };
    let once = |outcome| vec!["received", "started 1", outcome];
    let twice = |outcome| vec!["received", "started 1", "retried 1", "started 2", outcome];
    assert_eq!(of(2), twice("TimedOut 2"));
    // On a real clock, any body may time out.
    let may_be = [once("Ok 1"), twice("Ok 2"), twice("TimedOut 2")];
    let done = &may_be[..if B::EXACT { 1 } else { 3 }];
    assert!([0, 3].into_iter().all(|n| done.iter().any(|done| of(n) == *done)), "{events:?}");
    assert!(of(1) == twice("Failed 2") || !B::EXACT && of(1) == twice("TimedOut 2"), "{events:?}");
    assert_eq!(settled.len(), 4);
}

/// OPT-11: Observers receive an outcome for items that were stopped and for items that never started.
pub fn observers_receive_the_outcomes_of_stopped_and_unstarted_items<B: Backend>(backend: B) {
    let clock = backend.clock();
    let events = Log::<Event>::default();
    let (received, token, first_runs) = (events.clone(), CancelToken::new(), Gate::default());
    let looping = each([0, 1, 1]).limit(3).unwrap().at(backend.place());
    let looping = looping
        .limit_by(|n: &u64| *n, 1)
        .unwrap()
        .timer(&clock)
        .observe(move |_, event: &Event| received.write(event.clone()))
        .cancel_on(&token);
    let interrupted = backend.block_on(looping.gather(boxed(|n| {
        let (token, first_runs) = (token.clone(), first_runs.clone());
        job(async move {
            if n == 1 {
                first_runs.passed().await;
                yields(9).await;
                token.cancel();
            }
            first_runs.open();
            std::future::pending::<u64>().await
        })
    })));
    assert_eq!(interrupted.unwrap_err().pending, [0, 1]);
    let mut outcomes: Vec<_> = events
        .read()
        .into_iter()
        .filter_map(|event| match event {
            Event::Completed { index, attempts, kind, .. } => Some((index, attempts, kind)),
            _ => None,
        })
        .collect();
    outcomes.sort_by_key(|&(index, ..)| index);
    let expected = [
        (0, 1, OutcomeKind::Cancelled),
        (1, 1, OutcomeKind::Cancelled),
        (2, 0, OutcomeKind::NotRun),
    ];
    // A task may cancel its loop before the loop has pulled the last items.
    let pulled = if B::SPAWNED { outcomes.len().max(2) } else { 3 };
    assert_eq!(outcomes, expected[..pulled]);
}
