//! Wakes, polls, ends, cancels and teardowns under every interleaving: no wake is lost, none is seen
//! twice, a sleeping loop is woken, cells are touched by one thread at a time, and what wakers point
//! to is freed once and not before its time.
//!
//! `RUSTFLAGS="--cfg forloop_loom" cargo test --release -p forloop-core --lib model`

#![allow(unsafe_code, reason = "the engine's own: cells that are watched for races")]

pub(crate) mod negative_controls;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::Cell;
use core::future::poll_fn;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use loom::cell::UnsafeCell;
use loom::sync::Notify;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use super::ready::ReadyQueue;
use super::{Completion, FutureSet};
use crate::Outcome;
use crate::place::InlineJob;

/// A group, and a place in it.
type At = (usize, usize);

/// Runs every interleaving with at most three preemptions: more than any bug needs that was planted
/// here, and few enough to end.
fn model(test: impl Fn() + Send + Sync + 'static) {
    with_preemptions(3, test);
}

/// The same with at most two, for what would take minutes.
fn model_less(test: impl Fn() + Send + Sync + 'static) {
    with_preemptions(2, test);
}

fn with_preemptions(most: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(most);
    builder.check(test);
}

/// Whoever polls the loop is parked until it is woken.
struct Parked(
    Notify,
    #[expect(dead_code, reason = "it tells when it is gone")] loom::alloc::Track<()>,
);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

fn parked() -> (Arc<Parked>, Waker) {
    let parked = Arc::new(Parked(Notify::new(), loom::alloc::Track::new(())));
    (parked.clone(), Waker::from(parked))
}

fn ready(chunks: usize) -> ReadyQueue {
    let mut ready = ReadyQueue::new();
    ready.begin();
    if chunks > 1 {
        ready.grow(chunks - 1);
    }
    ready
}

fn waker(ready: &mut ReadyQueue, (number, offset): At) -> Waker {
    ready.chunk(number).waker(offset).clone()
}

/// Wakes on a thread of its own.
fn wake_elsewhere(ready: &mut ReadyQueue, at: At) -> thread::JoinHandle<()> {
    let waker = waker(ready, at);
    thread::spawn(move || waker.wake())
}

/// Takes all wakes so far, and counts those of each slot.
fn take(ready: &mut ReadyQueue, seen: &mut BTreeMap<At, usize>) {
    ready.take(|number, word| {
        for offset in super::slot::bits(word) {
            *seen.entry((number, offset)).or_default() += 1;
        }
    });
}

/// Does as a loop does until so many slots were woken, sleeping in between.
fn until_woken(ready: &mut ReadyQueue, slots: usize) -> Vec<At> {
    let mut seen = BTreeMap::new();
    let (parked, parent) = parked();
    loop {
        take(ready, &mut seen);
        if seen.len() == slots {
            assert!(seen.values().all(|&times| times == 1), "a wake is seen once");
            return seen.into_keys().collect();
        }
        if ready.sleep(&parent) {
            parked.0.wait();
        }
    }
}

/// Wakes as a body does while it is polled.
fn wake_within(ready: &mut ReadyQueue, (number, offset): At) {
    ready.enter().chunk(number).waker(offset).wake_by_ref();
}

fn wakes_of_one_group() {
    let mut ready = ready(1);
    wake_elsewhere(&mut ready, (0, 0));
    wake_elsewhere(&mut ready, (0, 62));
    assert_eq!(until_woken(&mut ready, 2), [(0, 0), (0, 62)]);
}

#[test]
fn wakes_of_one_group_from_two_threads_are_all_seen() {
    model(wakes_of_one_group);
}

fn wakes_of_two_groups() {
    let mut ready = ready(2);
    wake_elsewhere(&mut ready, (0, 0));
    wake_elsewhere(&mut ready, (1, 0));
    assert_eq!(until_woken(&mut ready, 2), [(0, 0), (1, 0)]);
}

#[test]
fn wakes_of_two_groups_from_two_threads_are_all_seen() {
    model(wakes_of_two_groups);
}

