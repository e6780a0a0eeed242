//! How many slots a set makes, and when.

use super::ready::CHUNK_SLOTS;

/// What is known about the number of bodies that run at once.
#[derive(Debug, Clone, Copy)]
pub struct CapacityHint {
    /// An upper bound: the limit, or the number of items.
    most: usize,
    /// The number of bodies there will be unless some complete first.
    likely: usize,
}

/// The number of slots that are made first if nothing is known.
const FIRST: usize = 8;

/// The most bytes that are made first, unless one slot has more.
const FIRST_BYTES: usize = 32 << 10;

/// Below this capacity slots are added in few pieces. Above it a piece is one chunk, so that a body which
/// stays while all others complete keeps the memory of one chunk.
const FEW_PIECES: usize = 512;

/// The most bytes in a piece below that capacity, unless one slot has more.
const PIECE_BYTES: usize = 256 << 10;

/// The most bytes in a piece above it.
const CHUNK_BYTES: usize = 64 << 10;

/// The number of slots for `J`s that fit into so many bytes.
const fn slots_in<J>(bytes: usize) -> usize {
    match size_of::<J>() {
        0 => usize::MAX,
        size if size > bytes => 1,
        size => bytes / size,
    }
}

impl CapacityHint {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self { most: usize::MAX, likely: 0 };

    /// One body at a time.
    pub(crate) const ONE: Self = Self { most: 1, likely: 1 };

    /// The hint from a limit and the size hint of a source. Both may be wrong.
    pub(crate) fn of(limit: usize, (least, most): (usize, Option<usize>)) -> Self {
        let most = limit.min(most.unwrap_or(usize::MAX));
        Self { most, likely: most.min(least) }
    }

    /// The number of slots to make at first. It is small, because bodies that are ready at their first
    /// poll need one slot for all of them.
    pub(super) fn first<J>(self) -> usize {
        let wanted = self.likely.clamp(FIRST, CHUNK_SLOTS).min(slots_in::<J>(FIRST_BYTES));
        // A body is being started, so a bound of zero is wrong.
        if self.most == 0 { wanted } else { wanted.min(self.most) }
    }

    /// The number of slots to add where `taken` of `capacity` slots are taken and every free one lies
    /// between others. The number does not exceed the bound. It is zero if at least half of the slots are free:
    /// then those are used.
    pub(super) fn more<J>(self, capacity: usize, taken: usize) -> usize {
        let is_full = taken == capacity;
        let allowed = self.most.saturating_sub(capacity);
        if !is_full && (allowed == 0 || capacity >= 2 * taken) {
            return 0;
        }
        let likely = self.likely.saturating_sub(capacity).min(4 * capacity);
        let piece = match capacity {
            0..FEW_PIECES => slots_in::<J>(PIECE_BYTES),
            FEW_PIECES.. => CHUNK_SLOTS.min(slots_in::<J>(CHUNK_BYTES)),
        };
        let wanted = likely.max(capacity / 2).max(CHUNK_SLOTS).min(piece);
        // If the set is full at its bound, the bound is wrong.
        if allowed == 0 { wanted } else { wanted.min(allowed) }
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use super::*;

    /// The number of slots that a set with `bodies` bodies makes, and the number of pieces.
    fn filled(capacity_hint: CapacityHint, bodies: usize) -> (usize, usize) {
        let (mut capacity, mut pieces) = (capacity_hint.first::<()>(), 1);
        while capacity < bodies {
            capacity += capacity_hint.more::<()>(capacity, capacity);
            pieces += 1;
        }
        (capacity, pieces)
    }

    #[test]
    fn large_bodies_get_little_more_than_they_need() {
        type Large = [u8; 10_000];
        for most in [5, 100, usize::MAX] {
            let hint = CapacityHint::of(most, (usize::MAX, None));
            assert!(hint.first::<Large>() <= 3);
            let most_added = PIECE_BYTES / size_of::<Large>();
            assert!((1..=most_added).contains(&hint.more::<Large>(3, 3)));
            assert!((1..=most_added).contains(&hint.more::<Large>(90, 90)));
            assert!((1..=6).contains(&hint.more::<Large>(1000, 1000)));
        }
        assert_eq!(CapacityHint::UNKNOWN.first::<[Large; 100]>(), 1);
        assert_eq!(CapacityHint::UNKNOWN.more::<[Large; 100]>(1000, 1000), 1);
    }

    #[test]
    fn a_limit_gets_exactly_its_slots() {
        for limit in [1, 2, 7, 8, 63, 64, 65, 1000, 100_000] {
            let (slots, pieces) = filled(CapacityHint::of(limit, (usize::MAX, None)), limit);
            assert_eq!(slots, limit);
            assert!(pieces <= 3 + limit / CHUNK_SLOTS, "{pieces} pieces for {limit}");
        }
    }

    #[test]
    fn a_source_with_an_exact_size_gets_exactly_its_slots() {
        for size in [1, 10, 100, 1000, 100_000] {
            let (slots, pieces) = filled(CapacityHint::of(usize::MAX, (size, Some(size))), size);
            assert_eq!(slots, size);
            assert!(pieces <= 3 + size / CHUNK_SLOTS, "{pieces} pieces for {size}");
        }
    }

    #[test]
    fn a_source_without_a_size_or_with_a_wrong_one_gets_at_most_twice_its_slots() {
        for hint in [(0, None), (5, Some(5)), (0, Some(0))] {
            for size in [100, 1000, 100_000] {
                let (slots, pieces) = filled(CapacityHint::of(usize::MAX, hint), size);
                assert!((size..2 * size).contains(&slots), "{slots} slots for {size}");
                assert!(pieces <= 8 + size / CHUNK_SLOTS, "{pieces} pieces for {size}");
            }
        }
    }

    #[test]
    fn free_slots_between_taken_ones_are_used_if_they_are_half() {
        assert!(CapacityHint::UNKNOWN.more::<()>(100, 60) > 0);
        assert_eq!(CapacityHint::UNKNOWN.more::<()>(100, 50), 0);
        assert_eq!(CapacityHint::of(100, (0, None)).more::<()>(100, 99), 0);
    }
}
