//! Loops that are cut short: by a token, by any other signal, by a deadline.

use std::thread;
use std::time::Duration;

use forloop_core::{CancelToken, Cause, LoopError, Outcome, Timer, each, each_stream};
use futures_lite::StreamExt;

use super::endless;
use super::times::Stopwatch;
use crate::strategies::{Run, every_strategy};
use crate::{
    Alive, Backend, Gate, Job, LONG, RestlessClock, Tally, VirtualClock, eventually, job,
    long_after, on_time, seconds, yields,
};

/// CAN-2
pub fn a_token_cancelled_before_keeps_every_strategy_from_beginning<B: Backend>(backend: B) {
    let (pulled, called) = (Tally::default(), Tally::default());
    let token = CancelToken::new();
    token.cancel();
    let looping = || {
        let items = (0..5).inspect(|&n: &u64| pulled.write(n));
        each(items).limit(2).unwrap().at(backend.place()).cancel_on(&token)
    };
    let sync_body = |n: u64| {
        called.write(n);
        job(async move { n })
    };
    let fallible = |n: u64| {
        called.write(n);
        job(async move { Ok::<u64, String>(n) })
    };
    backend.block_on(async {
        for Run { strategy, returned } in every_strategy!(job: looping(), sync_body) {
            let returned = returned.await;
            assert_eq!(returned.causes, [Cause::Cancelled], "{strategy:?}");
            assert!(returned.values.is_empty() && returned.failures.is_empty(), "{strategy:?}");
            assert_eq!(returned.unfinished, 0, "{strategy:?}");
            let cancelled = LoopError::<String>::Cancelled.to_string();
            assert!(returned.error.is_none_or(|error| error == cancelled), "{strategy:?}");
        }
        let interrupted = looping().gather(sync_body).await.unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::Cancelled, vec![]));
        assert!(interrupted.ready.is_empty());
        assert_eq!(looping().try_gather(fallible).await, Err(LoopError::Cancelled));
        let settled = looping().settle(fallible).await;
        assert!(settled.is_empty());
        let folded = looping().fold(7, sync_body, |sum, (_, n)| sum + n).await.unwrap_err();
        assert_eq!((folded.cause, folded.ready), (Cause::Cancelled, 7));
    });
    assert!(pulled.read().is_empty() && called.read().is_empty());
}

/// CAN-3
pub fn a_cancelled_loop_has_stopped_and_tells_what_was_ready<B: Backend>(backend: B) {
    let (alive, done, pulled) = (Alive::default(), Tally::default(), Tally::default());
    let (token, gate) = (CancelToken::new(), Gate::default());
    backend.block_on(async {
        let items = (0..10).inspect(|&n: &u64| pulled.write(n));
        let settled = each(items).limit(2).unwrap().at(backend.place()).cancel_on(&token);
        let settled = settled.settle(|n| {
            let (guard, done) = (alive.guard(), done.clone());
            let (token, gate) = (token.clone(), gate.clone());
            job(async move {
                let _alive = guard;
                match n {
                    0 | 1 => done.write(n),
                    2 => {
                        gate.open();
                        std::future::pending::<()>().await;
                    }
                    _ => {
                        // The other has begun by then.
                        gate.passed().await;
                        token.cancel();
                        std::future::pending::<()>().await;
                    }
                }
                Ok::<u64, String>(n)
            })
        });
        let settled = settled.await;
        assert_eq!(alive.now(), 0, "a body runs that the loop has started");
        let interrupted = settled.interrupted().unwrap();
        assert_eq!(
            (&interrupted.cause, &interrupted.pending[..]),
            (&Cause::Cancelled, &[2, 3][..])
        );
        assert!(matches!(
            settled[..],
            [Outcome::Ok(0), Outcome::Ok(1), Outcome::Cancelled, Outcome::Cancelled]
        ));
        let pad_to = settled.pad_to(6);
        assert!(matches!(pad_to[4..], [Outcome::NotRun, Outcome::NotRun]));
        assert_eq!(pad_to.into_result(), Err(LoopError::Cancelled));
    });
    let mut done = done.read();
    done.sort();
    assert_eq!(done, [0, 1]);
    assert_eq!(pulled.read(), [0, 1, 2, 3]);
}

