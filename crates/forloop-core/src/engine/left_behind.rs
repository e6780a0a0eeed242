//! The tasks that timed-out bodies have left behind, by the slot of the body.
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
use crate::wait_group::WaitGroup;

/// Slots whose bodies have left tasks behind.
#[derive(Default)]
pub(super) struct LeftBehind {
    /// [`Drop`] empties it. Without that, each program would compile how a map is dropped.
    wait_groups: ManuallyDrop<BTreeMap<Slot, Arc<WaitGroup>>>,
}

impl LeftBehind {
    pub(super) fn is_empty(&self) -> bool {
        self.wait_groups.is_empty()
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.wait_groups.contains_key(&slot)
    }

    pub(super) fn insert(&mut self, slot: Slot, wait_group: Arc<WaitGroup>) {
        self.wait_groups.insert(slot, wait_group);
    }

    /// Polls the tasks of a slot, and forgets them once they have stopped. `None` if it has none.
    pub(super) fn poll(&mut self, slot: Slot, waker: &Waker) -> Option<Poll<()>> {
        let polled = self.wait_groups.get(&slot)?.poll_wait(&mut Context::from_waker(waker));
        if polled.is_ready() {
            self.wait_groups.remove(&slot);
        }
        Some(polled)
    }
}

impl Drop for LeftBehind {
    fn drop(&mut self) {
        // An empty map has no memory.
        drop(core::mem::take(&mut *self.wait_groups));
    }
}
