//! The set: bodies that complete, are cancelled and are dropped while other threads wake them.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::Cell;
use core::future::poll_fn;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;
use pin_project_lite::pin_project;

use super::super::{Completion, FutureSet, JobHandle};
use super::{check, lend, model, model_with_two_preemptions, parked, write};
use crate::outcome::Outcome;

pin_project! {
    /// A body in the caller's task.
    struct Job<F> {
        #[pin]
        body: F,
    }
}

impl<F: Future> Job<F> {
    fn new(body: F) -> Self {
        Self { body }
    }
}

impl<F: Future> JobHandle for Job<F> {
    type Output = F::Output;

    const INLINE: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<F::Output>> {
        self.project().body.poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn sequence(&self) -> usize {
        0
    }

    fn next_sequence() -> usize {
        0
    }
}

/// A body that is woken by another thread, and completes at its second poll.
fn body(polls: Rc<Cell<usize>>) -> impl Future<Output = usize> {
    let cell = Arc::new(UnsafeCell::new(0));
    let mut was_polled = false;
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        if !core::mem::replace(&mut was_polled, true) {
            let (waker, cell) = (cx.waker().clone(), cell.clone());
            thread::spawn(move || {
                cell.with_mut(|cell| write(cell, 7));
                waker.wake();
            });
            return Poll::Pending;
        }
        // Only the wake may have caused this poll.
        cell.with_mut(|cell| write(cell, 8));
        Poll::Ready(7)
    })
}

/// A first body whose own waker is used by two threads while it is polled.
fn first_body_that_lends_its_waker() {
    let mut was_polled = false;
    let first = poll_fn(move |cx| {
        if core::mem::replace(&mut was_polled, true) {
            return Poll::Ready(7);
        }
        let waker = lend(cx.waker());
        let other = thread::spawn(move || waker.clone());
        let waker = waker.clone();
        let other = other.join().unwrap();
        assert!(waker.will_wake(&other), "both belong to one slot");
        drop(waker);
        thread::spawn(move || other.wake());
        Poll::Pending
    });
    assert_eq!(run_to_completion(&mut started([first])), 1);
}

#[test]
fn what_wakers_point_to_is_made_once() {
    model(first_body_that_lends_its_waker);
}

#[test]
fn a_first_body_that_two_threads_wake_is_polled_once_more() {
    model(|| {
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        let first = poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            if counted.get() == 2 {
                return Poll::Ready(7);
            }
            let waker = lend(cx.waker());
            let other = thread::spawn(move || waker.wake_by_ref());
            waker.wake_by_ref();
            other.join().unwrap();
            Poll::Pending
        });
        let mut set = started([first]);
        assert_eq!(run_to_completion(&mut set), 1);
        assert_eq!(polls.get(), 2);
    });
}

/// A set of bodies that are pending at their first poll.
fn started<F: Future<Output = usize>>(bodies: impl IntoIterator<Item = F>) -> FutureSet<Job<F>> {
    let mut set = FutureSet::new();
    for (index, body) in bodies.into_iter().enumerate() {
        let mut body = Some(Job::new(body));
        let started = set.start::<_, ()>(
            None,
            1,
            || {
                body.take()
                    .map_or(ControlFlow::Break(()), |body| ControlFlow::Continue((index, body)))
            },
            |_index, body| body,
            |_| ControlFlow::Continue(()),
        );
        assert!(started.is_continue());
    }
    set
}

/// Polls and sleeps, as a loop does, until every body has completed. Returns their number.
fn run_to_completion<F: Future<Output = usize>>(set: &mut FutureSet<Job<F>>) -> usize {
    let (parked, parent) = parked();
    let mut completions = 0;
    loop {
        let round = set.poll_round(&mut 0, usize::MAX, |completion: Completion<usize>| {
            assert!(matches!(completion.outcome, Outcome::Ok(7)), "{completion:?}");
            completions += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(round.is_continue());
        if set.is_empty() {
            return completions;
        }
        if !set.next_round() {
            if set.sleep(&Context::from_waker(&parent)) {
                parked.0.wait();
            } else {
                thread::yield_now();
            }
        }
    }
}

#[test]
fn bodies_woken_by_other_threads_complete_once_and_are_polled_once_per_wake() {
    check(1, || {
        let polls = Rc::new(Cell::new(0));
        let mut set = started([0, 1].map(|_| body(polls.clone())));
        assert_eq!(run_to_completion(&mut set), 2);
        assert_eq!(polls.get(), 4);
        drop(set);
        assert_eq!(Rc::strong_count(&polls), 1);
    });
}

#[test]
fn bodies_cancelled_during_their_wakes_are_dropped_once_and_their_slots_reused() {
    check(1, || {
        let polls = Rc::new(Cell::new(0));
        let first = Box::pin(body(polls.clone())) as Pin<Box<dyn Future<Output = usize>>>;
        let mut set = started([first]);
        set.cancel(|panic| panic!("{panic}"));
        assert!(set.is_empty());
        assert_eq!(Rc::strong_count(&polls), 1);
        // A late wake of the first body may poll this one, too, once.
        polls.set(0);
        let (counted, is_due) = (polls.clone(), Arc::new(AtomicBool::new(false)));
        let next = poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            if counted.get() == 1 {
                let (waker, is_due) = (cx.waker().clone(), is_due.clone());
                thread::spawn(move || {
                    is_due.store(true, Relaxed);
                    waker.wake();
                });
            }
            if is_due.load(Relaxed) { Poll::Ready(7_usize) } else { Poll::Pending }
        });
        set.insert(1, || Job::new(Box::pin(next) as Pin<Box<dyn Future<Output = usize>>>));
        assert_eq!(run_to_completion(&mut set), 1);
        assert!((1..=3).contains(&polls.get()));
    });
}

#[test]
fn bodies_dropped_during_their_wakes_are_dropped_once() {
    model(|| {
        let polls = Rc::new(Cell::new(0));
        let mut set = started([0, 1].map(|_| body(polls.clone())));
        set.next_round();
        drop(set);
        assert_eq!(Rc::strong_count(&polls), 1);
    });
}

#[test]
fn bodies_that_wake_the_parent_all_complete() {
    model_with_two_preemptions(|| {
        // A body is polled for the wake of the other, too.
        let body = || {
            let mut is_due = None;
            poll_fn(move |cx| {
                let Some(is_due) = &is_due else {
                    let (waker, due) = (cx.waker().clone(), Arc::new(AtomicBool::new(false)));
                    is_due = Some(due.clone());
                    thread::spawn(move || {
                        due.store(true, Relaxed);
                        waker.wake();
                    });
                    return Poll::Pending;
                };
                if is_due.load(Relaxed) { Poll::Ready(7_usize) } else { Poll::Pending }
            })
        };
        let (parked, parent) = parked();
        let mut set = FutureSet::new();
        (0..2).for_each(|index| set.insert(index, || Job::new(body())));
        loop {
            set.mark_all_due();
            let round = set.poll_due(&parent, |completion: Completion<usize>| {
                assert!(matches!(completion.outcome, Outcome::Ok(7)), "{completion:?}");
                ControlFlow::<()>::Continue(())
            });
            assert!(round.is_continue());
            if set.is_empty() {
                return;
            }
            if set.sleep(&Context::from_waker(&parent)) {
                parked.0.wait();
            } else {
                thread::yield_now();
            }
        }
    });
}
