//! What is buffered between a loop and the consumer of its results.

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

    /// Whether one more fits without an allocation.
    fn has_spare_capacity(&self) -> bool;

    /// Takes what remains once the loop was interrupted: items that wait for one that will not come.
    fn take_left(&mut self) -> Self::Left;
}
