//! The woken slots of one round, in the order in which they are polled.
//!
//! A round polls every body that was woken before it began, each once. It gives an order to bodies that
//! were woken together: in-task bodies by index, spawned ones by the sequence number of their
//! completion. So "the first failure" means the same on one thread and on many. The first round of a turn may
//! begin with one body out of this order: see [`turns`](super::turns).
//!
//! There are two representations, and a round uses one of them:
//!
//! - *By chunks.* The slab fills slots in the order of indices, so the due bits of the chunks, taken in
//!   the order of their generations and from the lowest bit up, are sorted already. A round of any size
//!   then costs one word per chunk. This is the case for in-task bodies unless a chunk is out of order.
//! - *By slots.* Otherwise every due slot is listed with its key and the list is sorted. Bodies that
//!   run at the same time mostly have indices near each other, so the sort is a counting sort on the range
//!   of the keys: each slot goes to the place of its key, and the places are read in order. Where the keys
//!   are sparse, a comparison sort is cheaper and is used instead.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::RangeInclusive;

use super::bit_set::{bit_of, bits, bits_of_slice, word_of};
use super::bodies::Bodies;
use super::slab::Slab;
use super::slot::{Slot, number_of, offset_of, slot_at};
use crate::simulation::choose_order;

/// The slots that are still to be polled in this round.
pub(super) struct Round {
    /// The slot that is polled before all others. It is not due, and not in one of the lists.
    first: Option<Slot>,
    /// The numbers of the chunks with due slots, the next chunk last.
    chunks: Vec<usize>,
    /// The due slots behind their keys, in ascending order.
    slots: Vec<(usize, Slot)>,
    /// The number of `slots` that were polled.
    polled: usize,
    sort: CountingSort,
}

impl Round {
    #[inline]
    pub(super) const fn new() -> Self {
        Self {
            first: None,
            chunks: Vec::new(),
            slots: Vec::new(),
            polled: 0,
            sort: CountingSort::new(),
        }
    }

    /// Whether no slot is left.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.chunks.is_empty() && self.polled == self.slots.len() && self.first.is_none()
    }

    /// Adds a chunk with due slots. [`sort_chunks`](Self::sort_chunks) or [`sort_by`](Self::sort_by)
    /// must follow.
    #[inline]
    pub(super) fn add(&mut self, number: usize) {
        self.chunks.push(number);
    }

    /// Takes the next chunk, in a round by chunks.
    #[inline]
    pub(super) fn next_chunk(&mut self) -> Option<usize> {
        self.chunks.pop()
    }

    /// Takes the next slot, in a round by slots.
    #[inline]
    pub(super) fn next_slot<J>(&mut self, slab: &mut Slab<J>) -> Option<Slot> {
        if let Some(first) = self.take_first() {
            return Some(first);
        }
        let &(_, slot) = self.slots.get(self.polled)?;
        self.polled += 1;
        slab.chunk_mut(number_of(slot)).clear_due(offset_of(slot));
        Some(slot)
    }

    /// Takes the slot that is polled before all others, if there is one.
    #[inline]
    pub(super) fn take_first(&mut self) -> Option<Slot> {
        self.first.take()
    }

    /// Has a due slot polled before all others. Sorting must follow.
    pub(super) fn poll_first<J>(&mut self, first: Slot, slab: &mut Slab<J>) {
        let number = number_of(first);
        slab.chunk_mut(number).clear_due(offset_of(first));
        if slab.chunk(number).due() == 0 {
            self.chunks.retain(|&other| other != number);
        }
        self.first = Some(first);
    }

    /// The number of each chunk that was added. Sorting must follow.
    pub(super) fn chunks(&self) -> &[usize] {
        &self.chunks
    }

    /// Orders a round by chunks: the chunk that was opened first comes first.
    #[inline]
    pub(super) fn sort_chunks<J>(&mut self, slab: &Slab<J>) {
        let generation = |number| slab.chunk(number).generation();
        match self.chunks[..] {
            [] | [_] => {}
            // A limit of 64 has two chunks, so this is frequent.
            [first, second] => {
                if generation(first) < generation(second) {
                    self.chunks.swap(0, 1);
                }
            }
            _ => sort_descending(&mut self.chunks, &generation),
        }
    }

    /// Makes the round one by slots: the slot with the lowest key comes first. A slot without a key is
    /// not due any more.
    pub(super) fn sort_by<J>(
        &mut self,
        bodies: &mut Bodies<J>,
        key: impl Fn(&Bodies<J>, Slot) -> Option<usize>,
    ) {
        self.sort_chunks(&bodies.slab);
        self.slots.clear();
        keep_for(&mut self.slots, bodies.len());
        self.polled = 0;
        let mut is_sorted = true;
        let (mut least, mut greatest) = (usize::MAX, 0);
        while let Some(number) = self.chunks.pop() {
            for offset in bits(bodies.slab.chunk(number).due()) {
                let slot = slot_at(number, offset);
                let Some(key) = key(bodies, slot) else {
                    bodies.slab.chunk_mut(number).clear_due(offset);
                    continue;
                };
                self.slots.push((key, slot));
                is_sorted &= greatest <= key;
                greatest = greatest.max(key);
                least = least.min(key);
            }
        }
        if !is_sorted {
            self.sort.sort(&mut self.slots, least..=greatest);
        }
    }

    /// Lets a simulation choose the order of a round by slots.
    pub(super) fn choose_order(&mut self) {
        choose_order(&mut self.slots);
    }
}

