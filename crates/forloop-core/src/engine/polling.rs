//! On which thread a loop is polled: a wake that comes from there, from within one of its bodies,
//! needs no atomics.
//!
//! Each loop says so of itself. Were it the thread that remembered which loop it polls, it would have
//! to forget them in the order of a stack; and what runs on a stack of its own, as coroutines do, may
//! leave them in another.

use super::atomic::{AtomicUsize, Ordering};

/// The thread on which the bodies of a loop are being polled, if they are.
#[derive(Debug)]
pub(super) struct PolledOn(AtomicUsize);

/// No thread has this number.
const NOBODY: usize = 0;

impl PolledOn {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(NOBODY))
    }

    /// Says that from now on, this thread polls bodies of the loop.
    #[inline]
    pub(super) fn enter(&self) {
        self.set(thread::number());
    }

    /// Says so of `thread`, which is polling bodies of the loop already.
    #[inline]
    pub(super) fn set(&self, thread: Option<usize>) {
        self.0.store(thread.unwrap_or(NOBODY), Ordering::Relaxed);
    }

    /// Says that it does not any more.
    #[inline]
    pub(super) fn leave(&self) {
        self.0.store(NOBODY, Ordering::Relaxed);
    }

    /// Whether `thread`, which is this one, is polling bodies of the loop: for whoever asks, then, it
    /// goes on doing so.
    ///
    /// Nobody else writes a thread's number, but before the loop's wakers are there: so a thread that reads
    /// its own has not taken it back, and no order between threads is needed.
    #[inline]
    pub(super) fn is(&self, thread: Option<usize>) -> bool {
        thread == Some(self.0.load(Ordering::Relaxed))
    }
}

/// The number of this thread.
#[inline]
pub(super) fn this_thread() -> Option<usize> {
    thread::number()
}

#[cfg(feature = "std")]
mod thread {
    use core::num::NonZeroU8;
    use core::ptr;

    #[cfg(forloop_loom)]
    use loom::thread_local;
    #[cfg(not(forloop_loom))]
    use std::thread_local;

    // What is in it does not matter, but where it is: no other thread that lives has it there.
    #[cfg(not(forloop_loom))]
    thread_local! {
        static HERE: NonZeroU8 = const { NonZeroU8::MIN };
    }
    #[cfg(forloop_loom)]
    thread_local! {
        static HERE: NonZeroU8 = NonZeroU8::MIN;
    }

    #[inline]
    pub(super) fn number() -> Option<usize> {
        Some(HERE.with(|here| ptr::from_ref(here).addr()))
    }
}

// Without std no thread knows its number: every wake takes the way of those from elsewhere.
#[cfg(not(feature = "std"))]
mod thread {
    pub(super) fn number() -> Option<usize> {
        None
    }
}
