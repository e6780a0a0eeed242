//! A vector whose first entry needs no allocation. Most sets have one chunk.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// A vector that is never empty and stores its first entry inline.
#[derive(Debug)]
pub(super) struct InlineVec<T> {
    first: T,
    rest: Vec<T>,
}

impl<T> InlineVec<T> {
    #[inline]
    pub(super) const fn new(first: T) -> Self {
        Self { first, rest: Vec::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// [`Vec::reserve_exact`].
    pub(super) fn reserve_exact(&mut self, additional: usize) {
        self.rest.reserve_exact(additional);
    }

    /// [`make_room`] for so many more entries.
    pub(super) fn make_room(&mut self, additional: usize) {
        make_room(&mut self.rest, additional);
    }

    pub(super) fn push(&mut self, entry: T) {
        self.rest.push(entry);
    }

    #[inline]
    pub(super) fn first_mut(&mut self) -> &mut T {
        &mut self.first
    }
}

/// Makes room for so many more entries. A vector that is full grows by half, and not to twice its length.
pub(super) fn make_room<T>(entries: &mut Vec<T>, additional: usize) {
    if entries.capacity() - entries.len() < additional {
        entries.reserve_exact(additional.max(entries.len() / 2));
    }
}

impl<T> Index<usize> for InlineVec<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        match at {
            0 => &self.first,
            _ => &self.rest[at - 1],
        }
    }
}

impl<T> IndexMut<usize> for InlineVec<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        match at {
            0 => &mut self.first,
            _ => &mut self.rest[at - 1],
        }
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_vector_that_grows_one_by_one_is_moved_a_few_times() {
        let (mut numbers, mut moved) = (InlineVec::new(0), 0);
        for number in 1..10_000 {
            let capacity = numbers.rest.capacity();
            numbers.make_room(1);
            moved += usize::from(numbers.rest.capacity() != capacity);
            numbers.push(number);
        }
        assert!(moved < 30, "{moved}");
        assert!(numbers.rest.capacity() < 2 * numbers.len());
    }
}
