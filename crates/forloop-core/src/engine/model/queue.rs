//! The ready queue: wakes, sleep and teardown.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;
use std::sync::Mutex;

use loom::cell::UnsafeCell;
use loom::thread;

use super::super::bit_set::bits;
use super::super::ready::ReadyQueue;
use super::{model, model_with_two_preemptions, parked, write};

/// A slot: the number of its chunk, and its offset.
type SlotName = (usize, usize);

fn ready(chunks: usize) -> ReadyQueue {
    let mut ready = ReadyQueue::new();
    ready.begin();
    if chunks > 1 {
        ready.grow_to(chunks);
    }
    ready
}

fn waker(ready: &mut ReadyQueue, (number, offset): SlotName) -> Waker {
    ready.chunk(number).waker(offset).clone()
}

/// Wakes on a thread of its own.
fn wake_on_a_thread(ready: &mut ReadyQueue, slot: SlotName) -> thread::JoinHandle<()> {
    let waker = waker(ready, slot);
    thread::spawn(move || waker.wake())
}

/// Wakes as a body does while it is polled.
fn wake_as_owner(ready: &mut ReadyQueue, (number, offset): SlotName) {
    ready.enter().chunk(number).waker(offset).wake_by_ref();
}

/// Takes all wakes so far, and counts those of each slot.
fn take(ready: &mut ReadyQueue, taken: &mut BTreeMap<SlotName, usize>) {
    ready.take(|number, woken| {
        for offset in bits(woken) {
            *taken.entry((number, offset)).or_default() += 1;
        }
    });
}

/// Takes wakes and sleeps, as a loop does, until `slots` slots were woken.
fn until_woken(ready: &mut ReadyQueue, slots: usize) -> Vec<SlotName> {
    let mut taken = BTreeMap::new();
    let (parked, parent) = parked();
    loop {
        take(ready, &mut taken);
        if taken.len() == slots {
            assert!(taken.values().all(|&times| times == 1), "a wake is taken once");
            return taken.into_keys().collect();
        }
        if ready.sleep(&parent) {
            parked.0.wait();
        } else {
            // As a loop does: it yields to its executor.
            thread::yield_now();
        }
    }
}

fn wakes_of_one_chunk() {
    let mut ready = ready(1);
    wake_on_a_thread(&mut ready, (0, 0));
    wake_on_a_thread(&mut ready, (0, 62));
    assert_eq!(until_woken(&mut ready, 2), [(0, 0), (0, 62)]);
}

#[test]
fn wakes_of_one_chunk_from_two_threads_are_all_taken() {
    model(wakes_of_one_chunk);
}

fn wakes_of_two_chunks() {
    let mut ready = ready(2);
    wake_on_a_thread(&mut ready, (0, 0));
    wake_on_a_thread(&mut ready, (1, 0));
    assert_eq!(until_woken(&mut ready, 2), [(0, 0), (1, 0)]);
}

#[test]
fn wakes_of_two_chunks_from_two_threads_are_all_taken() {
    model(wakes_of_two_chunks);
}

