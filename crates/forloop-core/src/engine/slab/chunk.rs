//! The memory of the slots, and which of them hold a body.
//!
//! All access to a body goes through the bit `occupied` of its slot. The bit is set after the body has
//! been written and cleared before it is dropped, so a destructor that panics cannot run twice. Bodies
//! are never moved: they are dropped in place, and a block is freed only after its bodies were dropped.
//! While bodies are started or polled one after another, the bits are kept in registers
//! (`entries.rs`) and written back at the end.

#![allow(unsafe_code, reason = "bodies are pinned in memory that is used again")]

mod entries;
mod marks;

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit, needs_drop};
use core::ops::Range;
use core::pin::Pin;
use core::ptr::NonNull;

use super::super::bit_set::{bits, count};
use super::super::inline_vec::InlineVec;
use super::super::ready::CHUNK_SLOTS;
use super::links::Links;
use crate::outcome::{Panic, catch};

pub(in super::super) use self::entries::{OccupiedEntry, VacantEntries, VacantEntry};

/// The chunks of a slab and the memory of their slots.
pub(super) struct Chunks<J> {
    /// Never empty: before the first slots are made, there is a chunk without slots.
    chunks: InlineVec<Chunk<J>>,
    blocks: InlineVec<SlotBlock<J>>,
    /// The number of slots that are not free.
    taken: usize,
    _owns: PhantomData<J>,
}

/// The memory of some chunks.
struct SlotBlock<J> {
    start: NonNull<MaybeUninit<J>>,
    /// Its size in slots: at least as many as were asked for.
    capacity: usize,
}

/// At most [`CHUNK_SLOTS`] slots side by side. Each word has a bit for each slot.
pub(in super::super) struct Chunk<J> {
    slots: NonNull<MaybeUninit<J>>,
    /// The number of slots in the chunks before this one.
    before: usize,
    /// The slots that exist.
    all: usize,
    /// The slots that hold a body.
    occupied: usize,
    /// The slots that are not free.
    taken: usize,
    /// The slots that were woken and have not been polled in this round.
    due: usize,
    /// The slots whose body has timed out and was asked to stop.
    timed_out: usize,
    /// The chunk's position in the order in which chunks were opened: a later one has later bodies.
    generation: usize,
    /// Slots were filled between taken ones, so a higher slot may hold an earlier body.
    is_out_of_order: bool,
    links: Links,
    /// The index of the body at offset 0, where indices are consecutive: see `index_table.rs`.
    first_index: usize,
}

// SAFETY: the chunks own their bodies, and give access to them only through a reference to themselves.
unsafe impl<J: Send> Send for Chunks<J> {}
// SAFETY: as above.
unsafe impl<J: Sync> Sync for Chunks<J> {}

// The bodies are pinned, the chunks are not.
impl<J> Unpin for Chunks<J> {}

impl<J> SlotBlock<J> {
    const EMPTY: Self = Self { start: NonNull::dangling(), capacity: 0 };

    fn new(slots: usize) -> Self {
        let mut block = ManuallyDrop::new(Vec::with_capacity(slots));
        // SAFETY: a vector's address is not null.
        let start = unsafe { NonNull::new_unchecked(block.as_mut_ptr()) };
        Self { start, capacity: block.capacity() }
    }
}

