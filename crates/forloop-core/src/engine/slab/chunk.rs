//! The memory of the slots, and which of them hold a body.
//!
//! All access to a body goes through the bit `occupied` of its slot. The bit is set after the body has
//! been written and cleared before it is dropped, so a destructor that panics cannot run twice. Bodies
//! are never moved: they are dropped in place, and a block is freed only after its bodies were dropped.
//! While bodies are started or polled one after another, the bits are kept in registers
//! (`entries.rs`) and written back at the end. A chunk whose block is released has no slots, so no bit of it
//! is set and nothing has an address in the block.

#![allow(unsafe_code, reason = "bodies are pinned in memory that is used again")]

mod entries;
mod marks;

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit, needs_drop, replace};
use core::ops::Range;
use core::pin::Pin;
use core::ptr::NonNull;

use super::super::bit_set::{bits, count};
use super::super::inline_vec::{InlineVec, make_room};
use super::super::ready::CHUNK_SLOTS;
use super::links::{Link, Links};
use crate::outcome::{Panic, catch};

pub(in super::super) use self::entries::{NewEntry, OccupiedEntry, VacantEntries};

/// The chunks of a slab and the memory of their slots.
pub(super) struct Chunks<J> {
    /// Never empty: before the first slots are made, there is a chunk without slots.
    chunks: InlineVec<Chunk<J>>,
    /// The number of slots that fit into the memory of the first chunk, which is a block of its own.
    first_capacity: usize,
    /// The other blocks.
    blocks: Vec<SlotBlock<J>>,
    /// The number of slots that have memory.
    capacity: usize,
    /// The number of slots that are not free.
    taken: usize,
    _owns: PhantomData<J>,
}

/// The memory of some chunks that follow one another, or the place for it.
struct SlotBlock<J> {
    /// No memory, while it is released.
    memory: SlotMemory<J>,
    /// The number of slots that the chunks have while there is memory.
    slots: usize,
    /// The number of the first chunk.
    first: usize,
    /// The number of chunks that are open or have slots that are not free.
    in_use: usize,
    link: Link,
}

/// Uninitialised memory for slots.
struct SlotMemory<J> {
    start: NonNull<MaybeUninit<J>>,
    /// Its size in slots: at least as many as were asked for.
    capacity: usize,
}

/// At most [`CHUNK_SLOTS`] slots side by side. Each word has a bit for each slot.
pub(in super::super) struct Chunk<J> {
    slots: NonNull<MaybeUninit<J>>,
    /// The number of its block; that of none for the first chunk.
    block: usize,
    /// The position of its first slot among all slots.
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

impl<J> SlotMemory<J> {
    const NONE: Self = Self { start: NonNull::dangling(), capacity: 0 };

    fn new(slots: usize) -> Self {
        let mut memory = ManuallyDrop::new(Vec::with_capacity(slots));
        // SAFETY: a vector's address is not null.
        let start = unsafe { NonNull::new_unchecked(memory.as_mut_ptr()) };
        Self { start, capacity: memory.capacity() }
    }

