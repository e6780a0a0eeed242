//! Runs of slots: bodies that are started one after another, and bodies that are polled one after
//! another.
//!
//! This is the inner loop of the engine. The bits of the chunk are copied into local words while it runs
//! and are written back when the run is dropped, also if a body panics.

#![allow(unsafe_code, reason = "bodies are pinned in memory that is used again")]

use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit, take};
use core::ops::ControlFlow;
use core::pin::Pin;
use core::ptr::NonNull;

use super::super::super::bit_set::{LowestBit, count, lowest};
use super::{Chunk, Chunks};

impl<J> Chunks<J> {
    /// The free slots of a chunk from `cursor` on, which is advanced past those that are filled.
    #[inline]
    pub(in super::super) fn vacant_entries<'a>(
        &'a mut self,
        number: usize,
        cursor: &'a mut LowestBit,
    ) -> VacantEntries<'a, J> {
        VacantEntries::new(&mut self.chunks[number], &mut self.taken, cursor)
    }
}

impl<J> Chunk<J> {
    /// The bodies of the `due` slots, to be polled one after another.
    #[inline]
    pub(in super::super::super) fn occupied_entries(
        &mut self,
        due: usize,
    ) -> OccupiedEntries<'_, J> {
        OccupiedEntries::new(self, due)
    }
}

/// Free slots of a chunk, the lowest first, to start bodies in.
pub(in super::super::super) struct VacantEntries<'a, J> {
    slots: NonNull<MaybeUninit<J>>,
    /// The slots that are still free and may be filled.
    free: usize,
    /// The free slots that are held back from this run.
    held_back: usize,
    /// The slots that were free when the run began.
    free_at_first: usize,
    cursor: &'a mut LowestBit,
    taken: &'a mut usize,
    chunk: &'a mut Chunk<J>,
}

impl<'a, J> VacantEntries<'a, J> {
    #[inline]
    fn new(chunk: &'a mut Chunk<J>, taken: &'a mut usize, cursor: &'a mut LowestBit) -> Self {
        let free = chunk.all & !chunk.taken & cursor.and_above();
        Self { slots: chunk.slots, free, held_back: 0, free_at_first: free, cursor, taken, chunk }
    }

    /// Holds back all but the first `most` slots.
    #[inline]
    pub(in super::super::super) fn limit(&mut self, most: usize) {
        let used = lowest(self.free, most);
        self.held_back |= self.free & !used;
        self.free = used;
    }

    /// Whether no slot is left.
    #[inline]
    pub(in super::super::super) fn is_full(&self) -> bool {
        self.free == 0
    }

    /// The offset of the first free slot.
    #[inline]
    pub(in super::super::super) fn offset(&self) -> usize {
        self.free.trailing_zeros() as usize
    }

    #[inline]
    fn filled_slots(&self) -> usize {
        self.free_at_first & !(self.free | self.held_back)
    }

    /// The number of slots that were filled in this run.
    #[inline]
    pub(in super::super::super) fn filled(&self) -> usize {
        count(self.filled_slots())
    }

    /// Has a body made in the first free slot. The body is dropped there unless it is kept.
    #[inline]
    pub(in super::super::super) fn make<B>(
        &mut self,
        make: impl FnOnce(&mut JobSlot<'_, J>) -> ControlFlow<B, usize>,
    ) -> ControlFlow<B, (usize, VacantEntry<'_, J>)> {
        assert!(self.free != 0, "a body goes into a free slot");
        // SAFETY: a free slot exists, and it holds no body.
        let place = unsafe { self.slots.add(self.offset()).as_mut() };
        let mut slot = JobSlot { place, is_filled: false };
        let index = make(&mut slot)?;
        let job = slot.finish();
        ControlFlow::Continue((index, VacantEntry { job, free: &mut self.free }))
    }

    /// The chunk, and whether the body that was kept last is the only one in it.
    #[inline]
    pub(in super::super::super) fn chunk(&mut self) -> (&mut Chunk<J>, bool) {
        let filled = self.filled_slots();
        let is_only = self.chunk.taken == 0 && filled & filled.wrapping_sub(1) == 0;
        (self.chunk, is_only)
    }
}

impl<J> Drop for VacantEntries<'_, J> {
    #[inline]
    fn drop(&mut self) {
        let filled = self.filled_slots();
        self.chunk.occupied |= filled;
        self.chunk.taken |= filled;
        *self.taken += count(filled);
        *self.cursor = LowestBit::of(self.free | self.held_back);
    }
}

/// A place where a body is made: a free slot, mostly. A large body is then written once, where it stays, and
/// is no local variable of the functions that start and poll it.
pub struct JobSlot<'a, J> {
    place: &'a mut MaybeUninit<J>,
    is_filled: bool,
}

impl<J> JobSlot<'_, J> {
    /// Moves the body in.
    ///
    /// # Panics
    ///
    /// If there is one.
    #[inline(always)] // as a call, it would have a copy of its own
    pub(crate) fn fill(&mut self, job: J) {
        assert!(!self.is_filled, "a slot is filled once");
        // SAFETY: the place is valid for writes and holds no body.
        unsafe { self.place.as_mut_ptr().write(job) };
        self.is_filled = true;
    }

    /// Moves the body in that was made before there was a slot.
    pub(in super::super::super) fn fill_from(&mut self, early: &mut EarlyJob<J>) {
        assert!(!self.is_filled && take(&mut early.is_made), "a slot is filled once");
        // SAFETY: the body was made, and is not there any more. The place holds none.
        unsafe { self.place.as_mut_ptr().copy_from_nonoverlapping(early.place.as_ptr(), 1) };
        self.is_filled = true;
    }

    /// The body, which the caller owns.
    #[inline]
    fn finish(mut self) -> NonNull<J> {
        assert!(take(&mut self.is_filled), "the slot was filled");
        NonNull::from(&mut *self.place).cast()
    }
}