/// CAN-3
pub fn a_signal_at_its_time_ends_the_loop_at_that_time<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    // Two bodies end by then; of the others none is near its end.
    let later = if B::EXACT { seconds::<B>(4) } else { LONG };
    let gathered = each(0..10)
        .limit(2)
        .unwrap()
        .at(backend.place())
        .cancel_on(watch.clock.sleep(seconds::<B>(7)))
        .gather(|n| watch.ends(n, if n < 2 { seconds::<B>(4) } else { later }));
    let interrupted = backend.block_on(gathered).unwrap_err();
    on_time::<B>(watch.read(), seconds::<B>(7));
    assert_eq!(interrupted.cause, Cause::Cancelled);
    if B::EXACT {
        assert_eq!(watch.noted(), [4, 4].map(Duration::from_secs));
        assert!(matches!(
            interrupted.ready[..],
            [Outcome::Ok(0), Outcome::Ok(1), Outcome::Cancelled, Outcome::Cancelled]
        ));
    }
}

/// CAN-3
pub fn a_token_cancelled_on_another_thread_ends_a_loop_that_waits<B: Backend>(backend: B) {
    let alive = Alive::default();
    let token = CancelToken::new();
    let canceller = thread::spawn({
        let (token, alive) = (token.clone(), alive.clone());
        move || {
            while alive.now() < 3 {
                thread::yield_now();
            }
            token.cancel();
        }
    });
    let looping = each(0..3).unbounded().at(backend.place()).cancel_on(&token);
    let ended =
        backend.block_on(looping.try_for_each(|_: u64| endless::<Result<(), String>>(&alive)));
    assert_eq!(ended, Err(LoopError::Cancelled));
    assert_eq!(alive.now(), 0);
    canceller.join().unwrap();
}

/// CAN-3
pub fn any_future_is_a_signal_and_the_first_of_several_counts<B: Backend>(backend: B) {
    let (gate, alive) = (Gate::default(), Alive::default());
    let looping = each(0..3).unbounded().at(backend.place());
    let looping = looping
        .cancel_on(std::future::pending::<()>())
        .cancel_on({
            let gate = gate.clone();
            async move {
                gate.passed().await;
                "whatever"
            }
        })
        .deadline(&backend.clock(), LONG);
    let ended = backend.block_on(looping.gather(|n: u64| {
        if n == 2 {
            gate.open();
        }
        endless::<u64>(&alive)
    }));
    assert_eq!(ended.unwrap_err().cause, Cause::Cancelled);
    assert_eq!(alive.now(), 0);
}

/// CAN-3: a body that holds the token may stop in its own way; asked to stop, it may not refuse.
pub fn a_body_may_see_the_token<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let (seen, canceller) = (Tally::default(), token.clone());
    let looping = each(0..2).unbounded().at(backend.place());
    let ended = backend.block_on(looping.gather(|n: u64| {
        let (token, canceller, seen) = (token.child(), canceller.clone(), seen.clone());
        job(async move {
            if n == 1 {
                assert!(!token.is_cancelled());
                canceller.cancel();
            }
            token.cancelled().await;
            seen.write(n);
            n
        })
    }));
    assert_eq!(ended, [0, 1]);
    let mut seen = seen.read();
    seen.sort();
    assert_eq!(seen, [0, 1]);
}

/// CAN-3: nothing is left to cancel, whatever the limit.
pub fn a_loop_whose_work_is_done_is_not_cancelled<B: Backend>(backend: B) {
    for limit in 1..=4 {
        let token = CancelToken::new();
        let looping = each(0..3).limit(limit).unwrap().at(backend.place()).cancel_on(&token);
        let ended = backend.block_on(looping.gather(|n: u64| {
            let token = token.clone();
            job(async move {
                yields(n as usize * 3).await;
                if n == 2 {
                    token.cancel();
                }
                n
            })
        }));
        // In-task the others have ended by then; of tasks one may not have.
        match ended {
            Ok(outputs) => assert_eq!(outputs, [0, 1, 2]),
            Err(interrupted) => {
                assert!(B::SPAWNED, "{interrupted} at limit {limit}");
                for (index, outcome) in interrupted.ready.iter().enumerate() {
                    assert_eq!(outcome.is_ok(), !interrupted.pending.contains(&index));
                }
            }
        }
    }
}

