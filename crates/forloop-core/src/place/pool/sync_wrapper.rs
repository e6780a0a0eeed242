//! A value that is `Sync` because only its owner uses it.

use core::mem;

use crate::single::Single;

/// Makes a `Send` value `Sync`, without `unsafe`.
///
/// Access needs `&mut`, so nothing is ever shared. [`Single`] gives the wrapper its `Sync`; the value is taken out for each
/// access and put back after it.
pub(super) struct SyncWrapper<T> {
    place: Single<T>,
}

impl<T: Default> SyncWrapper<T> {
    pub(super) fn new(value: T) -> Self {
        Self { place: Single::of(value) }
    }

    /// Calls `f` with the value.
    pub(super) fn with<U>(&mut self, f: impl FnOnce(&mut T) -> U) -> U {
        let mut taken =
            TakeGuard { value: self.place.take().unwrap_or_default(), place: &self.place };
        f(&mut taken.value)
    }
}

/// Puts the value back, also after a panic.
struct TakeGuard<'a, T: Default> {
    value: T,
    place: &'a Single<T>,
}

impl<T: Default> Drop for TakeGuard<'_, T> {
    fn drop(&mut self) {
        let was_put_back = self.place.put(mem::take(&mut self.value)).is_ok();
        debug_assert!(was_put_back, "the value is taken by its owner only");
    }
}
