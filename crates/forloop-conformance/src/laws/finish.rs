//! Loops that are asked to finish, that have seen enough, and that are watched.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{CancelToken, Cause, Event, LoopError, Outcome, OutcomeKind, each, each_stream};

use crate::{Alive, Backend, Gate, Job, Tally, job, seconds, yields};

/// OPT-10
pub fn what_runs_is_finished_and_nothing_new_begins<B: Backend>(backend: B) {
    let (token, gate, alive, called) =
        (CancelToken::new(), Gate::default(), Alive::default(), Tally::default());
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
    // Asked before it began: nothing is pulled.
    called.write(100);
    let before = called.read().len();
    let interrupted = backend.block_on(looping().gather(body)).unwrap_err();
    assert_eq!((interrupted.cause, called.read().len()), (Cause::Drained, before));
    // Nothing was left to begin: nothing was cut short.
    let whole = each(0..3).unbounded().at(backend.place());
    let late = CancelToken::new();
    let whole = whole.drain_on(&late).gather(|n| {
        let late = late.clone();
        job(async move {
            if n == 2 {
                late.cancel();
            }
            yields(3).await;
            n
        })
    });
    assert!(backend.block_on(whole).is_ok());
}

/// OPT-10, law 5: also where nothing runs and the source waits.
pub fn a_loop_that_waits_for_its_source_finishes_when_it_is_asked_to<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let asked = token.clone();
    // Asked amid the last look at the source.
    let source = futures_lite::stream::poll_fn(move |_cx| {
        asked.cancel();
        std::task::Poll::<Option<u64>>::Pending
    });
    let looping = each_stream(source).limit(2).unwrap().at(backend.place()).drain_on(&token);
    let interrupted = backend.block_on(looping.gather(|n| job(async move { n }))).unwrap_err();
    assert_eq!((interrupted.cause, interrupted.ready.len()), (Cause::Drained, 0));
}

/// OPT-7, law 1: what is kept for another attempt, or never begins, may panic when it is dropped.
pub fn items_whose_destructors_panic_do_not_keep_a_loop_from_its_end<B: Backend>(backend: B) {
    struct Item(u64);

    impl Clone for Item {
        fn clone(&self) -> Self {
            Self(self.0 + 1)
        }
    }

    impl Drop for Item {
        fn drop(&mut self) {
            // Of copies and of those that never begin; the body's own goes in peace.
            assert!(self.0 == 0 || std::thread::panicking(), "on purpose");
        }
    }

    let clock = backend.clock();
    let alive = Alive::default();
    let again = ConstantBuilder::default().with_delay(Duration::ZERO);
    let items = (0..3).map(|_| Item(0));
    let looping = each(items).unbounded().at(backend.place()).retry(&clock, again);
    let looping = looping.settle(|mut item| {
        item.0 = 0;
        drop(item);
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            yields(3).await;
            Ok::<u64, String>(0)
        })
    });
    let ended = catch_unwind(AssertUnwindSafe(|| backend.block_on(looping)));
    assert!(ended.is_err() && alive.now() == 0);
}

/// OPT-10: a second signal stops what the first let finish.
pub fn a_loop_that_finishes_can_still_be_cancelled<B: Backend>(backend: B) {
    let (first, second, alive) = (CancelToken::new(), CancelToken::new(), Alive::default());
    let looping = each(0..).limit(2).unwrap().at(backend.place());
    let looping = looping.drain_on(&first).cancel_on(&second);
    let settled = backend.block_on(looping.settle(|n: u64| {
        let (first, second, guard) = (first.clone(), second.clone(), alive.guard());
        job(async move {
            let _alive = guard;
            if n == 1 {
                first.cancel();
                yields(9).await;
                second.cancel();
            }
            std::future::pending::<Result<u64, String>>().await
        })
    }));
    let interrupted = settled.interrupted().unwrap();
    assert_eq!((&interrupted.cause, &interrupted.pending[..]), (&Cause::Cancelled, &[0, 1][..]));
    assert!(settled.iter().all(|outcome| matches!(outcome, Outcome::Cancelled)));
    assert_eq!((settled.len(), alive.now()), (2, 0));
}

/// OPT-10: those that wait for their turn are not run, and those that wait for another attempt have failed.
pub fn items_that_wait_have_their_ends_when_a_loop_is_asked_to_finish<B: Backend>(backend: B) {
    let clock = backend.clock();
    let token = CancelToken::new();
    let looping = each([0, 1, 1, 1]).limit(4).unwrap().at(backend.place());
    let again = ConstantBuilder::default().with_delay(seconds::<B>(3600));
    let looping = looping.limit_by(|n: &u64| *n, 1).unwrap().retry(&clock, again).drain_on(&token);
    let settled = backend.block_on(looping.settle(|n| {
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
    }));
    assert_eq!(settled.interrupted().unwrap().cause, Cause::Drained);
    let told: Vec<_> = settled
        .iter()
        .map(|outcome| match outcome {
            Outcome::Ok(_) => "ok",
            Outcome::Err(_) => "failed",
            Outcome::NotRun => "not run",
            other => panic!("{other:?}"),
        })
        .collect();
    // A task may ask its loop to finish before that has pulled the last.
    let pulled = if B::SPAWNED { told.len().max(2) } else { 4 };
    assert_eq!(told, ["failed", "ok", "not run", "not run"][..pulled]);
    assert_eq!((0..4).map(|n| settled.attempts(n)).collect::<Vec<_>>(), [1, 1, 0, 0]);
}

