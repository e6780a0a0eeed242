//! Where the bodies of a set live: slots in chunks, at addresses that never change.
//!
//! # Memory
//!
//! A body is pinned from its first poll, so it cannot live in a vector that moves when it grows. The
//! slab allocates memory in blocks and divides each block into chunks of at most [`CHUNK_SLOTS`] slots.
//! `chunk.rs` owns the memory; this file decides which slot is filled next, and when memory is freed.
//!
//! Memory falls with the number of bodies. A block is *in use* while one of its chunks is. When a block falls
//! out of use and fewer than a quarter of all slots are taken, blocks that are not in use are *released*,
//! until the quarter is reached or [`KEPT_BYTES`] are left. The first block, of one chunk, is never released.
//! A released block is only a number. It gets memory again when the slab grows, so there are never
//! more chunks than a slab needed at its largest, and what wakers point to stays valid.
//!
//! So a slab that is released and grows again has started and freed at least three bodies for every four slots
//! of the difference, and a set with a limit allocates for its limit and not for its items. A body that
//! stays while all others complete keeps its block, whose size is bounded.
//!
//! # States of a slot
//!
//! A slot is *free*, then *taken* and *occupied* by a body, then taken and *empty*, then free again. The
//! body is dropped on the way from occupied to empty. The slot becomes free only when the set says so:
//! a timed-out body may leave tasks behind, and its slot must count against the limit until they have
//! stopped.
//!
//! # Order of reuse
//!
//! A round has to poll the woken bodies in the order of their indices. The slab arranges that this is the
//! order of chunks and slots nearly always, so that nothing has to be sorted:
//!
//! - One chunk is *open*, and its slots are filled in ascending order. A slot below the cursor that
//!   becomes free is not filled again while the chunk is open.
//! - A chunk whose slots are all free is opened as a whole. Opening gives a chunk the next *generation*,
//!   and every body in a later generation started after every body in an earlier one.
//! - Only if no chunk is empty, and another chunk would leave too much memory unused (see
//!   [`CapacityHint::more`](super::capacity_hint::CapacityHint::more)), a partly free chunk is opened.
//!   Its free slots lie between older bodies, so the chunk is marked *out of order* until it is empty,
//!   and a round with such a chunk is sorted.
//!
//! Empty and partly free chunks are on one intrusive list each. A chunk is put on a list when a slot of
//! it becomes free, and stays there if its state changes. Its state is checked when it is taken off. So
//! the slots of a chunk that complete together are freed by a few instructions.

mod chunk;
mod links;

use core::fmt;
use core::pin::Pin;

use super::bit_set::{LowestBit, bits};
use super::slot::{Slot, number_of, offset_of, slot_at};
use crate::outcome::Panic;

use self::chunk::Chunks;
pub(super) use self::chunk::{Chunk, NewEntry, OccupiedEntry, VacantEntries};
use self::links::{Link, pop, push};

/// The number of bytes that a slab keeps, however few bodies run.
const KEPT_BYTES: usize = 256 << 10;

/// The slots of a set, and the order in which they are filled.
pub(super) struct Slab<J> {
    chunks: Chunks<J>,
    /// The number of the open chunk. Until the first slots are made it is that of an empty chunk.
    open: usize,
    /// The next slot to be filled in the open chunk.
    cursor: LowestBit,
    /// The generation of the open chunk.
    generation: usize,
    /// The first chunk on each list.
    empty: Link,
    partial: Link,
    /// The first block on each list: of those that may not be in use, and of those without memory.
    unused: Link,
    released: Link,
    /// The number of ranks: one more than the greatest rank of a slot.
    ranks: usize,
}

