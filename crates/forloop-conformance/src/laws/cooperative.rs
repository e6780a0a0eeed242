//! Law 9: the executor gets its turn.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use forloop_core::{LoopError, TaskSet, each, local_scope, wait};
use futures_lite::StreamExt;

use crate::{Backend, Gate, Inline};

/// More than this in one poll is more than the laws allow.
const MOST: usize = 1000;

/// A body that is always ready to go on, and counts how often it is polled.
async fn restless(polls: &Cell<usize>, times: usize) {
    for _ in 0..times {
        polls.set(polls.get() + 1);
        futures_lite::future::yield_now().await;
    }
}

/// Polls a loop to its end, or a thousand times, and checks how many bodies each poll polls.
fn in_turns(polls: &Cell<usize>, looping: impl Future) {
    let mut looping = pin!(looping);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        polls.set(0);
        let polled = looping.as_mut().poll(&mut cx);
        assert!(polls.get() <= MOST, "{} bodies in one poll", polls.get());
        if polled.is_ready() {
            return;
        }
    }
}

/// Law 9
pub fn a_loop_of_restless_bodies_gives_way(_in_task: Inline) {
    let polls = Cell::new(0);
    for (bodies, times) in [(3, 2000), (300, 300), (5000, 3)] {
        let body = |_| restless(&polls, times);
        in_turns(&polls, each(0..bodies).unbounded().gather(body));
        in_turns(&polls, each(0..bodies).limit(2).unwrap().for_each(body));
        in_turns(&polls, each(0..bodies).unbounded().stream(body).collect::<Vec<_>>());
        let mut running = TaskSet::new((0..bodies).map(body));
        in_turns(&polls, wait(&mut running));
        let group = async {
            local_scope(|scope| {
                let polls = &polls;
                async move {
                    for _ in 0..bodies {
                        scope.spawn(async move {
                            restless(polls, times).await;
                            Ok(())
                        });
                    }
                    Ok::<(), LoopError<()>>(())
                }
            })
            .await
        };
        in_turns(&polls, group);
    }
}

/// Law 9
pub fn a_restless_consumer_beside_restless_bodies_gives_way(_in_task: Inline) {
    let polls = Cell::new(0);
    let looping = each(0..300).unbounded().stream(|_| restless(&polls, 300)).consume(|mut feed| {
        let polls = &polls;
        async move {
            restless(polls, 2000).await;
            while feed.next().await.is_some() {}
        }
    });
    in_turns(&polls, looping);
}

/// Law 9
pub fn bodies_that_are_ready_at_once_give_way(_in_task: Inline) {
    let polls = Cell::new(0);
    let body = |_| async { polls.set(polls.get() + 1) };
    in_turns(&polls, each(0..100_000).unbounded().gather(body));
    in_turns(&polls, each(0..100_000).limit(64).unwrap().for_each(body));
    let steps = Cell::new(0);
    let results = each(0..100_000).unbounded().stream_unordered(body);
    in_turns(&steps, results.for_each(async |()| steps.set(steps.get() + 1)));
}

/// Law 9
pub fn a_body_that_waits_is_not_starved_by_a_source_that_never_does(in_task: Inline) {
    let (gate, opened) = (Gate::default(), Cell::new(false));
    let looping = each(0_u64..).limit(3).unwrap().try_for_each(|n| {
        let (gate, opened) = (gate.clone(), &opened);
        async move {
            match n {
                0 => {
                    gate.passed().await;
                    opened.set(true);
                    return Err(());
                }
                5 => gate.open(),
                _ => {}
            }
            Ok(())
        }
    });
    assert!(in_task.block_on(looping).is_err());
    assert!(opened.get());
}

/// Law 9
pub fn a_body_is_polled_once_per_wake(_in_task: Inline) {
    let (polls, wakers) = (Cell::new(0), RefCell::new(Vec::new()));
    let done = Cell::new(false);
    let mut looping = pin!(each(0..100).unbounded().for_each(|_| {
        std::future::poll_fn(|cx| {
            polls.set(polls.get() + 1);
            wakers.borrow_mut().push(cx.waker().clone());
            if done.get() { Poll::Ready(()) } else { Poll::Pending }
        })
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(looping.as_mut().poll(&mut cx).is_pending());
    assert_eq!(polls.get(), 100);
    // However often a waker is called, and whoever holds it: one poll for each body woken.
    let held = wakers.take();
    for count in [1, 100, 7] {
        for waker in &held[..count] {
            waker.wake_by_ref();
            waker.wake_by_ref();
        }
        polls.set(0);
        assert!(looping.as_mut().poll(&mut cx).is_pending());
        assert!(looping.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls.get(), count);
    }
    done.set(true);
    for waker in held {
        waker.wake();
    }
    polls.set(0);
    assert!(looping.as_mut().poll(&mut cx).is_ready());
    assert_eq!(polls.get(), 100);
}

/// Law 9: a body that woke itself and then ended leaves no wake to whoever takes its place.
pub fn a_wake_of_a_body_that_has_ended_polls_no_other(_in_task: Inline) {
    let (polls, last) = (Cell::new(0), RefCell::new(None));
    let mut looping = pin!(each(0..4).sequential().for_each(|n| {
        let (polls, last) = (&polls, &last);
        std::future::poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            if n < 3 {
                return Poll::Ready(());
            }
            polls.set(polls.get() + 1);
            *last.borrow_mut() = Some(cx.waker().clone());
            if polls.get() == 1 { Poll::Pending } else { Poll::Ready(()) }
        })
    }));
    // Its own wake is the second poll's reason, and the only one.
    let mut cx = Context::from_waker(Waker::noop());
    while looping.as_mut().poll(&mut cx).is_pending() {}
    assert_eq!(polls.get(), 2);

    let (polls, wakers) = (Cell::new(0), RefCell::new(Vec::<Waker>::new()));
    let mut looping = pin!(each(0..2).sequential().for_each(|n| {
        let (polls, wakers) = (&polls, &wakers);
        std::future::poll_fn(move |cx| {
            wakers.borrow_mut().push(cx.waker().clone());
            if n == 0 {
                cx.waker().wake_by_ref();
                return Poll::Ready(());
            }
            polls.set(polls.get() + 1);
            Poll::Pending
        })
    }));
    for _ in 0..5 {
        assert!(looping.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(polls.get(), 1, "nobody has woken the second body");
}

/// Law 9: also while a consumer takes what has come while it was busy.
pub fn a_consumer_of_many_results_gives_way(in_task: Inline) {
    let (gate, taken) = (Gate::default(), Cell::new(0));
    let mut looping =
        pin!(each(0..5000).unbounded().stream(async |n: u64| n).consume(async |mut feed| {
            gate.passed().await;
            while feed.next().await.is_some() {
                taken.set(taken.get() + 1);
            }
        }));
    in_task.block_on(async {
        for _ in 0..200 {
            assert!(futures_lite::future::poll_once(looping.as_mut()).await.is_none());
        }
        gate.open();
        let mut before = 0;
        while futures_lite::future::poll_once(looping.as_mut()).await.is_none() {
            assert!(taken.get() - before <= MOST, "{} taken in one turn", taken.get() - before);
            before = taken.get();
        }
        assert!(taken.get() - before <= MOST);
    });
    assert_eq!(taken.get(), 5000);
}
