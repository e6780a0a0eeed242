//! Which thread is polling the bodies of a set. A wake from that thread needs no atomic operation.
//!
//! The set records the thread, and not the thread the set. A thread that recorded the sets it is
//! polling would have to remove them in the order of a stack. Coroutines have stacks of their own, and
//! may finish polling their sets in another order.

use core::num::NonZeroUsize;

use super::atomic::{AtomicUsize, Ordering};

/// A thread among those that are alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadId(NonZeroUsize);

/// The thread that is polling the bodies of a set, if one is.
#[derive(Debug)]
pub(super) struct PolledOn(AtomicUsize);

impl PolledOn {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(Self::encode(None)))
    }

    /// Zero encodes no thread.
    #[inline]
    fn encode(thread: Option<ThreadId>) -> usize {
        thread.map_or(0, |ThreadId(id)| id.get())
    }

    /// Records that this thread polls bodies of the set from now on.
    #[inline]
    pub(super) fn enter(&self) {
        self.set(this_thread());
    }

    /// Records that `thread` is polling bodies of the set.
    #[inline]
    pub(super) fn set(&self, thread: Option<ThreadId>) {
        self.0.store(Self::encode(thread), Ordering::Relaxed);
    }

    /// Records that no thread polls bodies of the set any more.
    #[inline]
    pub(super) fn leave(&self) {
        self.0.store(Self::encode(None), Ordering::Relaxed);
    }

    /// Whether `thread`, which is the current thread, is polling bodies of the set. If it is, it stays
    /// so while the caller runs, because the poll has called the caller.
    ///
    /// `Relaxed` suffices. Only a thread itself stores its id, and it clears the id before it stops
    /// polling. So a thread that loads its own id loads its own latest store. A value that another thread
    /// stored, however old, is another id. The exception is [`set`](Self::set), which is called before
    /// the set has any other waker.
    #[inline]
    pub(super) fn is(&self, thread: Option<ThreadId>) -> bool {
        thread.is_some_and(|ThreadId(id)| id.get() == self.0.load(Ordering::Relaxed))
    }
}

/// The current thread: the address of a thread-local variable, which no other live thread shares.
#[cfg(feature = "std")]
#[inline]
pub(super) fn this_thread() -> Option<ThreadId> {
    use core::num::NonZeroU8;
    use core::ptr::NonNull;

    #[cfg(forloop_loom)]
    use loom::thread_local;
    #[cfg(not(forloop_loom))]
    use std::thread_local;

    #[cfg(not(forloop_loom))]
    thread_local! {
        static HERE: NonZeroU8 = const { NonZeroU8::MIN };
    }
    #[cfg(forloop_loom)]
    thread_local! {
        static HERE: NonZeroU8 = NonZeroU8::MIN;
    }
    Some(ThreadId(HERE.with(|here| NonNull::from(here).addr())))
}

/// Without `std` threads cannot be distinguished, so every wake takes the path with atomics.
#[cfg(not(feature = "std"))]
#[inline]
pub(super) fn this_thread() -> Option<ThreadId> {
    None
}
