//! The tasks that bodies have left behind which were stopped alone, by the slot of the body.
//!
//! A body has stopped only when its tasks have. Until then its slot is empty and stays taken: if it were free at
//! once, more bodies than the limit would run.
//!
//! Nothing here depends on the type of the body, so it is compiled once, and not for each loop of a program.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::mem::ManuallyDrop;
use core::task::{Context, Poll, Waker};

use super::slot::Slot;
use crate::outcome::Outcome;
use crate::wait_group::WaitGroup;

/// Why a body was stopped alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoppedBy {
    /// Its time-out.
    Timeout,
    /// The owner of its set.
    Cancellation,
}

impl StoppedBy {
    /// The outcome of a body that was stopped so.
    pub(super) fn outcome<T>(self) -> Outcome<T> {
        match self {
            Self::Timeout => Outcome::TimedOut,
            Self::Cancellation => Outcome::Cancelled,
        }
    }
}

/// Slots whose bodies have left tasks behind.
#[derive(Default)]
pub(super) struct LeftBehind {
    /// [`Drop`] empties it. Without that, each program would compile how a map is dropped.
    tasks: ManuallyDrop<BTreeMap<Slot, (Arc<WaitGroup>, StoppedBy)>>,
}

impl LeftBehind {
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.tasks.contains_key(&slot)
    }

    pub(super) fn insert(&mut self, slot: Slot, wait_group: Arc<WaitGroup>, by: StoppedBy) {
        self.tasks.insert(slot, (wait_group, by));
    }

    /// Polls the tasks of a slot, and forgets them once they have stopped. `None` if it has none.
    pub(super) fn poll(&mut self, slot: Slot, waker: &Waker) -> Option<Poll<StoppedBy>> {
        let (wait_group, by) = self.tasks.get(&slot)?;
        let polled = wait_group.poll_wait(&mut Context::from_waker(waker)).map(|()| *by);
        if polled.is_ready() {
            self.tasks.remove(&slot);
        }
        Some(polled)
    }
}

impl Drop for LeftBehind {
    fn drop(&mut self) {
        // An empty map has no memory.
        drop(core::mem::take(&mut *self.tasks));
    }
}
