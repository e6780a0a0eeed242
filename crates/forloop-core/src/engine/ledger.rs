//! Which index the body in a slot has.

use alloc::vec::Vec;

use super::slab::{Slab, Slot, group_of, place_of};

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
    pub(super) fn index<J>(&self, slab: &Slab<J>, slot: Slot) -> usize {
        let (bay, place) = (slab.bay(group_of(slot)), place_of(slot));
        if self.each.is_empty() {
            bay.index_in_a_row(place)
        } else {
            self.each.get(bay.rank(place)).copied().unwrap_or(usize::MAX)
        }
    }

    /// Notes the index of the body in a slot that is about to be taken.
    #[inline]
    pub(super) fn note<J>(&mut self, slab: &mut Slab<J>, slot: Slot, index: usize) {
        let (bay, place) = (slab.bay_mut(group_of(slot)), place_of(slot));
        if self.each.is_empty() {
            if !bay.comes_in_a_row(place, index) {
                self.note_each(slab, slot, index);
            }
        } else if let Some(entry) = self.each.get_mut(bay.rank(place)) {
            *entry = index;
        } else {
            self.note_each(slab, slot, index);
        }
    }

    /// Has a place for each slot that there is.
    #[cold]
    fn note_each<J>(&mut self, slab: &Slab<J>, slot: Slot, index: usize) {
        let slots = slab.all_slots();
        self.each = slots.map(|slot| self.index(slab, slot)).collect();
        self.each[slab.rank(slot)] = index;
    }
}
