//! Which emptied vectors are kept for their next use.

use alloc::vec::Vec;

/// The number of bytes that a recycled vector may hold.
const RECYCLED_BYTES: usize = 128 << 10;

/// Whether an emptied vector is kept. A larger one was filled by a burst, and its memory is freed.
pub(super) fn is_recycled<T>(emptied: &Vec<T>) -> bool {
    emptied.capacity().saturating_mul(size_of::<T>()) <= RECYCLED_BYTES
}

/// Frees the memory of a vector that is empty and was filled by a burst.
pub(super) fn free_after_burst<T>(entries: &mut Vec<T>) {
    if entries.is_empty() && !is_recycled(entries) {
        *entries = Vec::new();
    }
}
