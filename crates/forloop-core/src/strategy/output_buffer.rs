//! What is buffered between a loop and the consumer of its results.

use alloc::vec::Vec;
use core::mem;

/// The outputs that were delivered and not taken yet, in the order in which a strategy yields them.
pub trait OutputBuffer {
    /// What stands for a body's output.
    type Output;

    /// What the consumer takes.
    type Item;

    /// What remains when no more outputs come.
    type Left;

    /// Whether an item waits for those of lower indices.
    const ORDERED: bool = false;

    /// Adds the output of the body with this index.
    fn push(&mut self, index: usize, output: Self::Output);

    /// Takes the next item, if it may be given.
    fn pop(&mut self) -> Option<Self::Item>;

    /// How many outputs are buffered. Each holds a permit.
    fn len(&self) -> usize;

    /// Whether no output is buffered.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frees most of the memory if it is much more than the outputs need.
    fn shrink(&mut self);

    /// Takes what remains once the loop was interrupted: items that wait for one that will not come.
    fn take_left(&mut self) -> Self::Left;
}

/// A queue of two stacks: entries are pushed to one and popped from the other, which the first one becomes, in reverse,
/// when that is empty. For batches that are filled and then emptied it takes fewer instructions than a ring.
#[derive(Debug)]
pub(super) struct Queue<T> {
    back: Vec<T>,
    /// The first entry comes last.
    front: Vec<T>,
}

impl<T> Queue<T> {
    pub(super) const fn new() -> Self {
        Self { back: Vec::new(), front: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, entry: T) {
        self.back.push(entry);
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        match self.front.pop() {
            Some(entry) => Some(entry),
            None => self.pop_back(),
        }
    }

    #[inline(never)]
    fn pop_back(&mut self) -> Option<T> {
        mem::swap(&mut self.back, &mut self.front);
        self.front.reverse();
        self.front.pop()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.back.len() + self.front.len()
    }

    /// Frees most of the memory if it is much more than the entries need.
    #[inline]
    pub(super) fn shrink(&mut self) {
        for entries in [&mut self.back, &mut self.front] {
            if may_shrink(entries.capacity(), entries.len()) {
                entries.shrink_to(2 * entries.len());
            }
        }
    }
}

/// The number of entries whose memory a buffer keeps, however few it has.
const KEPT: usize = 64;

/// Whether the capacity of a buffer is much more than its entries need.
#[inline]
pub(super) fn may_shrink(capacity: usize, len: usize) -> bool {
    capacity / 4 > len.max(KEPT)
}