/// The group that was listed last is listed anew while the reader goes along the list: what is behind
/// it there must not be lost.
fn wakes_that_list_a_group_anew() {
    let mut ready = ready(2);
    let wakers = [(1, 0), (0, 0), (0, 1)].map(|at| waker(&mut ready, at));
    thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
    assert_eq!(until_woken(&mut ready, 3), [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn a_group_that_is_listed_anew_while_the_list_is_read_loses_no_wake() {
    model(wakes_that_list_a_group_anew);
}

/// What was done before a wake is seen by whoever takes it.
fn wakes_that_show_what_was_done() {
    let mut ready = ready(1);
    let cells: [_; 2] = core::array::from_fn(|_| Arc::new(UnsafeCell::new(0)));
    for (offset, cell) in cells.iter().enumerate() {
        let (waker, cell) = (waker(&mut ready, (0, offset)), cell.clone());
        thread::spawn(move || {
            cell.with_mut(|cell| set(cell, 7));
            waker.wake();
        });
    }
    until_woken(&mut ready, 2);
    cells.iter().for_each(|cell| cell.with_mut(|cell| set(cell, 8)));
}

#[test]
fn what_was_done_before_a_wake_is_seen_by_who_takes_it() {
    model(wakes_that_show_what_was_done);
}

#[test]
fn a_slot_woken_from_two_threads_is_seen_and_at_most_once_more() {
    model(|| {
        let mut ready = ready(1);
        let threads = [0, 0].map(|offset| wake_elsewhere(&mut ready, (0, offset)));
        assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
        for thread in threads {
            thread.join().unwrap();
        }
        let mut again = BTreeMap::new();
        take(&mut ready, &mut again);
        assert!(again.into_values().sum::<usize>() <= 1);
        ready.take(|_, _| panic!("a wake is seen once"));
    });
}

/// A body wakes a sibling while others are woken from elsewhere, in its group and in another.
fn wakes_from_within_and_elsewhere() {
    let mut ready = ready(2);
    wake_elsewhere(&mut ready, (0, 1));
    wake_elsewhere(&mut ready, (1, 0));
    wake_within(&mut ready, (0, 0));
    assert_eq!(until_woken(&mut ready, 3), [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn wakes_from_within_and_from_elsewhere_are_all_seen() {
    model_less(wakes_from_within_and_elsewhere);
}

/// A slot is woken from within and from elsewhere, while its loop is being polled.
fn wakes_of_one_slot_while_it_is_polled() {
    let mut ready = ready(1);
    let waker = waker(&mut ready, (0, 0));
    let elsewhere = waker.clone();
    let mut guard = ready.enter();
    let thread = thread::spawn(move || elsewhere.wake());
    waker.wake_by_ref();
    assert!(guard.chunk(0).is_woken(0));
    drop(guard);
    thread.join().unwrap();
    let mut seen = BTreeMap::new();
    take(&mut ready, &mut seen);
    assert!(matches!(seen[&(0, 0)], 1 | 2));
}

#[test]
fn a_slot_may_be_woken_from_within_and_elsewhere_at_once() {
    model(wakes_of_one_slot_while_it_is_polled);
}

/// A loop is polled here, then there: a wake from here takes the long way from then on.
#[test]
fn a_loop_that_went_to_another_thread_is_woken_from_the_first_as_from_any_other() {
    model(|| {
        let mut ready = ready(1);
        let waker = waker(&mut ready, (0, 0));
        wake_within(&mut ready, (0, 1));
        let there = thread::spawn(move || {
            wake_within(&mut ready, (0, 2));
            assert_eq!(until_woken(&mut ready, 3), [(0, 0), (0, 1), (0, 2)]);
        });
        waker.wake();
        there.join().unwrap();
    });
}

/// A body runs a loop of its own, and within that wakes a sibling.
#[test]
fn a_wake_from_a_loop_within_is_seen_by_the_loop_around() {
    model(|| {
        let (mut outer, mut inner) = (ready(1), ready(1));
        let of_outer = waker(&mut outer, (0, 0));
        wake_elsewhere(&mut outer, (0, 1));
        let guard = outer.enter();
        let mut within = inner.enter();
        of_outer.wake();
        within.chunk(0).waker(3).wake_by_ref();
        // In whatever order: coroutines may end in another than they have begun in.
        drop(guard);
        drop(within);
        assert_eq!(until_woken(&mut outer, 2), [(0, 0), (0, 1)]);
        assert_eq!(until_woken(&mut inner, 1), [(0, 3)]);
    });
}

/// Slot 1 was woken and its body has ended; others are woken meanwhile.
fn wakes_beside_a_forgotten_one() {
    let mut ready = ready(2);
    waker(&mut ready, (0, 1)).wake();
    wake_elsewhere(&mut ready, (0, 0));
    wake_elsewhere(&mut ready, (1, 0));
    ready.chunk(0).forget(1 << 1);
    assert_eq!(until_woken(&mut ready, 2), [(0, 0), (1, 0)]);
}

#[test]
fn a_wake_that_is_forgotten_loses_no_other() {
    model_less(wakes_beside_a_forgotten_one);
}

#[test]
fn a_wake_from_within_that_is_forgotten_loses_no_other() {
    model(|| {
        let mut ready = ready(1);
        wake_elsewhere(&mut ready, (0, 0));
        let mut guard = ready.enter();
        let wakers = guard.chunk(0);
        wakers.waker(1).wake_by_ref();
        wakers.waker(2).wake_by_ref();
        wakers.forget(1 << 1);
        drop(guard);
        assert_eq!(until_woken(&mut ready, 2), [(0, 0), (0, 2)]);
    });
}

/// A loop that has just been woken from within goes to sleep.
fn sleep_after_a_wake_from_within() {
    let mut ready = ready(1);
    wake_within(&mut ready, (0, 0));
    let (parked, parent) = parked();
    if ready.sleep(&parent) {
        parked.0.wait();
    }
    assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
}

#[test]
fn a_loop_that_was_woken_from_within_does_not_sleep() {
    model(sleep_after_a_wake_from_within);
}

#[test]
fn a_loop_that_sleeps_again_has_its_new_parent_woken() {
    model(|| {
        let mut ready = ready(1);
        let (first, parent) = parked();
        if ready.sleep(&parent) {
            wake_elsewhere(&mut ready, (0, 0));
            first.0.wait();
        }
        assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
        wake_elsewhere(&mut ready, (0, 1));
        assert_eq!(until_woken(&mut ready, 1), [(0, 1)]);
    });
}

/// Wakers are cloned, woken and dropped on two threads while the loop makes more groups and ends.
fn teardown_beside_wakers() {
    let mut ready = ready(1);
    for offset in 0..2 {
        let waker = waker(&mut ready, (0, offset));
        thread::spawn(move || {
            let clone = waker.clone();
            drop(waker);
            clone.wake();
        });
    }
    ready.grow(1);
    let (_, parent) = parked();
    ready.sleep(&parent);
}

#[test]
fn wakers_beside_the_end_of_the_loop_free_it_once() {
    model(teardown_beside_wakers);
}

#[test]
fn a_wake_after_the_end_of_the_loop_is_harmless() {
    model(|| {
        let mut ready = ready(2);
        let wakers = [(0, 0), (1, 0)].map(|at| waker(&mut ready, at));
        drop(ready);
        let threads = wakers.map(|waker| thread::spawn(move || waker.wake()));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Whoever is woken drops the loop, from within the wake.
struct Dropper(Mutex<Option<ReadyQueue>>);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

#[test]
fn a_wake_that_has_the_loop_dropped_is_harmless() {
    model(|| {
        let mut ready = ready(1);
        let wakers = [0, 1].map(|offset| waker(&mut ready, (0, offset)));
        let dropper = Arc::new(Dropper(Mutex::new(None)));
        assert!(ready.sleep(&Waker::from(dropper.clone())));
        *dropper.0.lock().unwrap() = Some(ready);
        let threads = wakers.map(|waker| thread::spawn(move || waker.wake()));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(dropper.0.lock().unwrap().is_none());
    });
}

/// A body that has itself woken from another thread, and then ends.
fn body(polls: Rc<Cell<usize>>) -> impl Future<Output = usize> {
    let cell = Arc::new(UnsafeCell::new(0));
    let mut is_begun = false;
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        if !core::mem::replace(&mut is_begun, true) {
            let (waker, cell) = (cx.waker().clone(), cell.clone());
            thread::spawn(move || {
                cell.with_mut(|cell| set(cell, 7));
                waker.wake();
            });
            return Poll::Pending;
        }
        // It is polled again for no other reason.
        cell.with_mut(|cell| set(cell, 8));
        Poll::Ready(7)
    })
}

/// Writes to a cell that loom watches.
fn set(cell: *mut usize, value: usize) {
    // SAFETY: loom gives the address of a cell that is there, and sees to it that nobody else is.
    unsafe { *cell = value }
}

/// A first body whose waker, the one it was given, is used by two threads while it is polled.
fn wakers_of_a_promise() {
    let mut is_begun = false;
    let first = poll_fn(move |cx| {
        if core::mem::replace(&mut is_begun, true) {
            return Poll::Ready(7);
        }
        // SAFETY: whoever has it is waited for.
        let waker: &'static Waker = unsafe { &*core::ptr::from_ref(cx.waker()) };
        let other = thread::spawn(move || waker.clone());
        let waker = waker.clone();
        let other = other.join().unwrap();
        assert!(waker.will_wake(&other), "both are of one slot");
        drop(waker);
        thread::spawn(move || other.wake());
        Poll::Pending
    });
    assert_eq!(until_ended(&mut started([first])), 1);
}

#[test]
fn what_wakers_point_to_is_made_once() {
    model(wakers_of_a_promise);
}

#[test]
fn a_first_body_that_is_woken_from_here_and_elsewhere_at_once_is_polled_once_more() {
    model(|| {
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        let first = poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            if counted.get() == 2 {
                return Poll::Ready(7);
            }
            // SAFETY: whoever has it is waited for.
            let waker: &'static Waker = unsafe { &*core::ptr::from_ref(cx.waker()) };
            let other = thread::spawn(move || waker.wake_by_ref());
            waker.wake_by_ref();
            other.join().unwrap();
            Poll::Pending
        });
        let mut set = started([first]);
        assert_eq!(until_ended(&mut set), 1);
        assert_eq!(polls.get(), 2);
    });
}

/// A set of bodies that go on.
fn started<F: Future<Output = usize>>(
    bodies: impl IntoIterator<Item = F>,
) -> FutureSet<InlineJob<F>> {
    let mut set = FutureSet::new();
    for (index, body) in bodies.into_iter().enumerate() {
        let mut body = Some(InlineJob::new(body));
        let started = set.start::<()>(
            None,
            1,
            || {
                body.take()
                    .map_or(ControlFlow::Break(()), |body| ControlFlow::Continue((index, body)))
            },
            |_| ControlFlow::Continue(()),
        );
        assert!(started.is_continue());
    }
    set
}

/// Does as a loop does until every body has ended; returns how many did.
fn until_ended<F: Future<Output = usize>>(set: &mut FutureSet<InlineJob<F>>) -> usize {
    let (parked, parent) = parked();
    let mut on_complete = 0;
    loop {
        let round = set.poll_round(&mut 0, usize::MAX, |end: Completion<usize>| {
            assert!(matches!(end.outcome, Outcome::Ok(7)), "{end:?}");
            on_complete += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(round.is_continue());
        if set.is_empty() {
            return on_complete;
        }
        if !set.next_round() && set.sleep(&Context::from_waker(&parent)) {
            parked.0.wait();
        }
    }
}

#[test]
fn bodies_that_are_woken_from_elsewhere_end_once_and_are_polled_once_per_wake() {
    with_preemptions(1, || {
        let polls = Rc::new(Cell::new(0));
        let mut set = started([0, 1].map(|_| body(polls.clone())));
        assert_eq!(until_ended(&mut set), 2);
        assert_eq!(polls.get(), 4);
        drop(set);
        assert_eq!(Rc::strong_count(&polls), 1);
    });
}

#[test]
fn bodies_that_are_cancelled_beside_their_wakes_are_dropped_once_and_their_slots_used_again() {
    model_less(|| {
        let polls = Rc::new(Cell::new(0));
        let first = Box::pin(body(polls.clone())) as Pin<Box<dyn Future<Output = usize>>>;
        let mut set = started([first]);
        set.cancel(|panic| panic!("{panic}"));
        assert!(set.is_empty());
        assert_eq!(Rc::strong_count(&polls), 1);
        // A late wake of the one before may have this one polled, too: once.
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
        set.insert(1, InlineJob::new(Box::pin(next) as Pin<Box<dyn Future<Output = usize>>>));
        assert_eq!(until_ended(&mut set), 1);
        assert!((1..=3).contains(&polls.get()));
    });
}

#[test]
fn bodies_that_are_dropped_beside_their_wakes_are_dropped_once() {
    model(|| {
        let polls = Rc::new(Cell::new(0));
        let mut set = started([0, 1].map(|_| body(polls.clone())));
        set.next_round();
        drop(set);
        assert_eq!(Rc::strong_count(&polls), 1);
    });
}

#[test]
fn bodies_that_wake_the_caller_itself_all_end() {
    model_less(|| {
        // One is polled for the other's wake, too.
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
        (0..2).for_each(|index| set.insert(index, InlineJob::new(body())));
        loop {
            set.mark_all_due();
            let round = set.poll_due(&parent, |end: Completion<usize>| {
                assert!(matches!(end.outcome, Outcome::Ok(7)), "{end:?}");
                ControlFlow::<()>::Continue(())
            });
            assert!(round.is_continue());
            if set.is_empty() {
                return;
            }
            if set.sleep(&Context::from_waker(&parent)) {
                parked.0.wait();
            }
        }
    });
}
