//! The numbers of slots, and words with a bit for each slot of a group.

use super::ready::CHUNK_SLOTS;

/// A slot: the number of its group, and its place in it in the low bits.
pub(super) type Slot = usize;

/// How many bits a place in a group takes.
const OFFSET_BITS: u32 = usize::BITS.trailing_zeros();

/// What is behind the last place of a group.
pub(super) const NO_OFFSET: usize = usize::BITS as usize;

/// The number of a slot's group.
#[inline]
pub(super) const fn chunk_of(slot: Slot) -> usize {
    slot >> OFFSET_BITS
}

/// A slot's place in its group.
#[inline]
pub(super) const fn offset_of(slot: Slot) -> usize {
    slot & (usize::BITS as usize - 1)
}

/// The slot at a place of a group.
#[inline]
pub(super) const fn slot_at(chunk: usize, offset: usize) -> Slot {
    chunk << OFFSET_BITS | offset
}

/// The places in a group's word whose bits are set, in ascending order.
pub(super) fn bits(mut word: usize) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let offset = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(offset)
    })
}

/// How many bits of a word are set. Often that is one, and processors that have an instruction for it
/// cannot be taken for granted.
#[inline]
pub(super) const fn count(word: usize) -> usize {
    if word & word.wrapping_sub(1) == 0 { (word != 0) as usize } else { word.count_ones() as usize }
}

/// The `most` lowest bits of a word that are set.
#[inline]
pub(super) const fn lowest(word: usize, most: usize) -> usize {
    if most >= CHUNK_SLOTS {
        return word;
    }
    let (mut rest, mut left) = (word, most);
    while left > 0 {
        rest &= rest.wrapping_sub(1);
        left -= 1;
    }
    word & !rest
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted() {
        for word in [0, 1, 2, 3, 0b1011_0100, 1 << (usize::BITS - 1), usize::MAX] {
            assert_eq!(count(word), word.count_ones() as usize);
        }
    }

    #[test]
    fn the_lowest_bits_are_kept() {
        assert_eq!(lowest(0b1011_0100, 0), 0);
        assert_eq!(lowest(0b1011_0100, 2), 0b0001_0100);
        assert_eq!(lowest(0b1011_0100, 4), 0b1011_0100);
        assert_eq!(lowest(0b1011_0100, 60), 0b1011_0100);
        assert_eq!(lowest(usize::MAX >> 1, CHUNK_SLOTS), usize::MAX >> 1);
    }
}
