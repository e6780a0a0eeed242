//! What the children of a group that is stopping do not hear of each other.
//!
//! A group on threads cannot stop its children all at once: while one has stopped, another may be in
//! the middle of a step. If it then heard that its sibling gives no value, it would go on, and fail for
//! a reason that is none. So the handles of the stopped are kept until no child takes a step any more.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use concurrent_queue::ConcurrentQueue;

use super::child::{Held, Settle};

/// The handles that are to be told when no child goes on.
pub(super) struct Untold<C: Settle + ?Sized> {
    handles: ConcurrentQueue<Held<C>>,
    /// The children that may take another step, or are just coming.
    going: AtomicUsize,
}

impl<C: Settle + ?Sized> Untold<C> {
    pub(super) fn new() -> Self {
        Self { handles: ConcurrentQueue::unbounded(), going: AtomicUsize::new(0) }
    }

    /// Tells a handle as soon as no child goes on; at once, if none does or the group is over.
    pub(super) fn tell_later(&self, handle: Held<C>) {
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
pub(super) struct Going<C: Settle + ?Sized> {
    /// `None` when it has left, and where it keeps nobody from hearing.
    untold: Option<Arc<Untold<C>>>,
}

impl<C: Settle + ?Sized> Going<C> {
    /// A child in the caller's task: while it takes a step, nobody else is stopped.
    pub(super) fn alone() -> Self {
        Self { untold: None }
    }

    /// A child that takes its steps beside those of its siblings.
    pub(super) fn beside(untold: &Arc<Untold<C>>) -> Self {
        untold.going.fetch_add(1, Ordering::SeqCst);
        Self { untold: Some(untold.clone()) }
    }

    /// It takes no step any more. Gives where its own handle is to be left.
    pub(super) fn leave(&mut self) -> Option<Arc<Untold<C>>> {
        let untold = self.untold.take()?;
        untold.one_less();
        Some(untold)
    }
}

impl<C: Settle + ?Sized> Drop for Going<C> {
    fn drop(&mut self) {
        self.leave();
    }
}
