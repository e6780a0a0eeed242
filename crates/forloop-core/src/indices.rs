//! Lists of the indices of items.
//!
//! Generic code calls these functions instead of the library's, which each program would compile again for each of
//! its loops.

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
