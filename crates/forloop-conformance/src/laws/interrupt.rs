//! Loops that are interrupted by a token, by any other signal, or by a deadline.

use std::thread;
use std::time::Duration;

use forloop_core::{CancelToken, Cause, LoopError, Outcome, Timer, each, each_stream};
use futures_lite::StreamExt;

use super::endless;
use super::times::Stopwatch;
use crate::strategies::{Run, every_strategy};
use crate::{
    Alive, Backend, Gate, Job, LONG, Log, TickingClock, VirtualClock, boxed, eventually, job,
    long_after, needs_many_tasks, on_time, seconds, yields,
};

/// CAN-2
pub fn a_token_cancelled_before_keeps_every_strategy_from_beginning<B: Backend>(backend: B) {
    let (pulled, called) = (Log::default(), Log::default());
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
        for Run { strategy, returned } in every_strategy!(spawned: looping(), sync_body) {
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

/// CAN-3: A cancelled loop returns after its bodies have stopped, with the outcome of each item.
pub fn a_cancelled_loop_has_stopped_its_bodies_and_reports_the_outcomes<B: Backend>(backend: B) {
    let (alive, done, pulled) = (Alive::default(), Log::default(), Log::default());
    let (token, gate) = (CancelToken::new(), Gate::default());
    backend.block_on(async {
        let items = (0..10).inspect(|&n: &u64| pulled.write(n));
        let settled = each(items).limit(2).unwrap().at(backend.place()).cancel_on(&token);
        let settled = settled.settle(boxed(|n| {
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
                        // The other body has started by then.
                        gate.passed().await;
                        token.cancel();
                        std::future::pending::<()>().await;
                    }
                }
                Ok::<u64, String>(n)
            })
        }));
        let settled = settled.await;
        assert_eq!(alive.now(), 0, "a body of the loop is still running");
        let interrupted = settled.interrupted().unwrap();
        assert_eq!(
            (&interrupted.cause, &interrupted.pending[..]),
            (&Cause::Cancelled, &[2, 3][..])
        );
        assert!(matches!(
            settled[..],
            [Outcome::Ok(0), Outcome::Ok(1), Outcome::Cancelled, Outcome::Cancelled]
        ));
        let padded = settled.pad_to(6);
        assert!(matches!(padded[4..], [Outcome::NotRun, Outcome::NotRun]));
        assert_eq!(padded.into_result(), Err(LoopError::Cancelled));
    });
    let mut done = done.read();
    done.sort();
    assert_eq!(done, [0, 1]);
    assert_eq!(pulled.read(), [0, 1, 2, 3]);
}

/// CAN-3: A timer as the signal cancels the loop when it fires.
pub fn a_timer_as_the_signal_cancels_the_loop_when_it_fires<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    // Two bodies complete by then, and no other is near its completion.
    let later = if B::EXACT { seconds::<B>(4) } else { LONG };
    let gathered = each(0..10)
        .limit(2)
        .unwrap()
        .at(backend.place())
        .cancel_on(watch.clock.sleep(seconds::<B>(7)))
        .gather(|n| watch.logs_completion(n, if n < 2 { seconds::<B>(4) } else { later }));
    let interrupted = backend.block_on(gathered).unwrap_err();
    on_time::<B>(watch.read(), seconds::<B>(7));
    assert_eq!(interrupted.cause, Cause::Cancelled);
    if B::EXACT {
        assert_eq!(watch.logged(), [4, 4].map(Duration::from_secs));
        assert!(matches!(
            interrupted.ready[..],
            [Outcome::Ok(0), Outcome::Ok(1), Outcome::Cancelled, Outcome::Cancelled]
        ));
    }
}

/// CAN-3: A token that is cancelled on another thread wakes and cancels a loop whose bodies all wait.
pub fn a_token_cancelled_on_another_thread_cancels_a_waiting_loop<B: Backend>(backend: B) {
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
    let returned =
        backend.block_on(looping.try_for_each(|_: u64| endless::<Result<(), String>>(&alive)));
    assert_eq!(returned, Err(LoopError::Cancelled));
    assert_eq!(alive.now(), 0);
    canceller.join().unwrap();
}