/// TMO-1
pub fn a_deadline_is_neither_a_cancellation_nor_an_error_of_a_body<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let alive = Alive::default();
    let looping = || {
        let looping = each(0..9).limit(2).unwrap().at(backend.place());
        looping.deadline(&watch.clock, enough::<B>())
    };
    backend.block_on(async {
        let ended = looping().try_gather(|_: u64| endless::<Result<u64, String>>(&alive)).await;
        assert_eq!(alive.now(), 0);
        on_time::<B>(watch.read(), enough::<B>());
        let Err(LoopError::TimedOut { timed_out, .. }) = ended else { panic!("{ended:?}") };
        assert_eq!(timed_out, [0, 1]);

        let ended = looping().for_each(|_: u64| endless::<()>(&alive)).await;
        let interrupted = ended.unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, vec![0, 1]));

        let ended = looping().race(|_: u64| endless::<u64>(&alive)).await;
        assert!(matches!(ended, Err(LoopError::TimedOut { .. })));
        assert_eq!((alive.now(), alive.ever()), (0, 6));
        on_time::<B>(watch.read(), 3 * enough::<B>());
    });
}

/// TMO-1
pub fn an_error_before_the_deadline_is_what_the_loop_returns<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..3).unbounded().at(backend.place()).deadline(&backend.clock(), LONG);
    let ended = backend.block_on(looping.try_gather(|n: u64| match n {
        1 => job(async { Err::<u64, _>(String::from("early")) }),
        _ => endless(&alive),
    }));
    assert_eq!(ended.unwrap_err().first().unwrap().error, "early");
}

/// TMO-1: no time at all is over before anything begins, and a time that no clock can show never.
pub fn a_deadline_may_be_zero_or_for_ever<B: Backend>(backend: B) {
    let (pulled, called) = (Tally::default(), Tally::default());
    let items = || (0..3).inspect(|&n: &u64| pulled.write(n));
    let body = |n: u64| {
        called.write(n);
        job(async move {
            yields(2).await;
            n
        })
    };
    let clock = backend.clock();
    backend.block_on(async {
        let looping = each(items()).sequential().at(backend.place());
        let none = looping.deadline(&clock, Duration::ZERO).gather(body).await;
        assert_eq!(none.unwrap_err().cause, Cause::TimedOut);
        assert!(pulled.read().is_empty() && called.read().is_empty());
        let looping = each(items()).sequential().at(backend.place());
        let all = looping.deadline(&clock, Duration::MAX).gather(body).await;
        assert_eq!(all.unwrap(), [0, 1, 2]);
    });
}

/// Time enough on any machine for bodies to begin.
fn enough<B: Backend>() -> Duration {
    seconds::<B>(30)
}

/// Of four such bodies, 1 and 2 end soon, 0 and 3 never.
fn partly(alive: &Alive, n: u64) -> Job<u64> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        if n == 0 || n == 3 {
            std::future::pending::<()>().await;
        }
        yields(4 - n as usize).await;
        n
    })
}

/// The time of a loop on a clock of its own, which is over when somebody says so.
const TIME: Duration = Duration::from_secs(1);

/// Runs a loop of four such bodies whose time is over long after two of them have ended.
async fn in_time<B: Backend, T>(
    backend: &B,
    alive: &Alive,
    clock: &VirtualClock,
    looping: impl Future<Output = T>,
) -> T {
    let before = alive.ever();
    let over = async {
        long_after(backend, || alive.ever() == before + 4 && alive.now() == 2).await;
        clock.spend(TIME);
    };
    futures_lite::future::zip(looping, over).await.0
}

