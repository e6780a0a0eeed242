//! What the handles of a group share with its driver.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use core::task::Waker;

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;

use crate::outcome::catch;
use crate::{Closed, Panic};

/// Set in the count of active tasks once the group is closed: no child is admitted any more.
///
/// Flag and count are one word, so that a child is either admitted before the group closes, and waited for, or
/// refused.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// What the handles of a group share with its driver.
pub(super) struct GroupState<J> {
    /// Children that were admitted and that the driver has not taken yet.
    arrivals: ConcurrentQueue<(usize, J)>,
    /// The body and the admitted children that have not completed, and [`CLOSED`]. At zero the group is complete,
    /// and admits no child either.
    active: AtomicUsize,
    next_index: AtomicUsize,
    cancelled: AtomicBool,
    /// The driver was dropped, and takes no arrivals any more.
    driver_is_gone: AtomicBool,
    driver: AtomicWaker,
}

impl<J> GroupState<J> {
    /// A group whose body has not completed.
    pub(super) fn new() -> Self {
        Self {
            arrivals: ConcurrentQueue::unbounded(),
            active: AtomicUsize::new(1),
            next_index: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            driver_is_gone: AtomicBool::new(false),
            driver: AtomicWaker::new(),
        }
    }

    /// Admits a child, unless the group is closed, and returns its index. The caller must
    /// [push](Self::push_arrival) the child.
    pub(super) fn admit(&self) -> Result<usize, Closed> {
        let admitted = self.active.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |active| {
            (active != 0 && active & CLOSED == 0).then_some(active + 1)
        });
        match admitted {
            Ok(_) => Ok(self.next_index.fetch_add(1, Ordering::Relaxed)),
            Err(_) => Err(Closed),
        }
    }

    /// Hands a child that was admitted to the driver.
    pub(super) fn push_arrival(&self, index: usize, child: J) {
        let is_open = self.arrivals.push((index, child)).is_ok();
        debug_assert!(is_open, "the queue of arrivals is never closed");
        // Either the dropped driver sees this arrival, or this load sees that the driver was dropped.
        fence(Ordering::SeqCst);
        if self.driver_is_gone.load(Ordering::SeqCst)
            && let Some(panic) = self.drop_arrivals()
        {
            panic.resume_unless_panicking();
        }
        self.driver.wake();
    }

    /// Cancels the group.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.close();
        self.driver.wake();
    }

    /// Admits no child any more.
    pub(super) fn close(&self) {
        self.active.fetch_or(CLOSED, Ordering::SeqCst);
    }

    /// Whether the group was cancelled through a handle.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Counts the body or children as completed.
    pub(super) fn complete(&self, count: usize) {
        self.active.fetch_sub(count, Ordering::SeqCst);
    }

    /// Whether the body and every child have completed.
    pub(super) fn is_complete(&self) -> bool {
        self.active.load(Ordering::SeqCst) & !CLOSED == 0
    }

    /// The number of children that have arrived.
    pub(super) fn arrivals(&self) -> usize {
        self.arrivals.len()
    }

    /// Takes the next child that has arrived, with its index.
    pub(super) fn pop_arrival(&self) -> Option<(usize, J)> {
        self.arrivals.pop().ok()
    }

    /// Has arrivals and cancellation wake the driver.
    pub(super) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
    }

    /// Has them wake nothing: the driver is being polled.
    pub(super) fn unregister(&self) {
        drop(self.driver.take());
    }

    /// Drops the children that arrive from now on, because the driver was dropped.
    pub(super) fn abandon(&self) -> Option<Panic> {
        self.driver_is_gone.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.drop_arrivals()
    }

    /// Drops the arrivals one by one, and returns the first panic.
    ///
    /// A child may hold a handle to its group, and so an arrival would keep the group alive that holds it.
    fn drop_arrivals(&self) -> Option<Panic> {
        let mut first = None;
        while let Ok(arrival) = self.arrivals.pop() {
            if let Err(panic) = catch(|| drop(arrival)) {
                first.get_or_insert(panic);
            }
        }
        first
    }
}

impl<J> fmt::Debug for GroupState<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.active.load(Ordering::Relaxed);
        f.debug_struct("GroupState")
            .field("active", &(active & !CLOSED))
            .field("closed", &(active & CLOSED != 0 || active == 0))
            .finish_non_exhaustive()
    }
}
