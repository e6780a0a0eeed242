//! Why a child never observes a sibling's cancellation as an error of its own.
//!
//! A child without a value, because it failed, panicked or was cancelled, completes its handle with
//! [`Cancelled`](crate::Cancelled). If its group continues, that may happen at once. If its group stops, it may not.
//! A group on threads cannot cancel its children all at once: one has stopped while another is in the middle of a
//! poll. Were the second notified that its sibling has no value, it would continue behind that await, return an
//! error, and the group would report an error that nothing but the cancellation caused.
//!
//! So a group that stops defers these notifications, and sends them when no child is active any more: none is
//! being polled and none will be. That is earlier than when all have stopped. A destructor may wait for a sibling,
//! and if notifications waited for destructors, such a destructor would wait for itself.
//!
//! Children that are polled in the group's own task need none of this. If one fails, the group polls the others of the
//! pass, drops them all, and completes the handle only then.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use concurrent_queue::ConcurrentQueue;

use crate::Outcome;
use crate::task::TaskCell;

/// A child's handle, with the type of its value erased.
pub(super) trait ChildHandle {
    /// Completes the handle without a value, and wakes the task that awaits it.
    fn complete_without_value(&self);
}

impl<T> ChildHandle for TaskCell<T> {
    fn complete_without_value(&self) {
        self.complete(Outcome::Cancelled);
    }
}

/// The handle of a child that has no value. Dropping this completes the handle.
pub(super) struct HandleGuard<C: ChildHandle + ?Sized> {
    handle: Arc<C>,
}

impl<C: ChildHandle + ?Sized> HandleGuard<C> {
    pub(super) fn new(handle: Arc<C>) -> Self {
        Self { handle }
    }
}

impl<C: ChildHandle + ?Sized> Drop for HandleGuard<C> {
    fn drop(&mut self) {
        self.handle.complete_without_value();
    }
}

/// The notifications that wait until no child is active.
pub(super) struct DeferredNotify<C: ChildHandle + ?Sized> {
    handles: ConcurrentQueue<HandleGuard<C>>,
    /// The children that may be polled again, and those that are about to be admitted.
    active: AtomicUsize,
}

impl<C: ChildHandle + ?Sized> DeferredNotify<C> {
    pub(super) fn new() -> Self {
        Self { handles: ConcurrentQueue::unbounded(), active: AtomicUsize::new(0) }
    }

    /// Completes a handle once no child is active: at once, if none is or the queue was closed.
    pub(super) fn defer(&self, handle: HandleGuard<C>) {
        // A closed queue returns the handle, which is then dropped here and so completed.
        drop(self.handles.push(handle));
        // Either this load sees that the last child has become inactive, or that child sees the handle.
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

    fn deactivate_one(&self) {
        if self.active.fetch_sub(1, Ordering::SeqCst) == 1 {
            fence(Ordering::SeqCst);
            self.notify_all();
        }
    }
}

/// A child that may be polled again. Dropping or [releasing](Self::release) this says that it will not be.
pub(super) struct ActiveGuard<C: ChildHandle + ?Sized> {
    /// `None` once it was released, and for children that defer no notification.
    deferred: Option<Arc<DeferredNotify<C>>>,
}

impl<C: ChildHandle + ?Sized> ActiveGuard<C> {
    /// Of a child in the group's own task: no sibling is polled at the same time.
    pub(super) fn inline() -> Self {
        Self { deferred: None }
    }

    /// Of a child that is polled concurrently with its siblings.
    pub(super) fn concurrent(deferred: &Arc<DeferredNotify<C>>) -> Self {
        deferred.active.fetch_add(1, Ordering::SeqCst);
        Self { deferred: Some(deferred.clone()) }
    }

    /// The child is not polled any more. Returns where to defer the notification of its own handle.
    pub(super) fn release(&mut self) -> Option<Arc<DeferredNotify<C>>> {
        let deferred = self.deferred.take()?;
        deferred.deactivate_one();
        Some(deferred)
    }
}

impl<C: ChildHandle + ?Sized> Drop for ActiveGuard<C> {
    fn drop(&mut self) {
        self.release();
    }
}
