//! Sets of small numbers as words: bit `n` is set if `n` is in the set.
//!
//! The engine keeps one word per property of a chunk's slots, so one operation changes or tests all of
//! them. A larger set is a slice of words.

use super::ready::CHUNK_SLOTS;

/// The index of the word that has the bit of `n`, in a slice of words.
#[inline]
pub(super) const fn word_of(n: usize) -> usize {
    n / usize::BITS as usize
}

/// The bit of `n` in its word.
#[inline]
pub(super) const fn bit_of(n: usize) -> usize {
    1 << (n % usize::BITS as usize)
}

/// The numbers in a word, in ascending order.
pub(super) fn bits(mut word: usize) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let lowest = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(lowest)
    })
}

/// The numbers in a slice of words, in ascending order.
pub(super) fn bits_of_slice(words: &[usize]) -> impl Iterator<Item = usize> {
    let words = words.iter().enumerate();
    words.flat_map(|(at, &word)| bits(word).map(move |bit| at * usize::BITS as usize + bit))
}

/// How many bits of a word are set. The common case is one bit, and the population count is no single
/// instruction on every processor.
#[inline]
pub(super) const fn count(word: usize) -> usize {
    if word & word.wrapping_sub(1) == 0 { (word != 0) as usize } else { word.count_ones() as usize }
}

/// The `most` lowest set bits of a word.
#[inline]
pub(super) const fn lowest(word: usize, most: usize) -> usize {
    if most >= CHUNK_SLOTS {
        return word;
    }
    let (mut above, mut wanted) = (word, most);
    while wanted > 0 {
        above &= above.wrapping_sub(1);
        wanted -= 1;
    }
    word & !above
}

/// The number of the lowest set bit of a word, or none if the word is zero: an `Option` in one word, as
/// the processor's instruction returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LowestBit(u32);

impl LowestBit {
    /// No bit is set.
    pub(super) const NONE: Self = Self::of(0);

    #[inline]
    pub(super) const fn of(word: usize) -> Self {
        Self(word.trailing_zeros())
    }

    #[inline]
    pub(super) fn get(self) -> Option<usize> {
        (self.0 < usize::BITS).then_some(self.0 as usize)
    }

    /// A word in which this bit, of which there is one, and all above it are set.
    #[inline]
    pub(super) fn and_above(self) -> usize {
        debug_assert!(self != Self::NONE, "there is a lowest bit");
        usize::MAX.wrapping_shl(self.0)
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const WORDS: [usize; 7] = [0, 1, 2, 3, 0b1011_0100, 1 << (usize::BITS - 1), usize::MAX];

    #[test]
    fn bits_are_counted_and_listed_in_ascending_order() {
        for word in WORDS {
            assert_eq!(count(word), word.count_ones() as usize);
            let listed: Vec<_> = bits(word).collect();
            assert!(listed.is_sorted() && listed.len() == count(word));
            assert_eq!(listed.iter().map(|&n| bit_of(n)).sum::<usize>(), word);
            assert_eq!(LowestBit::of(word).get(), listed.first().copied());
        }
        assert_eq!(bits_of_slice(&[0b10, 0, 1]).collect::<Vec<_>>(), {
            let word = usize::BITS as usize;
            [1, 2 * word]
        });
    }

    #[test]
    fn the_lowest_bits_are_kept() {
        assert_eq!(lowest(0b1011_0100, 0), 0);
        assert_eq!(lowest(0b1011_0100, 2), 0b0001_0100);
        assert_eq!(lowest(0b1011_0100, 4), 0b1011_0100);
        assert_eq!(lowest(0b1011_0100, 60), 0b1011_0100);
        assert_eq!(lowest(usize::MAX >> 1, CHUNK_SLOTS), usize::MAX >> 1);
    }

    #[test]
    fn the_bits_from_the_lowest_on_are_masked() {
        assert_eq!(LowestBit::of(0b100).and_above(), !0b11);
        assert_eq!(LowestBit::of(1).and_above(), usize::MAX);
    }
}
