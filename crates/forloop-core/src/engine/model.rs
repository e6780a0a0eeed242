//! The list of woken slots under every interleaving: no wake is lost, none is seen twice, and a
//! sleeping loop is woken.
//!
//! `RUSTFLAGS="--cfg forloop_loom" cargo test --release -p forloop-core --lib model`

use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;

use loom::sync::Notify;
use loom::thread;

use super::ready::Ready;

/// Runs every interleaving with at most three preemptions: enough for every bug that was planted
/// here, and few enough to end.
fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

/// A parent that is parked until it is woken.
struct Parked(Notify);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Polls like a loop does until every slot was woken once, sleeping in between.
fn until_all_were_woken(ready: &mut Ready, slots: usize) -> Vec<usize> {
    let parked = Arc::new(Parked(Notify::new()));
    let parent = Waker::from(parked.clone());
    let mut woken = Vec::new();
    while woken.len() < slots {
        ready.take(|slot| woken.push(slot));
        if woken.len() < slots && ready.sleep(&parent) {
            parked.0.wait();
        }
    }
    woken.sort_unstable();
    woken
}

#[test]
fn wakes_of_one_group_from_two_threads_are_all_seen() {
    model(|| {
        let mut ready = Ready::new();
        let wakers: Vec<_> = (0..2).map(|slot| ready.waker(slot)).collect();
        for waker in wakers {
            thread::spawn(move || waker.wake());
        }
        assert_eq!(until_all_were_woken(&mut ready, 2), [0, 1]);
    });
}

#[test]
fn wakes_of_two_groups_from_two_threads_are_all_seen() {
    model(|| {
        let mut ready = Ready::new();
        let wakers: Vec<_> = (0..64).map(|slot| ready.waker(slot)).collect();
        for slot in [0, 63] {
            let waker = wakers[slot].clone();
            thread::spawn(move || waker.wake());
        }
        assert_eq!(until_all_were_woken(&mut ready, 2), [0, 63]);
    });
}

#[test]
fn a_wake_that_is_forgotten_loses_no_other() {
    model(|| {
        let mut ready = Ready::new();
        let wakers: Vec<_> = (0..64).map(|slot| ready.waker(slot)).collect();
        // Slot 1 was woken and its body has ended; others are woken meanwhile.
        wakers[1].wake_by_ref();
        for slot in [0, 63] {
            let waker = wakers[slot].clone();
            thread::spawn(move || waker.wake());
        }
        ready.forget(1);
        assert_eq!(until_all_were_woken(&mut ready, 2), [0, 63]);
    });
}

#[test]
fn a_slot_woken_from_two_threads_is_seen_at_least_once_and_never_after_it_was_taken() {
    model(|| {
        let mut ready = Ready::new();
        let waker = ready.waker(0);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let waker = waker.clone();
                thread::spawn(move || waker.wake())
            })
            .collect();
        assert_eq!(until_all_were_woken(&mut ready, 1), [0]);
        for thread in threads {
            thread.join().unwrap();
        }
        // The second wake may have come behind the first look, but only once.
        let mut again = 0;
        ready.take(|_| again += 1);
        assert!(again <= 1);
        ready.take(|_| panic!("a wake is seen once"));
    });
}

#[test]
fn a_wake_beside_the_end_of_the_loop_is_harmless() {
    model(|| {
        let mut ready = Ready::new();
        let waker = ready.waker(0);
        let parent = Waker::from(Arc::new(Parked(Notify::new())));
        assert!(ready.sleep(&parent));
        let thread = thread::spawn(move || waker.wake());
        drop(ready);
        thread.join().unwrap();
    });
}
