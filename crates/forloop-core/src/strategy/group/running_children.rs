//! The wakers of the children of a task group.
//!
//! A group must be able to wake every child that waits, because a child that waits does not see that its group was
//! closed. And it must keep nothing of a child that has completed, however long its driver is not polled: a body may
//! spawn children in a plain loop, and then its driver is in the middle of a poll all the time. So the set is not the
//! driver's. A child adds its waker when it is polled for the first time, or with another waker than before, and removes
//! it when it completes. A child that was not polled yet needs no wake: its runtime will poll it.
//!
//! No thread waits for another. The set is behind a lock that is only ever tried. A thread that does not get it
//! leaves its change in a queue, and the thread that has the lock applies it. After every unlock, that thread looks for
//! changes that came while it had the lock: it unlocks and then loads the queue, while the other pushes its change and
//! then tries the lock again. A fence is between the two steps on both sides, so one of them sees the step of the
//! other. No waker is called or dropped under the lock.
//!
//! The set has one waker for each child that is alive, and its pages are freed when they are empty.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::mem;
use core::sync::atomic::{Ordering, fence};
use core::task::Waker;

use concurrent_queue::ConcurrentQueue;
use try_lock::TryLock;

use crate::outcome::catch;

/// The number of children whose wakers are side by side. Few, because one that stays keeps the page.
const PAGE: usize = 8;

type Page = [Option<Waker>; PAGE];

/// By index, in pages.
#[derive(Default)]
struct Wakers(BTreeMap<usize, Box<Page>>);

/// The wakers of the children that run.
pub(super) struct RunningChildren {
    /// `None` once the children were woken to stop: those that come later see by themselves that their group is closed.
    wakers: TryLock<Option<Wakers>>,
    /// The changes that came while another thread had the lock.
    changes: ConcurrentQueue<Change>,
}

enum Change {
    Add(usize, Waker),
    Remove(usize),
    /// Empty the set, and wake what was in it.
    WakeAll,
}

/// What a change has removed.
enum Removed {
    /// To be dropped.
    One(Option<Waker>),
    /// To be woken.
    All(Wakers),
}

impl RunningChildren {
    pub(super) fn new() -> Self {
        Self {
            wakers: TryLock::new(Some(Wakers::default())),
            changes: ConcurrentQueue::unbounded(),
        }
    }

    /// Has `waker` woken when the group is closed, and not the one that was added for this child before.
    pub(super) fn add(&self, index: usize, waker: Waker) {
        self.apply(Change::Add(index, waker));
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
            if let Some(mut wakers) = self.wakers.try_lock() {
                // The changes in the queue are earlier.
                let next = self.changes.pop().ok().or_else(|| change.take());
                let removed = next.map(|next| next.apply_to(&mut wakers));
                drop(wakers);
                removed.into_iter().for_each(Removed::handle);
                fence(Ordering::SeqCst);
                if change.is_none() && self.changes.is_empty() {
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
    fn apply_to(self, wakers: &mut Option<Wakers>) -> Removed {
        match (self, wakers) {
            (Self::Add(index, waker), Some(wakers)) => Removed::One(wakers.replace(index, waker)),
            (Self::Add(_, waker), None) => Removed::One(Some(waker)),
            (Self::Remove(index), Some(wakers)) => Removed::One(wakers.remove(index)),
            (Self::Remove(_), None) => Removed::One(None),
            (Self::WakeAll, wakers) => Removed::All(mem::take(wakers).unwrap_or_default()),
        }
    }
}

impl Removed {
    /// A waker may panic, and must not hinder the others.
    fn handle(self) {
        match self {
            Self::One(waker) => drop(catch(|| drop(waker))),
            Self::All(Wakers(pages)) => {
                for waker in pages.into_values().flat_map(|page| *page).flatten() {
                    drop(catch(|| waker.wake()));
                }
            }
        }
    }
}

impl Wakers {
    fn replace(&mut self, index: usize, waker: Waker) -> Option<Waker> {
        self.0.entry(index / PAGE).or_default()[index % PAGE].replace(waker)
    }

    fn remove(&mut self, index: usize) -> Option<Waker> {
        let page = self.0.get_mut(&(index / PAGE))?;
        let waker = page[index % PAGE].take();
        if page.iter().all(Option::is_none) {
            self.0.remove(&(index / PAGE));
        }
        waker
    }
}
