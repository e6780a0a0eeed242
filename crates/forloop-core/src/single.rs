//! A place for one value, which threads move in and out.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

use try_lock::TryLock;

/// Holds at most one value. It is locked only while the value is moved, and no thread waits: one that meets another there
/// finds it empty, or full.
pub(crate) struct Single<T>(TryLock<Option<T>>);

// No code of the value runs under the lock.
impl<T> UnwindSafe for Single<T> {}
impl<T> RefUnwindSafe for Single<T> {}

impl<T> fmt::Debug for Single<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single").finish_non_exhaustive()
    }
}

impl<T> Single<T> {
    pub(crate) const fn empty() -> Self {
        Self(TryLock::new(None))
    }

    pub(crate) const fn of(value: T) -> Self {
        Self(TryLock::new(Some(value)))
    }

    /// Moves a value in, unless there is one.
    ///
    /// # Errors
    ///
    /// Returns the value.
    pub(crate) fn put(&self, value: T) -> Result<(), T> {
        match self.0.try_lock() {
            Some(mut place) if place.is_none() => {
                *place = Some(value);
                Ok(())
            }
            _ => Err(value),
        }
    }

    /// Moves the value out.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.try_lock()?.take()
    }
}
