//! Lists and sets of the indices of items.
//!
//! Generic code calls these functions instead of the library's, which each program would compile again for each of
//! its loops.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Sorts indices into ascending order.
pub(crate) fn sort(indices: &mut [usize]) {
    indices.sort_unstable();
}

/// Sorts indices into ascending order, each of them once and without those in `left_out`.
pub(crate) fn sort_without(indices: &mut Vec<usize>, mut left_out: Vec<usize>) {
    sort(indices);
    sort(&mut left_out);
    indices.dedup();
    indices.retain(|index| left_out.binary_search(index).is_err());
}

/// A set of indices, in ascending order.
#[derive(Debug, Default)]
pub(crate) struct IndexSet(BTreeSet<usize>);

impl IndexSet {
    pub(crate) const fn new() -> Self {
        Self(BTreeSet::new())
    }

    pub(crate) fn insert(&mut self, index: usize) {
        self.0.insert(index);
    }

    /// The lowest index.
    pub(crate) fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    /// Takes out the lowest index.
    pub(crate) fn pop_first(&mut self) -> Option<usize> {
        self.0.pop_first()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
