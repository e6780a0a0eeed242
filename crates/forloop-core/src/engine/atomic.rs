//! The atomics of the engine and the cells beside them: those of `core`, or those of loom where the
//! protocol is model-checked.

#![allow(unsafe_code, reason = "cells that have one owner at a time")]

#[cfg(not(forloop_loom))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
#[cfg(forloop_loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

#[cfg(forloop_loom)]
pub(crate) use self::watched::AtomicWaker;

#[cfg(not(forloop_loom))]
use core::cell::UnsafeCell;
#[cfg(forloop_loom)]
use loom::cell::UnsafeCell;

/// A value in shared memory that has one owner at a time: that of the loop's `ReadyQueue`, where the field says nothing
/// else.
#[derive(Debug)]
pub(super) struct OwnerCell<T>(UnsafeCell<T>);

impl<T> OwnerCell<T> {
    pub(super) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Calls `f` with the value.
    ///
    /// # Safety
    ///
    /// The caller owns the value: mostly, because it has exclusive access to the loop's `ReadyQueue`, or is called on
    /// the same thread by code that has. `f` does not access the cell again.
    #[inline]
    pub(super) unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: nothing else has access, and `f` does not access the cell again, so the reference is the
        // only one.
        #[cfg(not(forloop_loom))]
        return f(unsafe { &mut *self.0.get() });
        // SAFETY: as above, and loom checks it.
        #[cfg(forloop_loom)]
        return self.0.with_mut(|value| f(unsafe { &mut *value }));
    }
}

#[cfg(forloop_loom)]
mod watched {
    use core::task::Waker;

    use super::{AtomicUsize, Ordering};

    /// An `AtomicWaker` that lets loom switch threads before each operation. The operations themselves are
    /// not model-checked, and establish no order between threads in the model.
    pub(crate) struct AtomicWaker {
        inner: atomic_waker::AtomicWaker,
        steps: AtomicUsize,
    }

    impl AtomicWaker {
        pub(crate) fn new() -> Self {
            Self { inner: atomic_waker::AtomicWaker::new(), steps: AtomicUsize::new(0) }
        }

        fn step(&self) -> &atomic_waker::AtomicWaker {
            self.steps.fetch_add(1, Ordering::Relaxed);
            &self.inner
        }

        pub(crate) fn register(&self, waker: &Waker) {
            self.step().register(waker);
        }

        pub(crate) fn wake(&self) {
            self.step().wake();
        }

        pub(crate) fn take(&self) -> Option<Waker> {
            self.step().take()
        }
    }
}
