//! Which index the body in a slot has.

use alloc::vec::Vec;

use super::slab::{Bay, Slab, Slot, group_of, place_of};

/// The indices of the bodies. Where they came one after another, each group knows its first, and no
/// memory is needed for the others.
pub(super) struct Ledger {
    /// By rank, if they did not come one after another.
    each: Vec<usize>,
}

impl Ledger {
    pub(super) const fn new() -> Self {
        Self { each: Vec::new() }
    }

    /// The index of the body in a slot.
    #[inline]
    pub(super) fn index<J>(&self, bay: &Bay<J>, place: usize) -> usize {
        if self.each.is_empty() {
            bay.index_in_a_row(place)
        } else {
            self.each.get(bay.rank(place)).copied().unwrap_or(usize::MAX)
        }
    }

    /// Notes the index of the body at a place that was just taken; `false` if there is no room.
    #[inline]
    pub(super) fn note<J>(&mut self, bay: &mut Bay<J>, place: usize, index: usize) -> bool {
        if self.each.is_empty() {
            return bay.comes_in_a_row(place, index);
        }
        let entry = self.each.get_mut(bay.rank(place));
        entry.map(|entry| *entry = index).is_some()
    }

    /// Makes room for each slot that there is, and notes the index of the body in one.
    #[cold]
    pub(super) fn note_each<J>(&mut self, slab: &Slab<J>, slot: Slot, index: usize) {
        let slots = slab.all_slots();
        self.each =
            slots.map(|slot| self.index(slab.bay(group_of(slot)), place_of(slot))).collect();
        self.each[slab.bay(group_of(slot)).rank(place_of(slot))] = index;
    }
}