/// A body that fails if `n` is odd, the later the greater it is.
fn odd_ones_fail(alive: &Alive, n: u64) -> Job<Result<u64, String>> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        yields(n as usize).await;
        if n % 2 == 1 { Err(format!("{n} is odd")) } else { Ok(n) }
    })
}

/// OPT-2
pub fn a_loop_stops_when_it_has_seen_enough<B: Backend>(backend: B) {
    let alive = Alive::default();
    let body = |n| odd_ones_fail(&alive, n);
    let looping = |limit: usize| each(0..10).limit(limit).unwrap().at(backend.place());
    // After the second failure.
    let failing = looping(1).stop_on_counts(|tally| tally.failed() == 2).settle(body);
    let settled = backend.block_on(failing);
    assert_eq!(settled.interrupted().unwrap().cause, Cause::ConditionMet);
    let settled = settled.pad_to(10);
    let ran = settled.iter().filter(|outcome| !matches!(outcome, Outcome::NotRun)).count();
    assert_eq!((ran, settled.len(), settled.errors().count()), (4, 10, 2));
    // After the third success, whoever else runs.
    for limit in [2, 4, 64] {
        let three = looping(limit).stop_on_counts(|tally| tally.succeeded() == 3).settle(body);
        let settled = backend.block_on(three);
        // Tasks may all have ended by then.
        match settled.interrupted() {
            Some(interrupted) => assert_eq!(interrupted.cause, Cause::ConditionMet),
            None => assert!(B::SPAWNED && settled.len() == 10),
        }
        assert!(settled.iter().filter(|outcome| outcome.is_ok()).count() >= 3);
        assert_eq!(alive.now(), 0);
    }
    // It was enough at the last: nothing was cut short.
    let all = looping(3).stop_on_counts(|tally| tally.completed() == 10).settle(body);
    assert!(backend.block_on(all).interrupted().is_none());
    // Nobody has failed, and yet not all has run.
    let three = each(0..10).sequential().at(backend.place());
    let three = three.stop_on_counts(|tally| tally.last().is_some_and(|(index, _)| index == 2));
    let error = backend.block_on(three.try_gather(|n| job(async move { Ok::<u64, String>(n) })));
    assert_eq!(error, Err(LoopError::ConditionMet));
}

/// OPT-2
pub fn a_loop_stops_at_an_output_that_is_enough<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), backend.clock());
    let body = |n| odd_ones_fail(&alive, n);
    let looping = |limit: usize| each(0..10).limit(limit).unwrap().at(backend.place());
    // One after another: nothing is pulled behind it, and it has its end as the others have.
    let shown = Tally::default();
    let settled = looping(1).stop_on_output(|index, output: &Result<u64, String>| {
        shown.write(index);
        output.as_ref().is_err_and(|error| error.starts_with('3'))
    });
    let settled = backend.block_on(settled.settle(body));
    assert_eq!(settled.interrupted().unwrap().cause, Cause::ConditionMet);
    assert_eq!((settled.len(), settled.errors().count(), shown.read()), (4, 2, vec![0, 1, 2, 3]));
    // Whoever else runs: each is shown once, and none behind the one that was enough.
    for limit in [2, 4, 64] {
        let shown = Tally::default();
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
    // Of a body that is called again, only the last output is shown.
    let shown = Tally::default();
    let again = ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(2);
    let again =
        looping(3).retry(&clock, again).stop_on_output(|index, output: &Result<u64, String>| {
            shown.write((index, output.is_ok()));
            false
        });
    assert!(backend.block_on(again.settle(body)).interrupted().is_none());
    let mut shown = shown.read();
    shown.sort_unstable();
    assert_eq!(shown, (0..10).map(|n| (n, n % 2 == 0)).collect::<Vec<_>>());
    // It was the last: nothing was cut short.
    let last = looping(1).stop_on_output(|_, output: &u64| *output == 9);
    assert!(backend.block_on(last.gather(|n| job(async move { n }))).is_ok());
}

/// OPT-2, law 1
pub fn a_predicates_panic_goes_on_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..9).limit(4).unwrap().at(backend.place());
    let looping = looping.stop_on_output(|_, _: &u64| panic!("on purpose"));
    let looping = looping.gather(|n| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            if n != 2 {
                std::future::pending::<()>().await;
            }
            n
        })
    });
    let ended = catch_unwind(AssertUnwindSafe(|| backend.block_on(looping)));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(alive.now(), 0);
}

