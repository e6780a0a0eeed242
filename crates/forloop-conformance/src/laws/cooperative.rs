//! Law 9: loops yield to the executor.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use forloop_core::{LoopError, TaskSet, each, local_scope, wait};
use futures_lite::StreamExt;

use crate::{Backend, Gate, Inline, Job, boxed, job};

/// The number of polls of bodies that law 9 allows in one poll of a loop.
const MOST: usize = 1000;

/// A body that wakes itself `times` times, and counts its polls.
async fn busy(polls: &Cell<usize>, times: usize) {
    for _ in 0..times {
        polls.set(polls.get() + 1);
        futures_lite::future::yield_now().await;
    }
}

/// Polls a loop until it is ready, but at most a thousand times, and checks how many bodies each poll polls.
fn check_each_poll(polls: &Cell<usize>, looping: impl Future) {
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

/// Law 9: A loop or group whose bodies always wake themselves yields after at most 1000 polls of bodies.
pub fn a_loop_of_busy_bodies_yields_to_the_executor(_in_task: Inline) {
    let polls = Cell::new(0);
    for (bodies, times) in [(3, 2000), (300, 300), (5000, 3)] {
        let body = |_| busy(&polls, times);
        check_each_poll(&polls, each(0..bodies).unbounded().gather(body));
        check_each_poll(&polls, each(0..bodies).limit(2).unwrap().for_each(body));
        check_each_poll(&polls, each(0..bodies).unbounded().stream(body).collect::<Vec<_>>());
        let mut running = TaskSet::new((0..bodies).map(body));
        check_each_poll(&polls, wait(&mut running));
        let group = async {
            local_scope(|scope| {
                let polls = &polls;
                async move {
                    for _ in 0..bodies {
                        scope.spawn(async move {
                            busy(polls, times).await;
                            Ok(())
                        });
                    }
                    Ok::<(), LoopError<()>>(())
                }
            })
            .await
        };
        check_each_poll(&polls, group);
    }
}

/// Law 9: A loop yields to the executor if its consumer and its bodies always wake themselves.
pub fn a_busy_consumer_beside_busy_bodies_yields_to_the_executor(_in_task: Inline) {
    let polls = Cell::new(0);
    let looping = each(0..300).unbounded().stream(|_| busy(&polls, 300)).consume(|mut receiver| {
        let polls = &polls;
        async move {
            busy(polls, 2000).await;
            while receiver.next().await.is_some() {}
        }
    });
    check_each_poll(&polls, looping);
}

/// Law 9: A loop yields to the executor if every body is ready on its first poll.
pub fn a_loop_of_ready_bodies_yields_to_the_executor(_in_task: Inline) {
    let polls = Cell::new(0);
    let body = |_| async { polls.set(polls.get() + 1) };
    check_each_poll(&polls, each(0..100_000).unbounded().gather(body));
    check_each_poll(&polls, each(0..100_000).limit(64).unwrap().for_each(body));
    let steps = Cell::new(0);
    let results = each(0..100_000).unbounded().stream_unordered(body);
    check_each_poll(&steps, results.for_each(async |()| steps.set(steps.get() + 1)));
}

/// Law 9: Loops inside each other in a body yield after at most 1000 polls of their bodies together.
pub fn the_loops_inside_a_body_share_its_turn<B: Backend>(backend: B) {
    let most = Arc::new(AtomicUsize::new(0));
    let looping = each(0..1).unbounded().at(backend.place()).for_each(boxed(|_: u64| {
        let (most, polls) = (most.clone(), Arc::new(AtomicUsize::new(0)));
        job(async move {
            let mut nested = nested(polls.clone(), &[4, 10, 40]);
            poll_fn(|cx| {
                let before = polls.load(Relaxed);
                let polled = nested.as_mut().poll(cx);
                most.fetch_max(polls.load(Relaxed) - before, Relaxed);
                polled
            })
            .await;
            assert_eq!(polls.load(Relaxed), 4 * 10 * 40);
        })
    }));
    backend.block_on(looping);
    assert!(most.load(Relaxed) <= MOST, "{most:?} bodies in one poll");
}

/// Loops inside each other, each with so many bodies. Counts the polls of the innermost.
fn nested(polls: Arc<AtomicUsize>, bodies: &'static [u64]) -> Job<()> {
    job(async move {
        let Some((&bodies, inside)) = bodies.split_first() else {
            polls.fetch_add(1, Relaxed);
            return;
        };
        let looping = each(0..bodies).limit(4).unwrap();
        looping.for_each(|_: u64| nested(polls.clone(), inside)).await;
    })
}

/// Law 9: A woken body is polled even if the source is always ready.
pub fn a_source_that_is_always_ready_does_not_starve_a_woken_body(in_task: Inline) {
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

/// Law 9: A body is polled once after it was woken, even if it was woken several times.
pub fn a_body_is_polled_once_per_wake(_in_task: Inline) {
    let (polls, wakers) = (Cell::new(0), RefCell::new(Vec::new()));
    let done = Cell::new(false);
    let mut looping = pin!(each(0..100).unbounded().for_each(|_| {
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            wakers.borrow_mut().push(cx.waker().clone());
            if done.get() { Poll::Ready(()) } else { Poll::Pending }
        })
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(looping.as_mut().poll(&mut cx).is_pending());
    assert_eq!(polls.get(), 100);
    // Each body that was woken is polled once, although its waker was called twice.
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

/// Law 9: A wake of a completed body does not poll the body that reuses its slot.
pub fn a_wake_of_a_completed_body_polls_no_other_body(_in_task: Inline) {
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
    // The body's own wake causes its second poll, and there is no third.
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
    assert_eq!(polls.get(), 1, "no waker of the second body was called");
}

/// Law 9: A consumer that receives many buffered results yields to the executor.
pub fn a_consumer_of_many_results_yields_to_the_executor(in_task: Inline) {
    let (gate, taken) = (Gate::default(), Cell::new(0));
    let mut looping =
        pin!(each(0..5000).unbounded().stream(async |n: u64| n).consume(async |mut receiver| {
            gate.passed().await;
            while receiver.next().await.is_some() {
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
            assert!(taken.get() - before <= MOST, "{} taken in one poll", taken.get() - before);
            before = taken.get();
        }
        assert!(taken.get() - before <= MOST);
    });
    assert_eq!(taken.get(), 5000);
}
