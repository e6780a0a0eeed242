//! A list whose first entry needs no allocation: most loops have no second.

use alloc::vec::Vec;

#[derive(Debug)]
pub(super) struct Firstly<T> {
    first: Option<T>,
    rest: Vec<T>,
}

impl<T> Firstly<T> {
    pub(super) const fn new() -> Self {
        Self { first: None, rest: Vec::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Makes room for so many more, and no more than that.
    pub(super) fn reserve_exact(&mut self, more: usize) {
        self.rest.reserve_exact(more - usize::from(self.first.is_none() && more > 0));
    }

    pub(super) fn push(&mut self, entry: T) {
        match self.first {
            None => self.first = Some(entry),
            Some(_) => self.rest.push(entry),
        }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match at {
            0 => self.first.as_ref(),
            _ => self.rest.get(at - 1),
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match at {
            0 => self.first.as_mut(),
            _ => self.rest.get_mut(at - 1),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.rest)
    }
}