/// CAN-3: Any future is a signal, and the first of several that is ready cancels the loop.
pub fn any_future_is_a_signal_and_the_first_of_several_decides<B: Backend>(backend: B) {
    let (gate, alive) = (Gate::default(), Alive::default());
    let looping = each(0..3).unbounded().at(backend.place());
    let looping = looping
        .cancel_on(std::future::pending::<()>())
        .cancel_on({
            let gate = gate.clone();
            async move {
                gate.passed().await;
                "any output"
            }
        })
        .timer(&backend.clock())
        .deadline(LONG);
    let returned = backend.block_on(looping.gather(|n: u64| {
        if n == 2 {
            gate.open();
        }
        endless::<u64>(&alive)
    }));
    assert_eq!(returned.unwrap_err().cause, Cause::Cancelled);
    assert_eq!(alive.now(), 0);
}

/// CAN-3: A body that holds the token itself may complete after it is cancelled.
pub fn a_body_may_await_the_token_and_complete<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let (seen, canceller) = (Log::default(), token.clone());
    let looping = each(0..2).unbounded().at(backend.place());
    let returned = backend.block_on(looping.gather(boxed(|n: u64| {
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
    })));
    assert_eq!(returned, [0, 1]);
    let mut seen = seen.read();
    seen.sort();
    assert_eq!(seen, [0, 1]);
}

/// CAN-3: A loop whose last body cancels the token returns its outputs, with every limit.
pub fn a_loop_whose_bodies_have_completed_is_not_cancelled<B: Backend>(backend: B) {
    for limit in 1..=4 {
        let token = CancelToken::new();
        let looping = each(0..3).limit(limit).unwrap().at(backend.place()).cancel_on(&token);
        let returned = backend.block_on(looping.gather(boxed(|n: u64| {
            let token = token.clone();
            job(async move {
                yields(n as usize * 3).await;
                if n == 2 {
                    token.cancel();
                }
                n
            })
        })));
        // In the caller's task the others have completed by then; a task may still be running.
        match returned {
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

/// TMO-1: A deadline is reported as a timeout, not as a cancellation or as an error of a body.
pub fn a_deadline_is_reported_as_a_timeout<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let alive = Alive::default();
    let looping = || {
        let looping = each(0..9).limit(2).unwrap().at(backend.place());
        looping.timer(&watch.clock).deadline(long_enough::<B>())
    };
    backend.block_on(async {
        let returned = looping().try_gather(|_: u64| endless::<Result<u64, String>>(&alive)).await;
        assert_eq!(alive.now(), 0);
        on_time::<B>(watch.read(), long_enough::<B>());
        let Err(LoopError::TimedOut { timed_out, .. }) = returned else { panic!("{returned:?}") };
        assert_eq!(timed_out, [0, 1]);

        let returned = looping().for_each(|_: u64| endless::<()>(&alive)).await;
        let interrupted = returned.unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, vec![0, 1]));

        let returned = looping().race(|_: u64| endless::<u64>(&alive)).await;
        assert!(matches!(returned, Err(LoopError::TimedOut { .. })));
        assert_eq!((alive.now(), alive.ever()), (0, 6));
        on_time::<B>(watch.read(), 3 * long_enough::<B>());
    });
}

/// TMO-1: An error before the deadline is returned.
pub fn an_error_before_the_deadline_is_returned<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..3).unbounded().at(backend.place()).timer(&backend.clock()).deadline(LONG);
    let returned = backend.block_on(looping.try_gather(|n: u64| match n {
        1 => job(async { Err::<u64, _>(String::from("early")) }),
        _ => endless(&alive),
    }));
    assert_eq!(returned.unwrap_err().first().unwrap().error, "early");
}

/// TMO-1: With a deadline of zero no body starts, and one of `Duration::MAX` never passes.
pub fn a_deadline_may_be_zero_or_infinite<B: Backend>(backend: B) {
    let (pulled, called) = (Log::default(), Log::default());
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
        let none = looping.timer(&clock).deadline(Duration::ZERO).gather(body).await;
        assert_eq!(none.unwrap_err().cause, Cause::TimedOut);
        assert!(pulled.read().is_empty() && called.read().is_empty());
        let looping = each(items()).sequential().at(backend.place());
        let all = looping.timer(&clock).deadline(Duration::MAX).gather(body).await;
        assert_eq!(all.unwrap(), [0, 1, 2]);
    });
}

/// Long enough on any machine for bodies to start.
fn long_enough<B: Backend>() -> Duration {
    seconds::<B>(30)
}

