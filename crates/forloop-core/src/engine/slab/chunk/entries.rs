//! Runs of slots: bodies that are started one after another, and bodies that are polled one after
//! another.
//!
//! This is the inner loop of the engine. The bits of the chunk are copied into local words while it runs
//! and are written back when the run is dropped, also if a body panics.

#![allow(unsafe_code, reason = "bodies are pinned in memory that is used again")]

use core::mem::{ManuallyDrop, MaybeUninit, take};
use core::pin::Pin;
use core::ptr::NonNull;

use super::super::super::bit_set::{LowestBit, count, lowest};
use super::{Chunk, Chunks};
use crate::outcome::{Panic, catch};

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

    /// The first free slot.
    #[inline]
    pub(in super::super::super) fn first(&mut self) -> VacantEntry<'_, J> {
        assert!(self.free != 0, "a body goes into a free slot");
        // SAFETY: a free slot exists.
        let slot = unsafe { self.slots.add(self.offset()) }.cast();
        VacantEntry { slot, free: &mut self.free }
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

/// A free slot.
pub(in super::super::super) struct VacantEntry<'a, J> {
    slot: NonNull<J>,
    free: &'a mut usize,
}

impl<'a, J> VacantEntry<'a, J> {
    /// Makes a body in the slot. The body is dropped there unless it is kept.
    #[inline(always)] // so that the body is made in place
    pub(in super::super::super) fn put(self, make: impl FnOnce() -> J) -> NewEntry<'a, J> {
        // SAFETY: the slot exists and holds no body.
        unsafe { self.slot.write(make()) };
        NewEntry { job: self.slot, free: self.free }
    }

    /// [`put`](Self::put), if `make` does not panic.
    #[inline(always)] // as above
    pub(in super::super::super) fn try_put(
        self,
        make: impl FnOnce() -> J,
    ) -> Result<NewEntry<'a, J>, (Self, Panic)> {
        // SAFETY: as above. After a panic nothing was written.
        match catch(|| unsafe { self.slot.write(make()) }) {
            Ok(()) => Ok(NewEntry { job: self.slot, free: self.free }),
            Err(panic) => Err((self, panic)),
        }
    }
}

/// A new body in a slot that does not count as occupied yet. A body that is ready at its first poll is
/// dropped here, and its slot was never occupied.
pub(in super::super::super) struct NewEntry<'a, J> {
    job: NonNull<J>,
    free: &'a mut usize,
}

impl<J> NewEntry<'_, J> {
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

impl<J> Drop for NewEntry<'_, J> {
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
