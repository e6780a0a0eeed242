//! The index of the body in each slot.
//!
//! Items are pulled in order and slots are filled in order, so the indices in a chunk are nearly always
//! consecutive: one number per chunk then gives them all, and a body costs no memory for its index. The
//! first body that breaks such a run, because it was retried or its predecessor completed at its first
//! poll, switches the whole table to one entry per slot. It stays that way until the set is dropped.

use alloc::vec;
use alloc::vec::Vec;

use super::slab::{Chunk, Slab};
use super::slot::{Slot, number_of, offset_of};

/// The number of entries per slot above which they are made anew.
const FREED: usize = 4;

/// The indices of the bodies of a set.
pub(super) struct IndexTable {
    /// An index per slot, by rank. Empty while the indices of each chunk are consecutive.
    entries: Vec<usize>,
}

/// Where the run of consecutive indices in a chunk begins: the index that belongs to offset 0.
///
/// No run begins at the sentinel. It would take that many bodies, or that many slots, to get there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RunStart(usize);

impl RunStart {
    /// The chunk's indices are not kept as a run.
    const NONE: Self = Self(usize::MAX / 2);

    /// Whether a body with this index at this offset continues the run, so that nothing need be recorded.
    #[inline]
    pub(super) fn is_continued_by(self, offset: usize, index: usize) -> bool {
        index.wrapping_sub(offset) == self.0
    }
}

impl IndexTable {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Whether the indices of each chunk are consecutive.
    #[inline]
    fn has_runs(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline]
    pub(super) fn run_start<J>(&self, chunk: &Chunk<J>) -> RunStart {
        if self.has_runs() { RunStart(chunk.index_in_run(0)) } else { RunStart::NONE }
    }

    /// The indices of the bodies of a chunk.
    #[inline]
    pub(super) fn row<J>(&self, chunk: &Chunk<J>) -> IndexRow<'_> {
        let first = if self.has_runs() { chunk.index_in_run(0) } else { chunk.rank(0) };
        IndexRow { entries: &self.entries, first }
    }

    /// Records the index of the body that was kept last, and whether it is the only one in its chunk.
    /// Returns `false` if the table needs an entry for each slot first.
    #[cold]
    pub(super) fn record<J>(
        &mut self,
        (chunk, is_only): (&mut Chunk<J>, bool),
        offset: usize,
        index: usize,
    ) -> bool {
        if self.has_runs() {
            if is_only {
                chunk.begin_run(offset, index);
            }
            return chunk.index_in_run(offset) == index;
        }
        let entry = self.entries.get_mut(chunk.rank(offset));
        entry.map(|entry| *entry = index).is_some()
    }

    /// Makes an entry for each slot, and records the index of the body in `slot`.
    #[cold]
    pub(super) fn record_each<J>(&mut self, slab: &mut Slab<J>, slot: Slot, index: usize) {
        if self.has_runs() {
            self.make_entries(slab);
        }
        // The entry of a slot without a body is never read.
        self.entries.resize(slab.ranks(), 0);
        self.entries[rank(slab, slot)] = index;
    }

    /// Makes the entries anew if most of them are for slots whose memory was freed.
    pub(super) fn forget_freed<J>(&mut self, slab: &mut Slab<J>) {
        if self.entries.len() / FREED > slab.capacity() {
            self.make_entries(slab);
        }
    }

    #[cold]
    fn make_entries<J>(&mut self, slab: &mut Slab<J>) {
        let mut indices = Vec::new();
        slab.for_each(Chunk::taken, &mut |slot| {
            let index = self.row(slab.chunk(number_of(slot))).index(offset_of(slot));
            indices.push((slot, index));
        });
        slab.rank_anew();
        self.entries = vec![0; slab.ranks()];
        for (slot, index) in indices {
            self.entries[rank(slab, slot)] = index;
        }
    }
}

/// The position of a slot's entry.
fn rank<J>(slab: &Slab<J>, slot: Slot) -> usize {
    slab.chunk(number_of(slot)).rank(offset_of(slot))
}

/// The indices of the bodies of a chunk.
#[derive(Clone, Copy)]
pub(super) struct IndexRow<'a> {
    entries: &'a [usize],
    /// The index, or the rank in `entries`, that belongs to offset 0.
    first: usize,
}

impl IndexRow<'_> {
    /// The index of the body at an offset.
    #[inline]
    pub(super) fn index(self, offset: usize) -> usize {
        let at = self.first.wrapping_add(offset);
        if self.entries.is_empty() { at } else { self.entries[at] }
    }
}
