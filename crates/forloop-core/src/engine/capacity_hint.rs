//! How many slots a set makes, and when.

use super::ready::CHUNK_SLOTS;

/// What is known of how many bodies there will be at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CapacityHint {
    /// There will be no more than this.
    most: usize,
    /// There will be this many, unless they end sooner.
    likely: usize,
}

/// Slots that are made first, where nothing is known.
const FIRST: usize = 8;

impl CapacityHint {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self { most: usize::MAX, likely: 0 };

    /// One body, and no other.
    pub(crate) const ONE: Self = Self { most: 1, likely: 1 };

    /// What a limit and the size hint of a source tell. Both may be wrong.
    pub(crate) fn of(limit: usize, (least, most): (usize, Option<usize>)) -> Self {
        let most = limit.min(most.unwrap_or(usize::MAX));
        Self { most, likely: most.min(least) }
    }

    /// How many slots to make where there are none. Few: bodies that are ready at once need no more.
    pub(super) fn first(self) -> usize {
        let wanted = self.likely.clamp(FIRST, CHUNK_SLOTS);
        // Where there are more bodies than there could be, whoever said so was wrong.
        if self.most == 0 { wanted } else { wanted.min(self.most) }
    }

    /// How many slots to make where there are so many, of which so many are taken, and none is free but
    /// between others. A good part of those that there are, so that a set of any size is made in few
    /// pieces; but no more than there will be bodies. None where at least half of them are free.
    pub(super) fn more(self, capacity: usize, taken: usize) -> usize {
        let is_full = taken == capacity;
        let left = self.most.saturating_sub(capacity);
        if !is_full && (left == 0 || capacity >= 2 * taken) {
            return 0;
        }
        let likely = self.likely.saturating_sub(capacity).min(4 * capacity);
        let wanted = likely.max(capacity / 2).max(CHUNK_SLOTS);
        // As in `first`.
        if left == 0 { wanted } else { wanted.min(left) }
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use super::*;

    /// How many slots a set makes that is filled with so many bodies, and in how many pieces.
    fn filled(capacity_hint: CapacityHint, bodies: usize) -> (usize, usize) {
        let (mut capacity, mut pieces) = (capacity_hint.first(), 1);
        while capacity < bodies {
            capacity += capacity_hint.more(capacity, capacity);
            pieces += 1;
        }
        (capacity, pieces)
    }

    #[test]
    fn a_limit_gets_exactly_its_slots() {
        for limit in [1, 2, 7, 8, 63, 64, 65, 1000, 100_000] {
            let (slots, pieces) = filled(CapacityHint::of(limit, (usize::MAX, None)), limit);
            assert_eq!(slots, limit);
            assert!(pieces <= 12, "{pieces} pieces for {limit}");
        }
    }

    #[test]
    fn a_source_that_tells_its_size_gets_hardly_more() {
        for size in [1, 10, 100, 1000, 100_000] {
            let (slots, pieces) = filled(CapacityHint::of(usize::MAX, (size, Some(size))), size);
            assert_eq!(slots, size);
            assert!(pieces <= 12, "{pieces} pieces for {size}");
        }
    }

    #[test]
    fn a_source_that_tells_nothing_or_lies_gets_at_most_twice_as_many() {
        for hint in [(0, None), (5, Some(5)), (0, Some(0))] {
            for size in [100, 1000, 100_000] {
                let (slots, pieces) = filled(CapacityHint::of(usize::MAX, hint), size);
                assert!((size..2 * size).contains(&slots), "{slots} slots for {size}");
                assert!(pieces <= 25, "{pieces} pieces for {size}");
            }
        }
    }

    #[test]
    fn slots_between_others_are_used_before_too_many_are_made() {
        assert!(CapacityHint::UNKNOWN.more(100, 60) > 0);
        assert_eq!(CapacityHint::UNKNOWN.more(100, 50), 0);
        assert_eq!(CapacityHint::of(100, (0, None)).more(100, 99), 0);
    }
}
