//! The board's heap.

#![allow(unsafe_code, reason = "the allocator must be given its memory before its first use")]

use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// Gives the allocator its memory. Must be called once, before anything is allocated.
///
/// # Panics
///
/// Panics if it is called again.
pub(crate) fn begin() {
    // SAFETY: nothing was allocated before, because the allocator had no memory.
    unsafe {
        embedded_alloc::init!(HEAP, 64 * 1024);
    }
}

/// Returns the number of bytes in use.
pub(crate) fn used() -> usize {
    HEAP.used()
}