/// The chunk at the head of the queue is pushed again while the reader follows the links. The chunks behind
/// it must not be lost.
fn wakes_that_push_a_chunk_again() {
    let mut ready = ready(2);
    let wakers = [(1, 0), (0, 0), (0, 1)].map(|at| waker(&mut ready, at));
    thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
    assert_eq!(until_woken(&mut ready, 3), [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn a_chunk_that_is_pushed_again_while_the_queue_is_read_loses_no_wake() {
    model(wakes_that_push_a_chunk_again);
}

/// Two threads write to a cell and wake; the reader writes to both cells after it has taken the wakes.
fn writes_before_wakes() {
    let mut ready = ready(1);
    let cells: [_; 2] = core::array::from_fn(|_| Arc::new(UnsafeCell::new(0)));
    for (offset, cell) in cells.iter().enumerate() {
        let (waker, cell) = (waker(&mut ready, (0, offset)), cell.clone());
        thread::spawn(move || {
            cell.with_mut(|cell| write(cell, 7));
            waker.wake();
        });
    }
    until_woken(&mut ready, 2);
    cells.iter().for_each(|cell| cell.with_mut(|cell| write(cell, 8)));
}

#[test]
fn what_happens_before_a_wake_is_visible_to_the_reader() {
    model(writes_before_wakes);
}

#[test]
fn a_slot_woken_by_two_threads_is_taken_once_or_twice() {
    model(|| {
        let mut ready = ready(1);
        let threads = [0, 0].map(|offset| wake_on_a_thread(&mut ready, (0, offset)));
        assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
        for thread in threads {
            thread.join().unwrap();
        }
        let mut again = BTreeMap::new();
        take(&mut ready, &mut again);
        assert!(again.into_values().sum::<usize>() <= 1);
        ready.take(|_, _| panic!("a wake is taken once"));
    });
}

/// A body wakes a sibling while other threads wake slots of the same chunk and of another.
fn wakes_by_owner_and_others() {
    let mut ready = ready(2);
    wake_on_a_thread(&mut ready, (0, 1));
    wake_on_a_thread(&mut ready, (1, 0));
    wake_as_owner(&mut ready, (0, 0));
    assert_eq!(until_woken(&mut ready, 3), [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn wakes_by_the_owner_and_by_other_threads_are_all_taken() {
    model_with_two_preemptions(wakes_by_owner_and_others);
}

/// The owner and another thread wake one slot while the loop is being polled.
fn wakes_of_one_slot_during_a_poll() {
    let mut ready = ready(1);
    let waker = waker(&mut ready, (0, 0));
    let other = waker.clone();
    let mut guard = ready.enter();
    let thread = thread::spawn(move || other.wake());
    waker.wake_by_ref();
    assert!(guard.chunk(0).is_woken(0));
    drop(guard);
    thread.join().unwrap();
    let mut seen = BTreeMap::new();
    take(&mut ready, &mut seen);
    assert!(matches!(seen[&(0, 0)], 1 | 2));
}

#[test]
fn a_slot_may_be_woken_by_the_owner_and_another_thread_at_once() {
    model(wakes_of_one_slot_during_a_poll);
}

/// A loop is polled on one thread and then on another. From then on, a wake by the first thread takes the
/// path with atomics.
#[test]
fn a_loop_that_moved_to_another_thread_takes_wakes_from_the_first() {
    model(|| {
        let mut ready = ready(1);
        let waker = waker(&mut ready, (0, 0));
        wake_as_owner(&mut ready, (0, 1));
        let second = thread::spawn(move || {
            wake_as_owner(&mut ready, (0, 2));
            assert_eq!(until_woken(&mut ready, 3), [(0, 0), (0, 1), (0, 2)]);
        });
        waker.wake();
        second.join().unwrap();
    });
}

/// A body polls a nested loop, and wakes a sibling from a body of that loop.
#[test]
fn a_wake_from_a_nested_loop_is_taken_by_the_outer_loop() {
    model(|| {
        let (mut outer, mut inner) = (ready(1), ready(1));
        let of_outer = waker(&mut outer, (0, 0));
        wake_on_a_thread(&mut outer, (0, 1));
        let guard = outer.enter();
        let mut inner_guard = inner.enter();
        of_outer.wake();
        inner_guard.chunk(0).waker(3).wake_by_ref();
        // Not in the order of a stack, as it may happen with coroutines.
        drop(guard);
        drop(inner_guard);
        assert_eq!(until_woken(&mut outer, 2), [(0, 0), (0, 1)]);
        assert_eq!(until_woken(&mut inner, 1), [(0, 3)]);
    });
}

/// Slot 1 was woken and its body has completed. Other slots are woken meanwhile.
fn wakes_around_a_forgotten_one() {
    let mut ready = ready(2);
    waker(&mut ready, (0, 1)).wake();
    wake_on_a_thread(&mut ready, (0, 0));
    wake_on_a_thread(&mut ready, (1, 0));
    ready.chunk(0).forget(1 << 1);
    assert_eq!(until_woken(&mut ready, 2), [(0, 0), (1, 0)]);
}

#[test]
fn forgetting_a_wake_loses_no_other() {
    model_with_two_preemptions(wakes_around_a_forgotten_one);
}

#[test]
fn forgetting_a_wake_by_the_owner_loses_no_other() {
    model(|| {
        let mut ready = ready(1);
        wake_on_a_thread(&mut ready, (0, 0));
        let mut guard = ready.enter();
        let wakers = guard.chunk(0);
        wakers.waker(1).wake_by_ref();
        wakers.waker(2).wake_by_ref();
        wakers.forget(1 << 1);
        drop(guard);
        assert_eq!(until_woken(&mut ready, 2), [(0, 0), (0, 2)]);
    });
}

/// A loop that was just woken by its owner goes to sleep.
fn sleep_after_a_wake_by_the_owner() {
    let mut ready = ready(1);
    wake_as_owner(&mut ready, (0, 0));
    let (parked, parent) = parked();
    if ready.sleep(&parent) {
        parked.0.wait();
    }
    assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
}

#[test]
fn a_loop_that_was_woken_by_its_owner_does_not_sleep() {
    model(sleep_after_a_wake_by_the_owner);
}

/// A loop sleeps twice, each time with another parent. The wake of the first sleep may still be under way.
fn two_sleeps() {
    let mut ready = ready(1);
    let (first, parent) = parked();
    wake_on_a_thread(&mut ready, (0, 0));
    if ready.sleep(&parent) {
        first.0.wait();
    }
    assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
    wake_on_a_thread(&mut ready, (0, 1));
    assert_eq!(until_woken(&mut ready, 1), [(0, 1)]);
}

#[test]
fn a_loop_that_sleeps_again_wakes_its_new_parent() {
    model(two_sleeps);
}

/// A loop is polled while it sleeps and sleeps again, with another parent.
#[test]
fn a_loop_that_is_polled_while_it_sleeps_wakes_its_new_parent() {
    model(|| {
        let mut ready = ready(1);
        let waker = waker(&mut ready, (0, 0));
        let (_, parent) = parked();
        assert!(ready.sleep(&parent));
        thread::spawn(move || waker.wake());
        assert_eq!(until_woken(&mut ready, 1), [(0, 0)]);
    });
}

/// Wakers are cloned on one thread and dropped on the other, also after the loop: either part of the reference count may
/// be negative.
fn references_of_both_kinds() {
    let mut ready = ready(1);
    let elsewhere = [0, 1, 2].map(|offset| waker(&mut ready, (0, offset)));
    let mut guard = ready.enter();
    let [first, second] = [0, 1].map(|offset| guard.chunk(0).waker(offset).clone());
    let thread = thread::spawn(move || first.wake());
    drop(elsewhere);
    drop(guard);
    drop(ready);
    drop(second);
    thread.join().unwrap();
}

#[test]
fn wakers_counted_by_the_owner_and_by_others_are_freed_once() {
    model(references_of_both_kinds);
}

/// Wakers are cloned, woken and dropped on two threads while the loop makes more chunks and is dropped.
fn teardown_while_wakers_are_used() {
    let mut ready = ready(1);
    for offset in 0..2 {
        let waker = waker(&mut ready, (0, offset));
        thread::spawn(move || {
            let clone = waker.clone();
            drop(waker);
            clone.wake();
        });
    }
    ready.grow_to(2);
    let (_, parent) = parked();
    ready.sleep(&parent);
}

#[test]
fn wakers_that_race_with_the_end_of_the_loop_free_it_once() {
    model(teardown_while_wakers_are_used);
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

/// A parent that drops the loop from within the wake.
struct Dropper(Mutex<Option<ReadyQueue>>);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

#[test]
fn a_parent_may_drop_the_loop_when_it_is_woken() {
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