/// OPT-2, OPT-10: nobody is asked again after it was enough, and who has asked first to finish is told.
pub fn enough_is_said_once_and_a_loop_that_had_to_finish_says_so<B: Backend>(backend: B) {
    let (asked, clock) = (Tally::default(), backend.clock());
    let again = ConstantBuilder::default().with_delay(seconds::<B>(3600));
    let looping = each(0..4).unbounded().at(backend.place()).retry(&clock, again);
    let said = asked.clone();
    let looping = looping.stop_on_counts(move |tally| {
        said.write(tally.completed() as u64);
        tally.completed() == 1
    });
    let settled = backend.block_on(looping.settle(|n| {
        job(async move {
            // The others wait for another attempt by then, or are stopped.
            yields(20 * usize::from(n == 3)).await;
            if n == 3 { Ok(n) } else { Err("again".to_owned()) }
        })
    }));
    assert_eq!((asked.read(), settled.len()), (vec![1], 4));

    // It fails after the loop was asked to finish, and would have been tried again.
    let token = CancelToken::new();
    let looping = each(0..1).unbounded().at(backend.place()).retry(&clock, again);
    let settled = backend.block_on(looping.drain_on(&token).settle(|_| {
        let token = token.clone();
        job(async move {
            token.cancel();
            yields(5).await;
            Err::<u64, _>("no".to_owned())
        })
    }));
    assert_eq!(settled.interrupted().map(|cut| cut.cause.clone()), Some(Cause::Drained));
}

/// OPT-11
pub fn observers_hear_of_every_item_in_order<B: Backend>(backend: B) {
    let clock = backend.clock();
    let events = Tally::<(Duration, Event)>::default();
    let looping = each([0, 1, 2, 3]).limit(2).unwrap().at(backend.place());
    let again = ConstantBuilder::default().with_delay(seconds::<B>(1)).with_max_times(1);
    let heard = events.clone();
    let looping = looping
        .timeout(&clock, seconds::<B>(3))
        .retry(&clock, again)
        .observe(&clock, move |at, event: &Event| heard.write((at, *event)));
    let settled = backend.block_on(looping.settle(|n: u64| {
        job(async move {
            match n {
                0 => Ok(n),
                1 => Err("no".to_owned()),
                2 => std::future::pending().await,
                _ => Ok(n),
            }
        })
    }));
    let events = events.read();
    assert!(events.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in the order of time");
    assert!(matches!(events[0].1, Event::LoopStarted { least: 4, most: Some(4), .. }));
    let of = |item: usize| -> Vec<String> {
        let of_item = events.iter().filter(|(_, event)| event.index() == Some(item));
        let shown = of_item.map(|(_, event)| match event {
            Event::Received { .. } => "queued".to_owned(),
            Event::Started { attempt, .. } => format!("started {attempt}"),
            Event::Retried { attempt, .. } => format!("retried {attempt}"),
            Event::Completed { attempts, how, .. } => format!("{how:?} {attempts}"),
            other => panic!("{other:?}"),
        });
        shown.collect()
    };
    let once = |end| vec!["queued", "started 1", end];
    let twice = |end| vec!["queued", "started 1", "retried 1", "started 2", end];
    assert_eq!(of(2), twice("TimedOut 2"));
    // On a clock that is not exact, time may be short for anybody.
    let may_be = [once("Ok 1"), twice("Ok 2"), twice("TimedOut 2")];
    let done = &may_be[..if B::EXACT { 1 } else { 3 }];
    assert!([0, 3].into_iter().all(|n| done.iter().any(|done| of(n) == *done)), "{events:?}");
    assert!(of(1) == twice("Failed 2") || !B::EXACT && of(1) == twice("TimedOut 2"), "{events:?}");
    assert_eq!(settled.len(), 4);
}

/// OPT-11: also of those that are stopped and of those that never begin.
pub fn observers_hear_the_end_of_those_that_were_stopped<B: Backend>(backend: B) {
    let clock = backend.clock();
    let events = Tally::<Event>::default();
    let (heard, token, first_runs) = (events.clone(), CancelToken::new(), Gate::default());
    let looping = each([0, 1, 1]).limit(3).unwrap().at(backend.place());
    let looping = looping
        .limit_by(|n: &u64| *n, 1)
        .unwrap()
        .observe(&clock, move |_, event: &Event| heard.write(*event))
        .cancel_on(&token);
    let interrupted = backend.block_on(looping.gather(|n| {
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
    }));
    assert_eq!(interrupted.unwrap_err().pending, [0, 1]);
    let mut ends: Vec<_> = events
        .read()
        .into_iter()
        .filter_map(|event| match event {
            Event::Completed { index, attempts, how, .. } => Some((index, attempts, how)),
            _ => None,
        })
        .collect();
    ends.sort_by_key(|&(index, ..)| index);
    let expected = [
        (0, 1, OutcomeKind::Cancelled),
        (1, 1, OutcomeKind::Cancelled),
        (2, 0, OutcomeKind::NotRun),
    ];
    // A task may cancel its loop before that has pulled the last.
    let pulled = if B::SPAWNED { ends.len().max(2) } else { 3 };
    assert_eq!(ends, expected[..pulled]);
}