impl<J> Slab<J> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self {
            chunks: Chunks::new(),
            open: 0,
            cursor: LowestBit::NONE,
            generation: 0,
            empty: Link::END,
            partial: Link::END,
            unused: Link::END,
            released: Link::END,
            ranks: 0,
        }
    }

    /// The number of slots that have memory.
    pub(super) fn capacity(&self) -> usize {
        self.chunks.capacity()
    }

    /// The number of slots that are not free.
    #[inline]
    pub(super) fn taken(&self) -> usize {
        self.chunks.taken()
    }

    /// Whether no slots have been made yet.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.generation == 0
    }

    /// Makes the first slots, at most as many as fit into a chunk, and returns the first of them.
    #[inline(always)] // called in one place
    pub(super) fn begin(&mut self, slots: usize) -> Slot {
        debug_assert!(self.is_new(), "the first slots are made once");
        (self.generation, self.ranks) = (1, slots);
        self.chunks.make_first(slots, self.generation);
        self.cursor = LowestBit::of(1);
        slot_at(0, 0)
    }

    /// Makes slots and opens the first chunk of them: `slots`, or those of a block that was released. No chunk
    /// is empty. Returns the number of chunks, with those that were released.
    pub(super) fn grow(&mut self, slots: usize) -> usize {
        debug_assert!(self.empty == Link::END, "no chunk is empty");
        let block = match self.released.get() {
            Some(block) => {
                pop(&mut self.released, self.chunks.block_link_mut(block));
                block
            }
            None => self.chunks.make_block(slots),
        };
        let before = self.chunks.capacity();
        let chunks = self.chunks.allocate(block, self.ranks);
        self.ranks += self.chunks.capacity() - before;
        let first = chunks.start;
        for number in chunks.skip(1).rev() {
            push(&mut self.empty, &mut self.chunks.links_mut(number).empty, number);
        }
        self.use_chunk(first);
        self.open(first);
        self.chunks.len()
    }

    /// Counts an empty chunk as in use.
    fn use_chunk(&mut self, number: usize) {
        if let Some(block) = self.chunks.block_of(number) {
            *self.chunks.in_use_mut(block) += 1;
        }
    }

    /// Counts a chunk that has become empty as out of use.
    fn disuse_chunk(&mut self, number: usize) {
        let Some(block) = self.chunks.block_of(number) else { return };
        let in_use = self.chunks.in_use_mut(block);
        *in_use -= 1;
        if *in_use == 0 {
            push(&mut self.unused, self.chunks.block_link_mut(block), block);
            self.release_unused();
        }
    }

    /// Releases blocks, as long as there is much more memory than the bodies need.
    #[cold]
    fn release_unused(&mut self) {
        let kept = (KEPT_BYTES / size_of::<J>().max(1)).max(4 * self.taken());
        while self.capacity() > kept
            && let Some(block) = self.unused.get()
        {
            pop(&mut self.unused, self.chunks.block_link_mut(block));
            if *self.chunks.in_use_mut(block) == 0 {
                self.chunks.release(block);
                push(&mut self.released, self.chunks.block_link_mut(block), block);
            }
        }
    }

    /// The next slot to be filled, if the open chunk has one.
    #[inline]
    pub(super) fn next_free(&self) -> Option<Slot> {
        self.cursor.get().map(|offset| slot_at(self.open, offset))
    }

    /// Opens a chunk whose slots are all free; `false` if there is none.
    pub(super) fn open_empty(&mut self) -> bool {
        while let Some(number) = self.empty.get() {
            let is_empty = self.chunks.get(number).has_only_free_slots();
            pop(&mut self.empty, &mut self.chunks.links_mut(number).empty);
            if is_empty {
                self.use_chunk(number);
                self.open(number);
                return true;
            }
        }
        false
    }

    /// Opens a chunk with free slots between taken ones; `false` if there is none.
    pub(super) fn open_partial(&mut self) -> bool {
        self.close();
        while let Some(number) = self.partial.get() {
            let is_partial = self.chunks.get(number).is_partial();
            pop(&mut self.partial, &mut self.chunks.links_mut(number).partial);
            if is_partial {
                self.switch_to(number);
                self.chunks.get_mut(number).set_out_of_order();
                return true;
            }
        }
        false
    }

    /// Opens a chunk that has a free slot.
    fn open(&mut self, number: usize) {
        self.close();
        self.switch_to(number);
    }

    fn switch_to(&mut self, number: usize) {
        self.generation += 1;
        self.open = number;
        self.cursor = self.chunks.get_mut(number).begin_generation(self.generation);
    }

    /// Closes the open chunk, which is filled to its end. Some of its slots may be free again.
    fn close(&mut self) {
        self.cursor = LowestBit::NONE;
        if !self.chunks.get(self.open).is_full() {
            let number = self.open;
            push(&mut self.partial, &mut self.chunks.links_mut(number).partial, number);
        }
    }

    /// The free slots of the open chunk from the cursor on, with the chunk's number.
    #[inline]
    pub(super) fn vacant_entries(&mut self) -> (usize, VacantEntries<'_, J>) {
        (self.open, self.chunks.vacant_entries(self.open, &mut self.cursor))
    }

    #[inline]
    pub(super) fn chunk(&self, number: usize) -> &Chunk<J> {
        self.chunks.get(number)
    }

    #[inline]
    pub(super) fn chunk_mut(&mut self, number: usize) -> &mut Chunk<J> {
        self.chunks.get_mut(number)
    }

    /// The number of chunks.
    pub(super) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// Calls `visit` with each slot that has a bit in its chunk's word `of`, in ascending order.
    ///
    /// This is compiled for each type of body. As iterators the loops would be ten times the code.
    pub(super) fn for_each(&self, of: fn(&Chunk<J>) -> usize, visit: &mut dyn FnMut(Slot)) {
        for number in 0..self.chunk_count() {
            for offset in bits(of(self.chunk(number))) {
                visit(slot_at(number, offset));
            }
        }
    }

    /// Drops every body, and returns the first panic of their destructors.
    pub(super) fn clear(&mut self) -> Option<Panic> {
        self.chunks.clear()
    }

    /// The number of ranks. Those of slots whose memory was freed are not used again.
    pub(super) fn ranks(&self) -> usize {
        self.ranks
    }

    /// Ranks all slots anew, without gaps.
    pub(super) fn rank_anew(&mut self) {
        self.chunks.rank_anew();
        self.ranks = self.capacity();
    }

    /// The body in a slot.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<Pin<&J>> {
        self.chunk(number_of(slot)).get(offset_of(slot))
    }

    /// Makes empty slots of a chunk free. `slots` has a bit for each.
    #[inline]
    pub(super) fn free(&mut self, number: usize, slots: usize) {
        if slots == 0 {
            return;
        }
        let (is_empty, links) = self.chunks.free(number, slots);
        if number == self.open {
            if is_empty {
                self.open(number);
            }
        } else if is_empty {
            push(&mut self.empty, &mut links.empty, number);
            self.disuse_chunk(number);
        } else {
            push(&mut self.partial, &mut links.partial, number);
        }
    }
}

impl<J> fmt::Debug for Slab<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slab").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