/// A counting sort of slots with different keys. Its memory is kept for the next round.
struct CountingSort {
    /// A bit for each key in the range.
    filled: Vec<usize>,
    /// The slot of each key in the range.
    slots: Vec<Slot>,
}

/// Sorts numbers, the one with the greatest key first. The key is behind a pointer, so that the sort is compiled once
/// and not for each type of body.
fn sort_descending(numbers: &mut [usize], key: &dyn Fn(usize) -> usize) {
    numbers.sort_unstable_by_key(|&number| Reverse(key(number)));
}

/// The number of entries that a vector keeps, however few it needs.
const KEPT: usize = 1024;

/// Frees most of a vector's memory if it is much more than `needed` entries need.
#[inline]
fn keep_for<T>(entries: &mut Vec<T>, needed: usize) {
    if entries.capacity() / 4 > needed.max(KEPT) {
        entries.truncate(needed);
        entries.shrink_to(2 * needed);
    }
}

/// The number of keys in the range per slot above which the comparison sort is cheaper.
const SPARSE: usize = 8;

impl CountingSort {
    const fn new() -> Self {
        Self { filled: Vec::new(), slots: Vec::new() }
    }

    /// Sorts slots whose keys are in `range`.
    fn sort(&mut self, slots: &mut [(usize, Slot)], range: RangeInclusive<usize>) {
        if !self.sort_dense(slots, range) {
            slots.sort_unstable();
        }
    }

    /// Sorts slots whose keys are in `range`; `false`, without a change, if the keys are sparse.
    fn sort_dense(&mut self, slots: &mut [(usize, Slot)], range: RangeInclusive<usize>) -> bool {
        let least = *range.start();
        let span = range.end() - least;
        if span / SPARSE > slots.len() {
            return false;
        }
        self.filled.clear();
        keep_for(&mut self.filled, word_of(span) + 1);
        self.filled.resize(word_of(span) + 1, 0);
        keep_for(&mut self.slots, span + 1);
        if self.slots.len() <= span {
            self.slots.resize(span + 1, 0);
        }
        for &mut (key, slot) in &mut *slots {
            let at = key - least;
            self.filled[word_of(at)] |= bit_of(at);
            self.slots[at] = slot;
        }
        for (entry, at) in slots.iter_mut().zip(bits_of_slice(&self.filled)) {
            *entry = (least + at, self.slots[at]);
        }
        true
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn the_counting_sort_sorts_dense_keys_and_refuses_sparse_ones() {
        let mut sort = CountingSort::new();
        for (keys, is_dense) in [
            (vec![3, 1, 2], true),
            (vec![45, 37], true),
            (vec![70, 6, 5, 34, 33, 0, 31, 12, 68], true),
            (vec![usize::MAX, usize::MAX - 1], true),
            (vec![1, 0, 1000], false),
        ] {
            let mut slots: Vec<_> = keys.iter().map(|&key| (key, !key)).collect();
            let range = *keys.iter().min().unwrap()..=*keys.iter().max().unwrap();
            let mut sorted = slots.clone();
            sorted.sort_unstable();
            assert_eq!(sort.sort_dense(&mut slots, range), is_dense, "{keys:?}");
            if is_dense {
                assert_eq!(slots, sorted);
            }
        }
    }
}
