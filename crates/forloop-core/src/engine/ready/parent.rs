//! The waker of the task that polls the loop, and who may touch it.
//!
//! Before it goes to sleep, the loop stores the waker and marks it as *lent*. What replaces
//! [`ASLEEP`](super::waker::ASLEEP) as the head of the queue owns the waker from then on, and exactly one does:
//!
//! - a wake. It moves the waker out, returns the empty place by clearing the mark, and then calls the waker. So
//!   nothing is held while foreign code runs.
//! - the loop itself, if it is polled for another reason or dropped. It clears the mark and keeps the waker for the
//!   next sleep.
//!
//! The exchange of the head orders the accesses: `Release` by the loop, `Acquire` by the wake. On the way back the mark
//! does: the wake clears it with `Release`, and the loop reads it with `Acquire` before it stores the next waker. A
//! loop that is polled while a wake is between the exchange and the clearing finds the mark still set. It cannot sleep
//! then, and yields to its executor instead. So neither side waits, and no operation here is a read-modify-write.

#![allow(unsafe_code, reason = "a waker that the loop and a wake own in turn")]

use core::task::Waker;

use super::super::atomic::{AtomicBool, Ordering, OwnerCell};
use super::super::mutations::{Mutation, is_mutated};

/// The waker of the task that polls the loop.
pub(super) struct Parent {
    waker: OwnerCell<Option<Waker>>,
    /// The waker belongs to what replaces `ASLEEP` next, or to the wake that has replaced it.
    is_lent: AtomicBool,
}

impl Parent {
    pub(super) fn new() -> Self {
        Self { waker: OwnerCell::new(None), is_lent: AtomicBool::new(false) }
    }

    /// Whether the waker was lent and has not been returned.
    #[inline]
    pub(super) fn is_lent(&self) -> bool {
        self.is_lent.load(Ordering::Acquire)
    }

    /// Stores the waker and marks it as lent, before the loop goes to sleep. Returns `false` if the last one has not been
    /// returned.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the loop's `ReadyQueue`.
    #[inline]
    pub(super) unsafe fn lend(&self, parent: &Waker) -> bool {
        if self.is_lent() && !is_mutated(Mutation::LendsTwice) {
            return false;
        }
        // SAFETY: the waker is not lent, so the caller owns it. The closure does not call back.
        let is_same = unsafe {
            self.waker.with(|waker| waker.as_ref().is_some_and(|waker| waker.will_wake(parent)))
        };
        if !is_same {
            let parent = Some(parent.clone());
            // SAFETY: as above.
            drop(unsafe { self.waker.with(|waker| core::mem::replace(waker, parent)) });
        }
        self.is_lent.store(true, Ordering::Relaxed);
        true
    }

    /// The loop takes the waker back.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the loop's `ReadyQueue`, and has replaced `ASLEEP` itself or has not slept.
    #[inline]
    pub(super) unsafe fn take_back(&self) {
        self.is_lent.store(false, Ordering::Relaxed);
    }

    /// Moves the waker out and returns the empty place to the loop.
    ///
    /// # Safety
    ///
    /// The caller owns the waker: it has replaced `ASLEEP`, or the waker is not lent and the caller has exclusive
    /// access to the loop's `ReadyQueue`.
    pub(super) unsafe fn take(&self) -> Option<Waker> {
        // SAFETY: the caller owns the waker. The closure does not call back.
        let waker = unsafe { self.waker.with(Option::take) };
        let order = if is_mutated(Mutation::ReturnsParentRelaxed) {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        self.is_lent.store(false, order);
        waker
    }
}
