//! Which index the body in a slot has.

use alloc::vec::Vec;

use super::slab::{Chunk, Slab};
use super::slot::{Slot, chunk_of, offset_of};

/// The indices of the bodies. Where they came one after another, each group knows its first, and no
/// memory is needed for the others.
pub(super) struct IndexTable {
    /// By rank, if they did not come one after another.
    each: Vec<usize>,
}

/// No loop has so many bodies, by far.
const NO_INDEX: usize = usize::MAX / 2;

impl IndexTable {
    pub(super) const fn new() -> Self {
        Self { each: Vec::new() }
    }

    /// Whether the bodies of each group came one after another.
    #[inline]
    fn is_in_rows(&self) -> bool {
        self.each.is_empty()
    }

    /// The index of the body that would be at the first place of a group, if they come one after
    /// another: such a body needs no note.
    #[inline]
    pub(super) fn first_index<J>(&self, chunk: &Chunk<J>) -> usize {
        if self.is_in_rows() { chunk.index_in_a_row(0) } else { NO_INDEX }
    }

    /// The indices of the bodies of a group.
    #[inline]
    pub(super) fn row<J>(&self, chunk: &Chunk<J>) -> IndexRow<'_> {
        let first = if self.is_in_rows() { chunk.index_in_a_row(0) } else { chunk.rank(0) };
        IndexRow { each: &self.each, first }
    }

    /// Notes the index of the body that came last, and whether it is the only one of its group; `false`
    /// if there is no room.
    #[cold]
    pub(super) fn note<J>(
        &mut self,
        (chunk, is_only): (&mut Chunk<J>, bool),
        offset: usize,
        index: usize,
    ) -> bool {
        if self.is_in_rows() {
            if is_only {
                chunk.begin_row(offset, index);
            }
            return chunk.index_in_a_row(offset) == index;
        }
        let entry = self.each.get_mut(chunk.rank(offset));
        entry.map(|entry| *entry = index).is_some()
    }

    /// Makes room for each slot that there is, and notes the index of the body in one.
    #[cold]
    pub(super) fn note_each<J>(&mut self, slab: &Slab<J>, slot: Slot, index: usize) {
        let slots = slab.all_slots();
        self.each =
            slots.map(|slot| self.row(slab.chunk(chunk_of(slot))).index(offset_of(slot))).collect();
        self.each[slab.chunk(chunk_of(slot)).rank(offset_of(slot))] = index;
    }
}

/// The indices of the bodies of a group.
#[derive(Clone, Copy)]
pub(super) struct IndexRow<'a> {
    each: &'a [usize],
    /// The first index, or the first rank.
    first: usize,
}

impl IndexRow<'_> {
    /// The index of the body at a place.
    #[inline]
    pub(super) fn index(self, offset: usize) -> usize {
        let at = self.first.wrapping_add(offset);
        if self.each.is_empty() { at } else { self.each.get(at).copied().unwrap_or(usize::MAX) }
    }
}
