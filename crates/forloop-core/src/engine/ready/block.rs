//! Memory for what wakers point to.

#![allow(unsafe_code, reason = "aligned memory without the cost of an aligned allocation")]

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::ptr::NonNull;

/// Memory for some `T`s, aligned as they are.
///
/// An allocator takes a slow path for such an alignment. So this asks for a little more memory with an
/// ordinary alignment, and starts at the first aligned address in it.
pub(super) struct WakerBlock<T> {
    pub(super) start: NonNull<T>,
    memory: NonNull<u8>,
    layout: Layout,
}

impl<T> WakerBlock<T> {
    /// Uninitialised memory for `len` values.
    pub(super) fn new(len: usize) -> Self {
        const { assert!(size_of::<T>() > 0) };
        let layout = Layout::array::<T>(len)
            .and_then(|layout| {
                Layout::from_size_align(layout.size() + align_of::<T>(), ORDINARY_ALIGN)
            })
            .expect("the size of the memory is within bounds");
        // SAFETY: the size is not zero.
        let Some(memory) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        let start = memory.as_ptr().map_addr(|address| address.next_multiple_of(align_of::<T>()));
        // SAFETY: it is not below the address of the memory, which is not null.
        let start = unsafe { NonNull::new_unchecked(start) }.cast();
        Self { start, memory, layout }
    }

    /// Frees the memory, and does not drop what is in it.
    ///
    /// # Safety
    ///
    /// The memory is not used any more.
    pub(super) unsafe fn free(self) {
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) };
    }
}

/// An alignment that every allocator provides on its fast path.
const ORDINARY_ALIGN: usize = align_of::<usize>();
