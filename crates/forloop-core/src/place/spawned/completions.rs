//! What the tasks of a loop share with it: the list of those that have completed.

use core::task::Waker;

use super::sync::{AtomicBool, AtomicU32, AtomicWaker, Ordering};
use crate::engine::{Mutation, is_mutated};
use crate::wait_group::WaitGroup;

/// The list of the tasks that have completed, by the numbers of their slots.
///
/// *Pushing.* Each slot has a link to the one that completed before it. A task that has stored its outcome writes the
/// link and exchanges the head: one atomic operation, without a lock and without memory of the list's own. A
/// task that was pushed does not touch its slot any more.
///
/// *Taking.* The loop swaps the head for [`EMPTY`] and has all that have completed, the last one first. It never takes
/// a single one, so there is no ABA problem. The order in which tasks have pushed is the order of their completions.
///
/// *Sleep.* The loop registers its waker first, and then exchanges `EMPTY` for [`ASLEEP`]. If a task came first, the
/// exchange fails and the loop takes the list instead. A task that comes later replaces `ASLEEP` and wakes the loop, and
/// the tasks behind it do not. So a loop is woken once, however many tasks complete before it is polled.
///
/// *The end.* A loop that is dropped swaps the head for [`CLOSED`]. From then on nothing is pushed, and each task keeps
/// its outcome. The loop has counted its tasks in `left` before, and uncounts those that are in the list; a task that
/// finds the list closed uncounts itself. So the count is zero when the last one has stopped.
pub(super) struct Completions {
    /// No body of this loop is to be polled any more.
    is_cancelled: AtomicBool,
    /// The tasks that a dropped loop has left behind.
    left: WaitGroup,
    /// What each task changes is not on the cache line of what each task reads.
    _apart: [u8; 64],
    head: AtomicU32,
    parent: AtomicWaker,
}

/// No task has completed since the loop has taken the list. Also the link of the slot that was pushed first.
const EMPTY: u32 = u32::MAX;

/// As `EMPTY`, and the loop sleeps.
const ASLEEP: u32 = u32::MAX - 1;

/// The loop was dropped.
const CLOSED: u32 = u32::MAX - 2;

/// The number of slots that there are numbers for.
pub(super) const MOST_SLOTS: u32 = CLOSED;

/// The loop was dropped.
pub(super) struct LoopDropped;

impl Completions {
    pub(super) fn new() -> Self {
        Self {
            is_cancelled: AtomicBool::new(false),
            left: WaitGroup::default(),
            _apart: [0; 64],
            head: AtomicU32::new(EMPTY),
            parent: AtomicWaker::new(),
        }
    }

    /// Marks all tasks as cancelled.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    /// Pushes a slot, whose link to the slot before it is `link`.
    ///
    /// # Errors
    ///
    /// If the loop was dropped.
    #[inline]
    pub(super) fn push(&self, number: u32, link: &AtomicU32) -> Result<(), LoopDropped> {
        let mut head = self.head.load(Ordering::Acquire);
        while head != CLOSED {
            link.store(head, Ordering::Relaxed);
            let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
            match self.head.compare_exchange_weak(head, number, success, failure) {
                Ok(ASLEEP) if !is_mutated(Mutation::CompletesSilently) => {
                    self.parent.wake();
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(now) => head = now,
            }
        }
        Err(LoopDropped)
    }

    /// Takes the list, and returns the slot that was pushed last.
    #[inline]
    pub(super) fn take(&self) -> Option<u32> {
        if self.head.load(Ordering::Relaxed) == EMPTY {
            return None;
        }
        next(self.head.swap(EMPTY, Ordering::AcqRel))
    }

    /// Goes to sleep until a task completes, which then wakes `parent`. Returns `false` if one has completed already.
    pub(super) fn sleep(&self, parent: &Waker) -> bool {
        self.parent.register(parent);
        if is_mutated(Mutation::SleepsWithoutList) {
            return true;
        }
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        self.head.compare_exchange(EMPTY, ASLEEP, success, failure).is_ok()
    }

    /// Closes the list of a loop that is dropped while `running` tasks have not been taken from it, and takes it as
    /// [`take`](Self::take) does. The caller calls [`stopped`](Self::stopped) for each slot in it.
    pub(super) fn close(&self, running: usize) -> Option<u32> {
        self.left.add_many(running);
        let last = next(self.head.swap(CLOSED, Ordering::AcqRel));
        drop(self.parent.take());
        last
    }

    /// A task has stopped that was counted when the list was closed.
    pub(super) fn stopped(&self) {
        self.left.done();
    }

    /// Has the current wait group wait for the tasks that were counted.
    pub(super) fn join_wait_group(&self) {
        self.left.join_current();
    }
}

/// What a head or a link says: the next slot, if there is one.
#[inline]
pub(super) fn next(link: u32) -> Option<u32> {
    (link < CLOSED).then_some(link)
}

/// The link of the slot behind which there is none.
pub(super) const LAST: u32 = EMPTY;
