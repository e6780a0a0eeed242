//! What the handles of any group share with its driver.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::Waker;

use atomic_waker::AtomicWaker;

use crate::Closed;

/// Set in the count of active tasks once the group is closed: no child is admitted any more, and none is polled.
///
/// Flag and count are one word, so that a child is either admitted before the group closes, and waited for, or
/// refused.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// Set in the same word until the body of the group has completed.
const BODY: usize = CLOSED >> 1;

/// What the handles of any group share with its driver.
pub(super) struct GroupState {
    /// The admitted children that have not completed, [`BODY`], and [`CLOSED`]. Without the first two the group is
    /// complete, and admits no child either.
    active: AtomicUsize,
    next_index: AtomicUsize,
    cancelled: AtomicBool,
    driver: AtomicWaker,
}

impl GroupState {
    /// A group whose body has not completed.
    pub(super) fn new() -> Self {
        Self {
            active: AtomicUsize::new(BODY),
            next_index: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            driver: AtomicWaker::new(),
        }
    }

    /// Admits a child, unless the group is closed, and returns its index. The child must be counted as
    /// [completed](Self::complete) later.
    pub(super) fn admit(&self) -> Result<usize, Closed> {
        let admitted = self.active.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |active| {
            (active != 0 && active & CLOSED == 0).then_some(active + 1)
        });
        match admitted {
            Ok(_) => Ok(self.next_index.fetch_add(1, Ordering::Relaxed)),
            Err(_) => Err(Closed),
        }
    }

    /// Cancels the group.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.close();
        self.wake();
    }

    /// Admits no child any more, and has none polled.
    pub(super) fn close(&self) {
        self.active.fetch_or(CLOSED, Ordering::SeqCst);
    }

    /// Whether the group was cancelled, has failed, or was dropped.
    pub(super) fn is_closed(&self) -> bool {
        self.active.load(Ordering::SeqCst) & CLOSED != 0
    }

    /// Whether the group was cancelled through a handle.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Counts children as completed. Returns whether the group is complete with them.
    pub(super) fn complete(&self, count: usize) -> bool {
        self.active.fetch_sub(count, Ordering::SeqCst) & !CLOSED == count
    }

    /// Counts the body as completed, once.
    pub(super) fn complete_body(&self) {
        self.complete(BODY);
    }

    /// The number of children that have not completed.
    pub(super) fn len(&self) -> usize {
        self.active.load(Ordering::SeqCst) & !(CLOSED | BODY)
    }

    /// Whether the body and every child have completed.
    pub(super) fn is_complete(&self) -> bool {
        self.active.load(Ordering::SeqCst) & !CLOSED == 0
    }

    /// Wakes the driver.
    pub(super) fn wake(&self) {
        self.driver.wake();
    }

    /// Has `waker` woken by [`wake`](Self::wake).
    pub(super) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
    }

    /// Has it wake nothing: the driver is being polled.
    pub(super) fn unregister(&self) {
        drop(self.driver.take());
    }
}

impl fmt::Debug for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.active.load(Ordering::Relaxed);
        f.debug_struct("GroupState")
            .field("children", &(active & !(CLOSED | BODY)))
            .field("closed", &(active & CLOSED != 0 || active == 0))
            .finish_non_exhaustive()
    }
}