    /// Frees the memory, and does not drop what is in it.
    ///
    /// # Safety
    ///
    /// The memory is not used any more.
    unsafe fn free(self) {
        // SAFETY: it came from a vector of this capacity, and the caller has no other use for it.
        drop(unsafe { Vec::from_raw_parts(self.start.as_ptr(), 0, self.capacity) });
    }
}

impl<J> Chunks<J> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self {
            chunks: InlineVec::new(Chunk::WITHOUT_SLOTS),
            first_capacity: 0,
            blocks: Vec::new(),
            capacity: 0,
            taken: 0,
            _owns: PhantomData,
        }
    }

    /// The number of slots that have memory.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// The number of chunks, with those whose memory was released.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Gives the first chunk its slots, at most [`CHUNK_SLOTS`].
    pub(super) fn make_first(&mut self, slots: usize, generation: usize) {
        assert!(self.first_capacity == 0, "the first slots are made once");
        let memory = SlotMemory::new(slots);
        let all = usize::MAX >> (usize::BITS as usize - slots);
        *self.chunks.first_mut() =
            Chunk { slots: memory.start, all, generation, ..Chunk::WITHOUT_SLOTS };
        (self.first_capacity, self.capacity) = (memory.capacity, slots);
    }

    /// Makes a block of chunks for `slots` more slots, which has no memory yet, and returns its number.
    pub(super) fn make_block(&mut self, slots: usize) -> usize {
        let chunks = slots.div_ceil(CHUNK_SLOTS);
        let (first, block) = (self.chunks.len(), self.blocks.len());
        self.chunks.make_room(chunks);
        make_room(&mut self.blocks, 1);
        for _ in 0..chunks {
            self.chunks.push(Chunk { block, ..Chunk::WITHOUT_SLOTS });
        }
        let memory = SlotMemory::NONE;
        self.blocks.push(SlotBlock { memory, slots, first, in_use: 0, link: Link::UNLISTED });
        block
    }

    /// Gives the chunks of a block their slots, the first of which has the rank `before`. Returns the numbers
    /// of the chunks.
    pub(super) fn allocate(&mut self, block: usize, before: usize) -> Range<usize> {
        let &mut SlotBlock { ref mut memory, slots, first, .. } = &mut self.blocks[block];
        assert!(memory.capacity == 0 || size_of::<J>() == 0, "the block has no memory");
        *memory = SlotMemory::new(slots);
        self.capacity += slots;
        let starts = (0..slots).step_by(CHUNK_SLOTS);
        let chunks = first..first + starts.len();
        for (at, number) in starts.zip(chunks.clone()) {
            let chunk = &mut self.chunks[number];
            // SAFETY: `at` is less than the capacity of the memory.
            chunk.slots = unsafe { memory.start.add(at) };
            chunk.before = before + at;
            chunk.all = usize::MAX >> (usize::BITS as usize - CHUNK_SLOTS.min(slots - at));
        }
        chunks
    }

    /// Frees the memory of a block that is not in use. Its chunks have no slots from then on.
    pub(super) fn release(&mut self, block: usize) {
        let &mut SlotBlock { ref mut memory, slots, first, .. } = &mut self.blocks[block];
        for number in first..first + slots.div_ceil(CHUNK_SLOTS) {
            let chunk = &mut self.chunks[number];
            assert!(chunk.taken == 0, "a chunk that is not in use has no body");
            (chunk.slots, chunk.all) = (NonNull::dangling(), 0);
        }
        self.capacity -= slots;
        // SAFETY: no body is in it: an occupied slot is taken. The chunks, which had its address, have slots no
        // more.
        unsafe { replace(memory, SlotMemory::NONE).free() };
    }

    /// The block of a chunk, unless it is the first chunk.
    pub(super) fn block_of(&self, number: usize) -> Option<usize> {
        Some(self.chunks[number].block).filter(|&block| block < self.blocks.len())
    }

    /// The number of chunks of a block that are in use.
    pub(super) fn in_use_mut(&mut self, block: usize) -> &mut usize {
        &mut self.blocks[block].in_use
    }

    /// The link of a block.
    pub(super) fn block_link_mut(&mut self, block: usize) -> &mut Link {
        &mut self.blocks[block].link
    }

    /// Ranks all slots that have memory anew, without gaps.
    pub(super) fn rank_anew(&mut self) {
        let mut before = 0;
        for number in 0..self.chunks.len() {
            let chunk = &mut self.chunks[number];
            chunk.before = before;
            before += count(chunk.all);
        }
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
        let first = SlotMemory { start: self.chunks[0].slots, capacity: self.first_capacity };
        for memory in self.blocks.drain(..).map(|block| block.memory).chain([first]) {
            // SAFETY: no body is left in it.
            unsafe { memory.free() };
        }
    }
}

impl<J> Chunk<J> {
    const WITHOUT_SLOTS: Self = Self {
        slots: NonNull::dangling(),
        block: usize::MAX,
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
        // Read once: the compiler does not know that no destructor writes it.
        let slots = self.slots;
        // After a panic, continues with the next body.
        while let Err(panic) = catch(|| {
            for offset in bits(self.occupied) {
                self.occupied &= !(1 << offset);
                // SAFETY: the slot was occupied, so it exists, and is not any more, so the body is not dropped or used
                // again.
                unsafe { slots.add(offset).cast::<J>().drop_in_place() };
            }
        }) {
            panicked(panic);
        }
        occupied
    }
}
