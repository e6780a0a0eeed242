//! A list whose first entry needs no allocation: most loops have no second.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Never empty: the first entry is there from the beginning.
#[derive(Debug)]
pub(super) struct InlineVec<T> {
    first: T,
    rest: Vec<T>,
}

impl<T> InlineVec<T> {
    pub(super) const fn new(first: T) -> Self {
        Self { first, rest: Vec::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// Makes room for so many more, and no more than that.
    pub(super) fn reserve_exact(&mut self, more: usize) {
        self.rest.reserve_exact(more);
    }

    pub(super) fn push(&mut self, entry: T) {
        self.rest.push(entry);
    }

    #[inline]
    pub(super) fn first_mut(&mut self) -> &mut T {
        &mut self.first
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match at {
            0 => Some(&mut self.first),
            _ => self.rest.get_mut(at - 1),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        core::iter::once(&self.first).chain(&self.rest)
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
