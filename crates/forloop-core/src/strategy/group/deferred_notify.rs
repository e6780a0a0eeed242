//! Why neither a child nor the body observes a sibling's cancellation as an error of its own.
//!
//! A child without a value, because it failed, panicked or was cancelled, completes its handle with
//! [`Cancelled`](crate::Cancelled). If its group continues, that may happen at once. If its group stops, it may not.
//! A group on threads cannot cancel its children all at once: one has stopped while another is in the middle of a
//! poll. Were the second notified that its sibling has no value, it would continue behind that await, return an
//! error, and the group would report an error that nothing but the cancellation caused. The same holds for the body,
//! which may be in the middle of a poll when a child cancels the group and stops.
//!
//! So a group that stops defers these notifications, and sends them when neither the body nor a child is active any
//! more: none is being polled, and none will be. That is earlier than when all have stopped. A destructor may wait for
//! a sibling, and if notifications waited for destructors, such a destructor would wait for itself.
//!
//! Children that are polled in the group's own task need none of this. If one fails, the group polls those that were
//! woken with it, drops them all, and completes the handle only then.

use core::sync::atomic::{AtomicUsize, Ordering, fence};

use concurrent_queue::ConcurrentQueue;

use super::child::{AnyChild, HandleGuard};

/// The notifications that wait until neither the body nor a child is active.
pub(super) struct DeferredNotify<C: AnyChild + ?Sized> {
    handles: ConcurrentQueue<HandleGuard<C>>,
    /// The body and the children that may be polled again, and the children that are about to be admitted.
    active: AtomicUsize,
}

impl<C: AnyChild + ?Sized> DeferredNotify<C> {
    /// The body is active.
    pub(super) fn new() -> Self {
        Self { handles: ConcurrentQueue::unbounded(), active: AtomicUsize::new(1) }
    }

    /// A child may be polled from now on.
    pub(super) fn activate_one(&self) {
        self.active.fetch_add(1, Ordering::SeqCst);
    }

    /// A child, or the body, is not polled any more.
    pub(super) fn deactivate_one(&self) {
        if self.active.fetch_sub(1, Ordering::SeqCst) == 1 {
            fence(Ordering::SeqCst);
            self.notify_all();
        }
    }

    /// Completes a handle once neither the body nor a child is active: at once, if that is so or the queue was
    /// closed.
    pub(super) fn defer(&self, handle: HandleGuard<C>) {
        // A closed queue returns the handle, which is then dropped here and so completed.
        drop(self.handles.push(handle));
        // Either this load sees that the last one has become inactive, or that one sees the handle.
        fence(Ordering::SeqCst);
        if self.active.load(Ordering::SeqCst) == 0 {
            self.notify_all();
        }
    }

    /// Completes every handle now, and those that are deferred later at once: the group has completed, or was
    /// dropped and reports no error.
    pub(super) fn close(&self) {
        self.handles.close();
        self.notify_all();
    }

    fn notify_all(&self) {
        while let Ok(handle) = self.handles.pop() {
            drop(handle);
        }
    }
}
