//! What is noted of the slots of a group, a bit for each, and of the group as a whole.

use super::Chunk;

impl<J> Chunk<J> {
    /// The slots that hold a body.
    pub(in super::super) fn occupied(&self) -> usize {
        self.occupied
    }

    /// Says that bodies will come one after another, with this index at this place.
    pub(in super::super) fn begin_row(&mut self, offset: usize, index: usize) {
        self.first_index = index.wrapping_sub(offset);
    }

    /// The index of the body at a place, if they came one after another.
    #[inline]
    pub(in super::super) fn index_in_a_row(&self, offset: usize) -> usize {
        self.first_index.wrapping_add(offset)
    }

    /// When the group was begun, among all groups: a later one has the later bodies.
    #[inline]
    pub(in super::super) fn begun(&self) -> usize {
        self.begun
    }

    /// Whether a higher slot may have an earlier body.
    #[inline]
    pub(in super::super) fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    /// The number, among all slots, of the one at a place.
    #[inline]
    pub(in super::super) fn rank(&self, offset: usize) -> usize {
        self.before + offset
    }

    /// Notes slots that were woken; `true` if they are the first of this round. A free slot has
    /// nobody to wake.
    #[inline]
    pub(in super::super) fn are_due(&mut self, woken: usize) -> bool {
        let was_due = self.due;
        self.due |= woken & self.taken;
        was_due == 0 && self.due != 0
    }

    /// The slots that were woken and have not had their turn in this round.
    #[inline]
    pub(in super::super) fn due(&self) -> usize {
        self.due
    }

    #[inline]
    pub(in super::super) fn is_due(&self, offset: usize) -> bool {
        self.due & (1 << offset) != 0
    }

    pub(in super::super) fn is_not_due(&mut self, offset: usize) {
        self.due &= !(1 << offset);
    }

    /// Takes the slots that are due.
    #[inline]
    pub(in super::super) fn take_due(&mut self) -> usize {
        core::mem::take(&mut self.due)
    }

    /// Whether the body at a place had no time left and was asked to stop.
    #[inline]
    pub(in super::super) fn is_overdue(&self, offset: usize) -> bool {
        self.overdue & (1 << offset) != 0
    }

    pub(in super::super) fn set_overdue(&mut self, offset: usize) {
        self.overdue |= 1 << offset;
    }
}
