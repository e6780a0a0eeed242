//! What the children of a group that is stopping do not hear of each other.
//!
//! A group on threads cannot stop its children all at once: while one has stopped, another may be in
//! the middle of a step. If it then heard that its sibling gives no value, it would go on, and fail for
//! a reason that is none. So the handles of the stopped are kept until no child takes a step any more.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use concurrent_queue::ConcurrentQueue;

use super::child::{HandleGuard, Settle};

/// The handles that are to be told when no child goes on.
pub(super) struct DeferredNotify<C: Settle + ?Sized> {
    handles: ConcurrentQueue<HandleGuard<C>>,
    /// The children that may take another step, or are just coming.
    going: AtomicUsize,
}

impl<C: Settle + ?Sized> DeferredNotify<C> {
    pub(super) fn new() -> Self {
        Self { handles: ConcurrentQueue::unbounded(), going: AtomicUsize::new(0) }
    }

    /// Tells a handle as soon as no child goes on; at once, if none does or the group is over.
    pub(super) fn defer(&self, handle: HandleGuard<C>) {
        // What a closed queue does not take is dropped here, and told by that.
        drop(self.handles.push(handle));
        // Either this sees that the last child has left, or that child sees the handle.
        fence(Ordering::SeqCst);
        if self.going.load(Ordering::SeqCst) == 0 {
            self.tell();
        }
    }

    /// Tells all, and from now on at once: the group is over, or nobody asks for its errors.
    pub(super) fn tell_from_now_on(&self) {
        self.handles.close();
        self.tell();
    }

    fn tell(&self) {
        while let Ok(handle) = self.handles.pop() {
            drop(handle);
        }
    }

    fn one_less(&self) {
        if self.going.fetch_sub(1, Ordering::SeqCst) == 1 {
            fence(Ordering::SeqCst);
            self.tell();
        }
    }
}

/// A child that may take another step; dropped, it takes none.
pub(super) struct ActiveGuard<C: Settle + ?Sized> {
    /// `None` when it has left, and where it keeps nobody from hearing.
    deferred_notify: Option<Arc<DeferredNotify<C>>>,
}

impl<C: Settle + ?Sized> ActiveGuard<C> {
    /// A child in the caller's task: while it takes a step, nobody else is stopped.
    pub(super) fn alone() -> Self {
        Self { deferred_notify: None }
    }

    /// A child that takes its steps beside those of its siblings.
    pub(super) fn beside(deferred_notify: &Arc<DeferredNotify<C>>) -> Self {
        deferred_notify.going.fetch_add(1, Ordering::SeqCst);
        Self { deferred_notify: Some(deferred_notify.clone()) }
    }

    /// It takes no step any more. Gives where its own handle is to be left.
    pub(super) fn leave(&mut self) -> Option<Arc<DeferredNotify<C>>> {
        let deferred_notify = self.deferred_notify.take()?;
        deferred_notify.one_less();
        Some(deferred_notify)
    }
}

impl<C: Settle + ?Sized> Drop for ActiveGuard<C> {
    fn drop(&mut self) {
        self.leave();
    }
}
