//! Memory for what wakers point to.

#![allow(unsafe_code, reason = "the engine's own: memory that is aligned and costs no more for it")]

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::ptr::NonNull;

use super::CHUNK_ALIGN;

/// Memory for some `T`s at addresses that are aligned as groups are. An allocator makes much of it when
/// asked for that, so it is asked for a little more instead.
pub(super) struct Block<T> {
    pub(super) start: NonNull<T>,
    memory: NonNull<u8>,
    layout: Layout,
}

impl<T> Block<T> {
    /// Memory for so many, with nothing in it.
    pub(super) fn new(len: usize) -> Self {
        const { assert!(align_of::<T>() <= CHUNK_ALIGN && size_of::<T>() > 0) };
        let layout = Layout::array::<T>(len)
            .and_then(|layout| Layout::from_size_align(layout.size() + CHUNK_ALIGN, EASY_ALIGN))
            .expect("there is not that much memory");
        // SAFETY: it is not empty.
        let Some(memory) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        let start = memory.as_ptr().map_addr(|address| address.next_multiple_of(CHUNK_ALIGN));
        // SAFETY: it is not before the memory's beginning.
        let start = unsafe { NonNull::new_unchecked(start) }.cast();
        Self { start, memory, layout }
    }

    /// Frees the memory, and not what is in it.
    ///
    /// # Safety
    ///
    /// Nobody uses it any more.
    pub(super) unsafe fn free(self) {
        // SAFETY: it came from there, with this layout.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) };
    }
}

/// Any allocator gives this at once.
const EASY_ALIGN: usize = align_of::<usize>();
