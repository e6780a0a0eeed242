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

    pub(super) fn push(&mut self, entry: T) {
        self.rest.push(entry);
    }

    #[inline]
    pub(super) fn first_mut(&mut self) -> &mut T {
        &mut self.first
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