/// Of four such bodies, 1 and 2 complete soon, and 0 and 3 are pending forever.
fn half_complete(alive: &Alive, n: u64) -> Job<u64> {
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

/// The deadline of a loop on a clock that the test advances.
const DEADLINE: Duration = Duration::from_secs(1);

/// Runs a loop of four such bodies, and advances the clock past the deadline after two of them have completed.
async fn until_the_deadline<B: Backend, T>(
    backend: &B,
    alive: &Alive,
    clock: &VirtualClock,
    looping: impl Future<Output = T>,
) -> T {
    let before = alive.ever();
    let deadline = async {
        long_after(backend, || alive.ever() == before + 4 && alive.now() == 2).await;
        clock.advance(DEADLINE);
    };
    futures_lite::future::zip(looping, deadline).await.0
}

/// TMO-3: At the deadline, every strategy returns the outputs that were ready and the indices that were not.
pub fn outcomes_at_the_deadline_are_returned_in_input_order<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), VirtualClock::default());
    let looping = || each(0..4).unbounded().at(backend.place());
    let limited = || looping().timer(&clock).deadline(DEADLINE);
    backend.block_on(async {
        let gathered = limited().gather(|n| half_complete(&alive, n));
        let interrupted = until_the_deadline(&backend, &alive, &clock, gathered).await.unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, vec![0, 3]));
        assert!(matches!(
            interrupted.ready[..],
            [Outcome::TimedOut, Outcome::Ok(1), Outcome::Ok(2), Outcome::TimedOut]
        ));
        let settled = limited().settle(boxed(|n| {
            let body = half_complete(&alive, n);
            job(async move { Ok::<u64, String>(body.await) })
        }));
        let settled = until_the_deadline(&backend, &alive, &clock, settled).await;
        assert!(matches!(
            settled[..],
            [Outcome::TimedOut, Outcome::Ok(1), Outcome::Ok(2), Outcome::TimedOut]
        ));
        assert_eq!(settled.interrupted().unwrap().pending, [0, 3]);
        let error = settled.into_result().unwrap_err();
        assert_eq!(error.timed_out(), [0, 3]);
        // The ordered stream has yielded no result, because the first one is not ready.
        let stream = limited().stream(|n| half_complete(&alive, n)).collect();
        let streamed: Vec<_> = until_the_deadline(&backend, &alive, &clock, stream).await;
        let [Err(interrupted)] = &streamed[..] else { panic!("{streamed:?}") };
        assert_eq!(interrupted.ready, [(1, 1), (2, 2)]);
        assert_eq!(interrupted.pending, [0, 3]);
    });
}

/// ASC-4: A stream yields the deadline as its last item, with the indices of the bodies that it stopped.
pub fn a_deadline_is_the_last_item_of_a_stream_and_lists_the_pending_indices<B: Backend>(
    backend: B,
) {
    let (alive, clock) = (Alive::default(), VirtualClock::default());
    let looping = each(0..4).unbounded().at(backend.place()).timer(&clock).deadline(DEADLINE);
    backend.block_on(async {
        let mut results = looping.as_completed(|n| half_complete(&alive, n));
        let mut ready =
            [results.next().await.unwrap().unwrap(), results.next().await.unwrap().unwrap()];
        ready.sort();
        assert_eq!(ready, [(1, 1), (2, 2)]);
        clock.advance(DEADLINE);
        let interrupted = results.next().await.unwrap().unwrap_err();
        assert_eq!((interrupted.cause, interrupted.pending), (Cause::TimedOut, vec![0, 3]));
        assert_eq!(alive.now(), 0);
        assert!(results.next().await.is_none());
        drop(results);
    });
}

/// ASC-4: A consumer receives the deadline once, as the last item, and runs to completion.
pub fn a_consumer_receives_the_deadline_once_and_continues<B: Backend>(backend: B) {
    let (alive, clock) = (Alive::default(), VirtualClock::default());
    let looping = each(0..4).unbounded().at(backend.place()).timer(&clock).deadline(DEADLINE);
    backend.block_on(async {
        let stream = looping.stream_unordered(|n| half_complete(&alive, n));
        let received = stream.consume(async |mut receiver| {
            let mut received = Vec::new();
            while let Some(item) = receiver.next().await {
                yields(3).await;
                received.push(item.map_err(|interrupted| interrupted.pending));
                if received.len() == 2 {
                    clock.advance(DEADLINE);
                }
            }
            yields(3).await;
            received
        });
        let mut received = received.await;
        assert_eq!(received.pop(), Some(Err(vec![0, 3])));
        let mut received: Vec<_> = received.into_iter().map(Result::unwrap).collect();
        received.sort();
        assert_eq!(received, [1, 2]);
    });
}