/// TMO-3
pub fn what_was_ready_by_the_deadline_comes_in_input_order<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), VirtualClock::default());
    let looping = || each(0..4).unbounded().at(backend.place());
    let limited = || looping().deadline(&clock, TIME);
    backend.block_on(async {
        let gathered = limited().gather(|n| partly(&alive, n));
        let interrupted = in_time(&backend, &alive, &clock, gathered).await.unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, vec![0, 3]));
        assert!(matches!(
            interrupted.ready[..],
            [Outcome::TimedOut, Outcome::Ok(1), Outcome::Ok(2), Outcome::TimedOut]
        ));
        let settled = limited().settle(|n| {
            let body = partly(&alive, n);
            job(async move { Ok::<u64, String>(body.await) })
        });
        let settled = in_time(&backend, &alive, &clock, settled).await;
        assert!(matches!(
            settled[..],
            [Outcome::TimedOut, Outcome::Ok(1), Outcome::Ok(2), Outcome::TimedOut]
        ));
        assert_eq!(settled.interrupted().unwrap().pending, [0, 3]);
        let error = settled.into_result().unwrap_err();
        assert_eq!(error.timed_out(), [0, 3]);
        // Of the ordered stream nothing could be told: the first is not ready.
        let stream = limited().stream(|n| partly(&alive, n)).collect();
        let streamed: Vec<_> = in_time(&backend, &alive, &clock, stream).await;
        let [Err(interrupted)] = &streamed[..] else { panic!("{streamed:?}") };
        assert_eq!(interrupted.ready, [(1, 1), (2, 2)]);
        assert_eq!(interrupted.pending, [0, 3]);
    });
}

/// ASC-4
pub fn a_deadline_is_the_last_item_and_tells_what_is_pending<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), VirtualClock::default());
    let looping = each(0..4).unbounded().at(backend.place()).deadline(&clock, TIME);
    backend.block_on(async {
        let mut results = looping.as_completed(|n| partly(&alive, n));
        let mut ready =
            [results.next().await.unwrap().unwrap(), results.next().await.unwrap().unwrap()];
        ready.sort();
        assert_eq!(ready, [(1, 1), (2, 2)]);
        clock.spend(TIME);
        let interrupted = results.next().await.unwrap().unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, vec![0, 3]));
        assert_eq!(alive.now(), 0);
        assert!(results.next().await.is_none());
        drop(results);
    });
}

/// ASC-4
pub fn a_consumer_hears_of_the_deadline_once_and_goes_on<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), VirtualClock::default());
    let looping = each(0..4).unbounded().at(backend.place()).deadline(&clock, TIME);
    backend.block_on(async {
        let stream = looping.stream_unordered(|n| partly(&alive, n));
        let heard = stream.consume(async |mut feed| {
            let mut heard = Vec::new();
            while let Some(item) = feed.next().await {
                yields(3).await;
                heard.push(item.map_err(|interrupted| interrupted.pending));
                if heard.len() == 2 {
                    clock.spend(TIME);
                }
            }
            yields(3).await;
            heard
        });
        let mut heard = heard.await;
        assert_eq!(heard.pop(), Some(Err(vec![0, 3])));
        let mut heard: Vec<_> = heard.into_iter().map(Result::unwrap).collect();
        heard.sort();
        assert_eq!(heard, [1, 2]);
    });
}

/// Law 2: a token is asked before a body that was woken, a deadline behind it.
pub fn what_was_woken_by_the_deadline_has_its_turn<B: Backend>(backend: B) {
    let (gate, clock) = (Gate::default(), VirtualClock::default());
    backend.block_on(async {
        let looping = each(0..2).unbounded().at(backend.place());
        let mut gathered = Box::pin(looping.deadline(&clock, TIME).gather(|n: u64| {
            let gate = gate.clone();
            job(async move {
                if n == 0 {
                    std::future::pending::<()>().await;
                }
                gate.passed().await;
                n
            })
        }));
        assert!(futures_lite::future::poll_once(gathered.as_mut()).await.is_none());
        // Past the deadline, before the loop looks again.
        clock.spend(2 * TIME);
        gate.open();
        let interrupted = gathered.await.unwrap_err();
        if !B::SPAWNED {
            assert!(matches!(interrupted.ready[..], [Outcome::TimedOut, Outcome::Ok(1)]));
        }
        assert_eq!(interrupted.pending.first(), Some(&0));
    });
}

