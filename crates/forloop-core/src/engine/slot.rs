//! Names of slots.
//!
//! Three numbers are used throughout the engine. A chunk has a *number*, its position in the slab and in
//! the ready queue. A slot has an *offset* within its chunk. A [`Slot`] is both in one word. They are not
//! to be confused with the *index* of a body, which is the position of its item in the input.

/// A slot: the number of its chunk, with its offset in the low bits.
pub(super) type Slot = usize;

/// The width of an offset in bits.
const OFFSET_BITS: u32 = usize::BITS.trailing_zeros();

/// The number of a slot's chunk.
#[inline]
pub(super) const fn number_of(slot: Slot) -> usize {
    slot >> OFFSET_BITS
}

/// A slot's offset in its chunk.
#[inline]
pub(super) const fn offset_of(slot: Slot) -> usize {
    slot & (usize::BITS as usize - 1)
}

/// The slot at an offset of the chunk with this number.
#[inline]
pub(super) const fn slot_at(number: usize, offset: usize) -> Slot {
    number << OFFSET_BITS | offset
}