/// Law 2: A body that was woken before the loop saw the deadline is polled once more.
pub fn a_body_woken_before_the_deadline_is_polled_once_more<B: Backend>(backend: B) {
    let (gate, clock) = (Gate::default(), VirtualClock::default());
    backend.block_on(async {
        let looping = each(0..2).unbounded().at(backend.place());
        let mut gathered =
            Box::pin(looping.timer(&clock).deadline(DEADLINE).gather(boxed(|n: u64| {
                let gate = gate.clone();
                job(async move {
                    if n == 0 {
                        std::future::pending::<()>().await;
                    }
                    gate.passed().await;
                    n
                })
            })));
        assert!(futures_lite::future::poll_once(gathered.as_mut()).await.is_none());
        // Past the deadline, before the loop is polled again.
        clock.advance(2 * DEADLINE);
        gate.open();
        let interrupted = gathered.await.unwrap_err();
        if !B::SPAWNED {
            assert!(matches!(interrupted.ready[..], [Outcome::TimedOut, Outcome::Ok(1)]));
        }
        assert_eq!(interrupted.pending.first(), Some(&0));
    });
}

/// Law 1, law 6: Cancelling a loop with many bodies in flight stops them all.
pub fn cancelling_many_bodies_stops_them_all<B: Backend>(backend: B) {
    let alive = Alive::default();
    let token = CancelToken::new();
    let many = 20_000;
    needs_many_tasks(&backend, many as usize);
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

/// CAN-3, law 7: No body starts after the token is cancelled, not even if the closure cancels it.
pub fn no_body_starts_after_the_token_is_cancelled<B: Backend>(backend: B) {
    let (called, alive) = (Log::default(), Alive::default());
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

/// TMO-1, law 9: A deadline fires while hundreds of bodies wake themselves.
pub fn a_deadline_fires_despite_busy_bodies<B: Backend>(backend: B) {
    let clock = TickingClock::default();
    for crowd in [100, 300, 1000] {
        let looping = each(0..crowd).unbounded().at(backend.place());
        let looping = looping.timer(&clock).deadline(Duration::from_millis(crowd));
        let returned = backend.block_on(looping.for_each(boxed(|_| {
            job(async {
                loop {
                    yields(1).await;
                }
            })
        })));
        assert_eq!(returned.unwrap_err().cause, Cause::TimedOut);
    }
}

/// Law 2: A body that completes while it is being cancelled keeps its value.
pub fn a_body_that_completes_while_it_is_cancelled_keeps_its_value<B: Backend>(backend: B) {
    let run = |bodies: u64| {
        let (token, gate) = (CancelToken::new(), Gate::default());
        let looping = each(0..bodies).unbounded().at(backend.place()).cancel_on(&token);
        let mut gathered = Box::pin(looping.try_gather(boxed(|n| {
            let (token, gate) = (token.clone(), gate.clone());
            job(async move {
                gate.passed().await;
                token.cancel();
                Ok::<u64, String>(n)
            })
        })));
        backend.block_on(async {
            // The source is exhausted by then.
            assert!(futures_lite::future::poll_once(gathered.as_mut()).await.is_none());
            gate.open();
            gathered.await
        })
    };
    // Only bodies that were not polled again have been stopped.
    match run(3) {
        Ok(values) => assert_eq!(values, [0, 1, 2]),
        Err(error) => assert_eq!(error, LoopError::Cancelled),
    }
    assert_eq!(run(1), Ok(vec![0]));
}

/// CAN-3, law 7: No item is pulled after a body has cancelled the loop, even if that body made the item available.
pub fn no_item_is_pulled_after_a_body_cancels_the_loop<B: Backend>(backend: B) {
    let (items, source) = async_channel::unbounded();
    let (token, gate, called) = (CancelToken::new(), Gate::default(), Log::default());
    items.try_send(0).unwrap();
    backend.block_on(async {
        let looping = each_stream(Box::pin(source)).unbounded().at(backend.place());
        let mut looping = Box::pin(looping.cancel_on(&token).for_each(boxed(|n: u64| {
            called.write(n);
            let (items, token, gate) = (items.clone(), token.clone(), gate.clone());
            job(async move {
                gate.passed().await;
                token.cancel();
                // A loop that has seen the cancellation by now has dropped its source.
                let _ = items.try_send(n + 1);
                std::future::pending::<()>().await;
            })
        })));
        for _ in 0..10 {
            assert!(futures_lite::future::poll_once(looping.as_mut()).await.is_none());
            yields(1).await;
        }
        gate.open();
        assert_eq!(looping.await.unwrap_err().cause, Cause::Cancelled);
    });
    assert_eq!(called.read(), [0]);
}