/// Law 1, law 6
pub fn cancelling_many_bodies_leaves_none<B: Backend>(backend: B) {
    let alive = Alive::default();
    let token = CancelToken::new();
    let many = 20_000;
    let looping = each(0..).unbounded().at(backend.place()).cancel_on(&token);
    let interrupted = backend.block_on(looping.gather(|n: u64| {
        if n == many {
            token.cancel();
        }
        endless::<u64>(&alive)
    }));
    let interrupted = interrupted.unwrap_err();
    assert!(interrupted.pending.len() as u64 >= many && alive.now() == 0);
    assert_eq!(interrupted.ready.len(), interrupted.pending.len());
    backend.block_on(eventually(&backend.clock(), || alive.now() == 0));
}

/// CAN-3, law 7
pub fn nothing_begins_once_the_token_is_cancelled<B: Backend>(backend: B) {
    let (called, alive) = (Tally::default(), Alive::default());
    let token = CancelToken::new();
    let looping = each(0..).unbounded().at(backend.place()).cancel_on(&token);
    let interrupted = backend.block_on(looping.gather(|n: u64| {
        called.write(n);
        if n == 3 {
            token.cancel();
        }
        endless::<u64>(&alive)
    }));
    assert_eq!(interrupted.unwrap_err().pending, [0, 1, 2, 3]);
    assert_eq!(called.read(), [0, 1, 2, 3]);
}

/// TMO-1, law 9
pub fn a_deadline_comes_through_a_crowd_of_busy_bodies<B: Backend>(backend: B) {
    let clock = RestlessClock::default();
    for crowd in [100, 300, 1000] {
        let looping = each(0..crowd).unbounded().at(backend.place());
        let looping = looping.deadline(&clock, Duration::from_millis(crowd));
        let ended = backend.block_on(looping.for_each(|_| {
            job(async {
                loop {
                    yields(1).await;
                }
            })
        }));
        assert_eq!(ended.unwrap_err().cause, Cause::TimedOut);
    }
}

/// Law 2: what came to its own end while it was asked to stop has not been cut short.
pub fn a_body_that_ends_as_it_is_asked_to_stop_keeps_its_value<B: Backend>(backend: B) {
    let ended = |bodies: u64| {
        let (token, gate) = (CancelToken::new(), Gate::default());
        let looping = each(0..bodies).unbounded().at(backend.place()).cancel_on(&token);
        let mut gathered = Box::pin(looping.try_gather(|n| {
            let (token, gate) = (token.clone(), gate.clone());
            job(async move {
                gate.passed().await;
                token.cancel();
                Ok::<u64, String>(n)
            })
        }));
        backend.block_on(async {
            // The source has run dry by then.
            assert!(futures_lite::future::poll_once(gathered.as_mut()).await.is_none());
            gate.open();
            gathered.await
        })
    };
    // Whoever was not polled again by then has been stopped, and nobody else.
    match ended(3) {
        Ok(values) => assert_eq!(values, [0, 1, 2]),
        Err(error) => assert_eq!(error, LoopError::Cancelled),
    }
    assert_eq!(ended(1), Ok(vec![0]));
}

/// CAN-3, law 7: also when it is a body that was woken which cancels, and brings an item.
pub fn nothing_is_pulled_once_a_woken_body_has_cancelled<B: Backend>(backend: B) {
    let (items, source) = async_channel::unbounded();
    let (token, gate, called) = (CancelToken::new(), Gate::default(), Tally::default());
    items.try_send(0).unwrap();
    backend.block_on(async {
        let looping = each_stream(Box::pin(source)).unbounded().at(backend.place());
        let mut looping = Box::pin(looping.cancel_on(&token).for_each(|n: u64| {
            called.write(n);
            let (items, token, gate) = (items.clone(), token.clone(), gate.clone());
            job(async move {
                gate.passed().await;
                token.cancel();
                // A loop that has seen the cancel by now has let go of its source.
                let _ = items.try_send(n + 1);
                std::future::pending::<()>().await;
            })
        }));
        for _ in 0..10 {
            assert!(futures_lite::future::poll_once(looping.as_mut()).await.is_none());
            yields(1).await;
        }
        gate.open();
        assert_eq!(looping.await.unwrap_err().cause, Cause::Cancelled);
    });
    assert_eq!(called.read(), [0]);
}
