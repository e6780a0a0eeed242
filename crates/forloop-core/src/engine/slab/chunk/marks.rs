//! The safe part of a chunk: its words of bits, its place in the order of bodies, and its first index.

use super::super::super::bit_set::LowestBit;
use super::Chunk;

impl<J> Chunk<J> {
    /// The slots that hold a body.
    pub(in super::super::super) fn occupied(&self) -> usize {
        self.occupied
    }

    /// Whether all slots are free.
    #[inline]
    pub(in super::super) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Whether there are slots, and all of them are free.
    pub(in super::super) fn has_only_free_slots(&self) -> bool {
        self.is_empty() && self.all != 0
    }

    /// The slots that are not free.
    pub(in super::super::super) fn taken(&self) -> usize {
        self.taken
    }

    /// Whether all slots are taken.
    #[inline]
    pub(in super::super) fn is_full(&self) -> bool {
        self.taken == self.all
    }

    /// Whether some slots are taken and some are free.
    pub(in super::super) fn is_partial(&self) -> bool {
        !self.is_empty() && !self.is_full()
    }

    /// Opens the chunk, and returns its first free slot.
    pub(in super::super) fn begin_generation(&mut self, generation: usize) -> LowestBit {
        self.generation = generation;
        LowestBit::of(self.all & !self.taken)
    }

    /// The chunk's position in the order in which chunks were opened: a later one has later bodies.
    #[inline]
    pub(in super::super::super) fn generation(&self) -> usize {
        self.generation
    }

    pub(in super::super) fn set_out_of_order(&mut self) {
        self.is_out_of_order = true;
    }

    /// Whether a higher slot may hold an earlier body.
    #[inline]
    pub(in super::super::super) fn is_out_of_order(&self) -> bool {
        self.is_out_of_order
    }

    /// The position of the slot at `offset` among all slots of the slab.
    #[inline]
    pub(in super::super::super) fn rank(&self, offset: usize) -> usize {
        self.before + offset
    }

    /// Begins a run of consecutive indices with `index` at `offset`.
    pub(in super::super::super) fn begin_run(&mut self, offset: usize, index: usize) {
        self.first_index = index.wrapping_sub(offset);
    }

    /// The index of the body at `offset`, if the chunk's indices are consecutive.
    #[inline]
    pub(in super::super::super) fn index_in_run(&self, offset: usize) -> usize {
        self.first_index.wrapping_add(offset)
    }

    /// Marks slots as due, and returns `true` if no other was due. Free slots are left out: a late wake of
    /// an earlier body must not mark them.
    #[inline]
    pub(in super::super::super) fn mark_due(&mut self, woken: usize) -> bool {
        let was_due = self.due;
        self.due |= woken & self.taken;
        was_due == 0 && self.due != 0
    }

    /// The slots that were woken and have not been polled in this round.
    #[inline]
    pub(in super::super::super) fn due(&self) -> usize {
        self.due
    }

    #[inline]
    pub(in super::super::super) fn is_due(&self, offset: usize) -> bool {
        self.due & (1 << offset) != 0
    }

    pub(in super::super::super) fn clear_due(&mut self, offset: usize) {
        self.due &= !(1 << offset);
    }

    /// Takes the slots that are due.
    #[inline]
    pub(in super::super::super) fn take_due(&mut self) -> usize {
        core::mem::take(&mut self.due)
    }

    /// Whether the body at `offset` has timed out and was asked to stop.
    #[inline]
    pub(in super::super::super) fn has_timed_out(&self, offset: usize) -> bool {
        self.timed_out & (1 << offset) != 0
    }

    pub(in super::super::super) fn set_timed_out(&mut self, offset: usize) {
        self.timed_out |= 1 << offset;
    }
}