impl<J> Chunks<J> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self {
            chunks: InlineVec::new(Chunk::WITHOUT_SLOTS),
            blocks: InlineVec::new(SlotBlock::EMPTY),
            taken: 0,
            _owns: PhantomData,
        }
    }

    /// The number of slots.
    pub(super) fn capacity(&self) -> usize {
        let last = &self.chunks[self.chunks.len() - 1];
        last.before + (usize::BITS - last.all.leading_zeros()) as usize
    }

    #[inline]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Gives the first chunk its slots, at most [`CHUNK_SLOTS`].
    pub(super) fn make_first(&mut self, slots: usize, generation: usize) {
        assert!(self.blocks[0].capacity == 0, "the first slots are made once");
        let block = SlotBlock::new(slots);
        let all = usize::MAX >> (usize::BITS as usize - slots);
        *self.chunks.first_mut() =
            Chunk { slots: block.start, all, generation, ..Chunk::WITHOUT_SLOTS };
        *self.blocks.first_mut() = block;
    }

    /// Makes chunks for `slots` more slots, and returns the chunks' numbers.
    pub(super) fn make(&mut self, slots: usize) -> Range<usize> {
        let chunks = if slots <= CHUNK_SLOTS { 1 } else { slots.div_ceil(CHUNK_SLOTS) };
        let (before, first) = (self.capacity(), self.chunks.len());
        self.chunks.reserve_exact(chunks);
        self.blocks.reserve_exact(1);
        let block = SlotBlock::new(slots);
        for at in (0..slots).step_by(CHUNK_SLOTS) {
            self.chunks.push(Chunk {
                // SAFETY: `at` is less than the block's capacity.
                slots: unsafe { block.start.add(at) },
                before: before + at,
                all: usize::MAX >> (usize::BITS as usize - CHUNK_SLOTS.min(slots - at)),
                ..Chunk::WITHOUT_SLOTS
            });
        }
        self.blocks.push(block);
        first..first + chunks
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> &Chunk<J> {
        &self.chunks[number]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: usize) -> &mut Chunk<J> {
        &mut self.chunks[number]
    }

    #[inline]
    pub(super) fn links_mut(&mut self, number: usize) -> &mut Links {
        &mut self.chunks[number].links
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk<J>> {
        self.chunks.iter()
    }

    /// Makes empty slots of a chunk free. Returns whether all of the chunk's slots are free now, and its links.
    #[inline]
    pub(super) fn free(&mut self, number: usize, slots: usize) -> (bool, &mut Links) {
        let chunk = &mut self.chunks[number];
        assert!(
            slots & (!chunk.taken | chunk.occupied) == 0,
            "a freed slot was taken and is empty"
        );
        self.taken -= count(slots);
        chunk.taken &= !slots;
        chunk.timed_out &= !slots;
        let is_empty = chunk.is_empty();
        if is_empty {
            chunk.is_out_of_order = false;
        }
        (is_empty, &mut chunk.links)
    }

    /// Drops every body, and returns the first panic of their destructors.
    pub(super) fn clear(&mut self) -> Option<Panic> {
        let mut first = None;
        if self.taken == 0 {
            return first;
        }
        for number in 0..self.chunks.len() {
            self.chunks[number].clear(|panic| {
                first.get_or_insert(panic);
            });
        }
        first
    }
}

impl<J> Drop for Chunks<J> {
    fn drop(&mut self) {
        // A pinned body must be dropped before its memory is freed. If a destructor panics here, the
        // memory is leaked.
        if let Some(panic) = self.clear() {
            panic.resume_unless_panicking();
        }
        for &SlotBlock { start, capacity } in self.blocks.iter() {
            // SAFETY: it came from a vector of this capacity, and no body is left in it.
            drop(unsafe { Vec::from_raw_parts(start.as_ptr(), 0, capacity) });
        }
    }
}

impl<J> Chunk<J> {
    const WITHOUT_SLOTS: Self = Self {
        slots: NonNull::dangling(),
        before: 0,
        all: 0,
        occupied: 0,
        taken: 0,
        due: 0,
        timed_out: 0,
        generation: 0,
        is_out_of_order: false,
        links: Links::UNLISTED,
        first_index: 0,
    };

    #[inline]
    fn at(&self, offset: usize) -> Option<NonNull<J>> {
        let is_occupied = self.occupied & (1 << offset) != 0;
        // SAFETY: an occupied slot exists.
        is_occupied.then(|| unsafe { self.slots.add(offset) }.cast())
    }

    /// The body at an offset.
    #[inline]
    pub(in super::super) fn get(&self, offset: usize) -> Option<Pin<&J>> {
        // SAFETY: the slot is occupied, and bodies never move: they are dropped in place.
        self.at(offset).map(|job| unsafe { Pin::new_unchecked(job.as_ref()) })
    }

    /// The body at an offset.
    #[inline]
    pub(in super::super) fn get_mut(&mut self, offset: usize) -> Option<Pin<&mut J>> {
        // SAFETY: as in `get`, and we have exclusive access.
        self.at(offset).map(|mut job| unsafe { Pin::new_unchecked(job.as_mut()) })
    }

    /// Drops the body at an offset, if there is one. Its slot is then empty and still taken, also if the
    /// destructor panics.
    #[inline]
    pub(in super::super) fn drop_body(&mut self, offset: usize) {
        if let Some(job) = self.at(offset) {
            self.occupied &= !(1 << offset);
            // SAFETY: the slot was occupied and is not any more, so the body is not dropped or used again.
            unsafe { job.as_ptr().drop_in_place() };
        }
    }

    /// Drops the bodies of the chunk, and returns the slots that held one. A destructor that panics does
    /// not prevent the others from running.
    pub(in super::super) fn clear(&mut self, mut panicked: impl FnMut(Panic)) -> usize {
        let occupied = self.occupied;
        if !needs_drop::<J>() {
            self.occupied = 0;
        }
        // After a panic, continues with the next body.
        while let Err(panic) = catch(|| bits(self.occupied).for_each(|at| self.drop_body(at))) {
            panicked(panic);
        }
        occupied
    }
}
