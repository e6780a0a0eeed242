//! The woken slots of one round, in the order of their turns.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::RangeInclusive;

use super::bodies::Bodies;
use super::slab::Slab;
use super::slot::{Slot, bits, chunk_of, offset_of, slot_at};
use crate::simulation::choose_order;

/// The slots that have a turn before any has another.
pub(super) struct Round {
    /// The groups with slots that are due, the next one last. In each, the lowest slot is next.
    chunks: Vec<usize>,
    /// Where their order is another one: each slot behind what it is sorted by.
    slots: Vec<(usize, Slot)>,
    /// How many of those had their turn.
    done: usize,
    /// Where slots are while they are sorted.
    sort: CountingSort,
}

impl Round {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), slots: Vec::new(), done: 0, sort: CountingSort::new() }
    }

    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.chunks.is_empty() && self.done == self.slots.len()
    }

    /// Adds a group some of whose slots are due. Say then how they are to be sorted.
    #[inline]
    pub(super) fn add(&mut self, number: usize) {
        self.chunks.push(number);
    }

    /// Takes the next group, if they have their turns by groups.
    #[inline]
    pub(super) fn next_chunk(&mut self) -> Option<usize> {
        self.chunks.pop()
    }

    /// Takes the next slot, if they have their turns one by one.
    #[inline]
    pub(super) fn next_slot<J>(&mut self, slab: &mut Slab<J>) -> Option<Slot> {
        let &(_, slot) = self.slots.get(self.done)?;
        self.done += 1;
        slab.chunk_mut(chunk_of(slot)).is_not_due(offset_of(slot));
        Some(slot)
    }

    /// Has the group that was begun first come first.
    #[inline]
    pub(super) fn sort_chunks<J>(&mut self, slab: &Slab<J>) {
        if self.chunks.len() > 1 {
            self.chunks.sort_unstable_by_key(|&number| Reverse(slab.chunk(number).begun()));
        }
    }

    /// Has the slot with the lower key come first; those that have none are not due after all.
    pub(super) fn sort_by<J>(
        &mut self,
        bodies: &mut Bodies<J>,
        key: impl Fn(&Bodies<J>, Slot) -> Option<usize>,
    ) {
        self.sort_chunks(&bodies.slab);
        self.slots.clear();
        self.done = 0;
        let mut is_sorted = true;
        let (mut least, mut most) = (usize::MAX, 0);
        while let Some(number) = self.chunks.pop() {
            for offset in bits(bodies.slab.chunk(number).due()) {
                let slot = slot_at(number, offset);
                let Some(key) = key(bodies, slot) else {
                    bodies.slab.chunk_mut(number).is_not_due(offset);
                    continue;
                };
                self.slots.push((key, slot));
                is_sorted &= most <= key;
                most = most.max(key);
                least = least.min(key);
            }
        }
        if !is_sorted && !self.sort.sort(&mut self.slots, least..=most) {
            self.slots.sort_unstable();
        }
    }

    /// Has slots that were sorted one by one come in an order that a simulation chooses.
    pub(super) fn choose_order(&mut self) {
        choose_order(&mut self.slots);
    }
}

/// Sorts what is dense: the bodies that were woken together mostly have indices that are near each
/// other. Each is put where its index says, and then all are taken from there in order.
struct CountingSort {
    /// A bit for each place that is filled.
    filled: Vec<usize>,
    slots: Vec<Slot>,
}

/// Places for each slot to be sorted, at most: with more, it is cheaper to compare.
const SPARSE: usize = 8;

impl CountingSort {
    const fn new() -> Self {
        Self { filled: Vec::new(), slots: Vec::new() }
    }

    /// Sorts slots with different keys in a range; `false` if that is not worth it.
    fn sort(&mut self, slots: &mut [(usize, Slot)], range: RangeInclusive<usize>) -> bool {
        let least = *range.start();
        let span = range.end() - least;
        if span / SPARSE > slots.len() {
            return false;
        }
        self.filled.clear();
        self.filled.resize(span / usize::BITS as usize + 1, 0);
        if self.slots.len() <= span {
            self.slots.resize(span + 1, 0);
        }
        for &mut (key, slot) in &mut *slots {
            let offset = key - least;
            self.filled[chunk_of(offset)] |= 1 << offset_of(offset);
            self.slots[offset] = slot;
        }
        let words = self.filled.iter().enumerate();
        let filled =
            words.flat_map(|(word, &word_bits)| bits(word_bits).map(move |bit| slot_at(word, bit)));
        for (entry, offset) in slots.iter_mut().zip(filled) {
            *entry = (least + offset, self.slots[offset]);
        }
        true
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_sieve_sorts_what_is_dense_and_refuses_what_is_not() {
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
            assert_eq!(sort.sort(&mut slots, range), is_dense, "{keys:?}");
            if is_dense {
                assert_eq!(slots, sorted);
            }
        }
    }
}
