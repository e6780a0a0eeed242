//! The board's heap.

#![allow(unsafe_code, reason = "where the heap is, is said before anything uses it")]

use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// Has a heap from now on: to be called once, first of all.
///
/// # Panics
///
/// If it is called again.
pub(crate) fn begin() {
    // SAFETY: nothing was allocated before, because there was nothing to allocate from.
    unsafe {
        embedded_alloc::init!(HEAP, 64 * 1024);
    }
}

/// How many bytes are in use.
pub(crate) fn used() -> usize {
    HEAP.used()
}
