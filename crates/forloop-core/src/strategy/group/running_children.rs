//! Which children of a task group run.
//!
//! A group must be able to wake every child that runs, because a child that waits does not see that its group was
//! closed. And it must keep nothing of a child that has completed, however long its driver is not polled: a body may
//! spawn children in a plain loop, and then its driver is in the middle of a poll all the time. So the set is not the
//! driver's. The thread that spawns a child adds it, and the thread that completes it removes it.
//!
//! No thread waits for another. The set is behind a lock that is only ever tried. A thread that does not get it
//! leaves its change in a queue, and the thread that has the lock applies it. After every unlock, that thread looks for
//! changes that came while it had the lock: it unlocks and then loads the queue, while the other pushes its change and
//! then tries the lock again. A fence is between the two steps on both sides, so one of them sees the step of the
//! other. A child is removed after it was added, because it is spawned in between.
//!
//! No waker is called and no value of a child is dropped under the lock. The set has weak references: it does not keep
//! a value that no handle will take.

use alloc::collections::BTreeMap;
use alloc::sync::Weak;
use core::mem;
use core::sync::atomic::{Ordering, fence};

use concurrent_queue::ConcurrentQueue;
use try_lock::TryLock;

use super::child::AnyChild;
use crate::outcome::catch;

/// A child on any thread.
pub(super) type Erased = dyn AnyChild + Send + Sync;

type ByIndex = BTreeMap<usize, Weak<Erased>>;

/// The children that run.
pub(super) struct RunningChildren {
    /// `None` once the children were woken to stop: those that come later see by themselves that their group is closed.
    by_index: TryLock<Option<ByIndex>>,
    /// The changes that came while another thread had the lock.
    changes: ConcurrentQueue<Change>,
}

enum Change {
    Add(usize, Weak<Erased>),
    Remove(usize),
    /// Empty the set, and wake what was in it.
    WakeAll,
}

impl RunningChildren {
    pub(super) fn new() -> Self {
        Self {
            by_index: TryLock::new(Some(BTreeMap::new())),
            changes: ConcurrentQueue::unbounded(),
        }
    }

    /// Adds a child that was admitted and not spawned yet.
    pub(super) fn add(&self, index: usize, child: Weak<Erased>) {
        self.apply(Change::Add(index, child));
    }

    /// Removes a child that has completed.
    pub(super) fn remove(&self, index: usize) {
        self.apply(Change::Remove(index));
    }

    /// Wakes every child, once the group was closed.
    pub(super) fn wake_all(&self) {
        self.apply(Change::WakeAll);
    }

    fn apply(&self, change: Change) {
        let mut change = Some(change);
        loop {
            if let Some(mut by_index) = self.by_index.try_lock() {
                let mut to_wake = None;
                // The changes in the queue are earlier.
                while let Some(next) = self.changes.pop().ok().or_else(|| change.take()) {
                    to_wake = next.apply_to(&mut by_index).or(to_wake);
                }
                drop(by_index);
                to_wake.into_iter().flatten().for_each(|(_, child)| wake(&child));
                fence(Ordering::SeqCst);
                if self.changes.is_empty() {
                    return;
                }
            } else if let Some(change) = change.take() {
                let is_open = self.changes.push(change).is_ok();
                debug_assert!(is_open, "the queue of changes is never closed");
                fence(Ordering::SeqCst);
            } else {
                // The thread that has the lock sees the change.
                return;
            }
        }
    }
}

impl Change {
    /// Returns the children to wake.
    fn apply_to(self, by_index: &mut Option<ByIndex>) -> Option<ByIndex> {
        match (self, by_index) {
            (Self::Add(index, child), Some(by_index)) => {
                by_index.insert(index, child);
                None
            }
            (Self::Remove(index), Some(by_index)) => {
                by_index.remove(&index);
                None
            }
            (Self::WakeAll, by_index) => mem::take(by_index),
            (Self::Add(..) | Self::Remove(_), None) => None,
        }
    }
}

fn wake(child: &Weak<Erased>) {
    // The last reference to a child that has just completed drops its value, which may panic.
    drop(catch(|| {
        if let Some(child) = child.upgrade() {
            child.wake();
        }
    }));
}