impl<J> fmt::Debug for JobSlot<'_, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSlot").field("is_filled", &self.is_filled).finish_non_exhaustive()
    }
}

/// Drops the body if what should have followed has panicked.
impl<J> Drop for JobSlot<'_, J> {
    #[inline]
    fn drop(&mut self) {
        if self.is_filled {
            // SAFETY: there is a body, and it is not used after this.
            unsafe { self.place.assume_init_drop() };
        }
    }
}

/// A body that is made before there is a slot for it: memory for slots is allocated once there is an item.
pub(crate) struct EarlyJob<J> {
    place: MaybeUninit<J>,
    is_made: bool,
}

impl<J> EarlyJob<J> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { place: MaybeUninit::uninit(), is_made: false }
    }

    /// Has the body made. It is leaked unless it is taken.
    pub(crate) fn make<B>(
        &mut self,
        make: impl FnOnce(&mut JobSlot<'_, J>) -> ControlFlow<B, usize>,
    ) -> ControlFlow<B, usize> {
        assert!(!self.is_made, "the last one was taken");
        let mut slot = JobSlot { place: &mut self.place, is_filled: false };
        let index = make(&mut slot)?;
        slot.finish();
        self.is_made = true;
        ControlFlow::Continue(index)
    }

    /// Takes the body out.
    pub(crate) fn take(&mut self) -> J {
        assert!(take(&mut self.is_made), "a body was made");
        // SAFETY: the body was made, and is not there any more.
        unsafe { self.place.assume_init_read() }
    }
}

/// A new body in a slot that does not count as occupied yet. A body that is ready at its first poll is
/// dropped here, and its slot was never occupied.
pub(in super::super::super) struct VacantEntry<'a, J> {
    job: NonNull<J>,
    free: &'a mut usize,
}

impl<J> VacantEntry<'_, J> {
    #[inline]
    pub(in super::super::super) fn as_mut(&mut self) -> Pin<&mut J> {
        // SAFETY: the body is in the slot until this is dropped or kept, and never moves.
        unsafe { Pin::new_unchecked(self.job.as_mut()) }
    }

    /// Keeps the body in the slot, which is occupied from then on.
    #[inline]
    pub(in super::super::super) fn keep(self) {
        let mut this = ManuallyDrop::new(self);
        *this.free &= *this.free - 1;
    }
}

impl<J> Drop for VacantEntry<'_, J> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the body is in the slot, and is not used after this.
        unsafe { self.job.as_ptr().drop_in_place() };
    }
}

/// Bodies of a chunk that are polled one after another, the lowest slot first.
pub(in super::super::super) struct OccupiedEntries<'a, J> {
    slots: NonNull<MaybeUninit<J>>,
    /// The slots that are still to be polled. All of them are occupied.
    remaining: usize,
    occupied: usize,
    chunk: &'a mut Chunk<J>,
}

impl<'a, J> OccupiedEntries<'a, J> {
    #[inline]
    fn new(chunk: &'a mut Chunk<J>, due: usize) -> Self {
        // The chunk holds no body until they are written back. If this is forgotten, the bodies leak.
        let occupied = take(&mut chunk.occupied);
        OccupiedEntries { slots: chunk.slots, remaining: due & occupied, occupied, chunk }
    }

    /// The next body.
    #[inline]
    pub(in super::super::super) fn next(&mut self) -> Option<OccupiedEntry<'_, 'a, J>> {
        if self.remaining == 0 {
            return None;
        }
        let offset = self.remaining.trailing_zeros() as usize;
        self.remaining &= self.remaining - 1;
        Some(OccupiedEntry { entries: self, offset })
    }

    /// The slots that were not polled.
    #[inline]
    pub(in super::super::super) fn remaining(&self) -> usize {
        self.remaining
    }
}

impl<J> Drop for OccupiedEntries<'_, J> {
    #[inline]
    fn drop(&mut self) {
        self.chunk.occupied = self.occupied;
    }
}

/// A body that is about to be polled.
pub(in super::super::super) struct OccupiedEntry<'a, 'b, J> {
    entries: &'a mut OccupiedEntries<'b, J>,
    offset: usize,
}

impl<J> OccupiedEntry<'_, '_, J> {
    #[inline]
    pub(in super::super::super) fn offset(&self) -> usize {
        self.offset
    }

    #[inline]
    pub(in super::super::super) fn as_mut(&mut self) -> Pin<&mut J> {
        // SAFETY: a remaining slot was occupied, and only `drop_body` changes that, which consumes the entry.
        let mut job = unsafe { self.entries.slots.add(self.offset) }.cast();
        // SAFETY: the body is there, and bodies never move: they are dropped in place.
        unsafe { Pin::new_unchecked(job.as_mut()) }
    }

    /// Whether the body has timed out and was asked to stop.
    #[inline]
    pub(in super::super::super) fn has_timed_out(&self) -> bool {
        self.entries.chunk.has_timed_out(self.offset)
    }

    /// Drops the body. Its slot is then empty and still taken, also if the destructor panics.
    #[inline]
    pub(in super::super::super) fn drop_body(self) {
        self.entries.occupied &= !(1 << self.offset);
        // SAFETY: the slot was occupied and is not any more, so the body is not dropped or used again.
        unsafe { self.entries.slots.add(self.offset).cast::<J>().as_ptr().drop_in_place() };
    }
}
