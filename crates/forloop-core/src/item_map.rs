//! A map from the index of an item to what a loop keeps for it.

use alloc::collections::VecDeque;
use core::{fmt, mem};

/// A map whose keys are the indices of the items in a loop.
///
/// Items are pulled in the order of their indices, and most that are in the loop at once are neighbours. So the entries
/// are a queue in that order, and an entry is where the distance of its index from the first one says. Removed entries
/// leave gaps. Those at the front are dropped at once, and all of them as soon as there are more gaps than entries;
/// where an index is missing, entries after it are found by binary search.
///
/// An entry that is not added in order moves those behind it. That is for the few that were removed and come back.
#[derive(Clone)]
pub(crate) struct ItemMap<V> {
    /// In ascending order of their indices. The first one is no gap.
    entries: VecDeque<(usize, Option<V>)>,
    len: usize,
}

/// The number of gaps that are always permitted.
const FREE_GAPS: usize = 32;

impl<V> ItemMap<V> {
    pub(crate) const fn new() -> Self {
        Self { entries: VecDeque::new(), len: 0 }
    }

    /// The position of an index, or the one that it would have.
    fn position(&self, index: usize) -> Result<usize, usize> {
        let (Some(&(first, _)), Some(&(last, _))) = (self.entries.front(), self.entries.back())
        else {
            return Err(0);
        };
        if last < index {
            return Err(self.entries.len());
        }
        let Some(distance) = index.checked_sub(first) else { return Err(0) };
        match self.entries.get(distance) {
            Some(&(found, _)) if found == index => Ok(distance),
            _ => self.entries.binary_search_by_key(&index, |&(index, _)| index),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&V> {
        self.entries.get(self.position(index).ok()?)?.1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut V> {
        let at = self.position(index).ok()?;
        self.entries.get_mut(at)?.1.as_mut()
    }

    /// Sets the value of an index, and returns the one before.
    pub(crate) fn insert(&mut self, index: usize, value: V) -> Option<V> {
        let before = match self.position(index) {
            Ok(at) => self.entries[at].1.replace(value),
            Err(at) => {
                self.entries.insert(at, (index, Some(value)));
                None
            }
        };
        self.len += usize::from(before.is_none());
        before
    }

    pub(crate) fn remove(&mut self, index: usize) -> Option<V> {
        let at = self.position(index).ok()?;
        let value = self.entries[at].1.take()?;
        self.len -= 1;
        while let Some((_, None)) = self.entries.front() {
            self.entries.pop_front();
        }
        if self.entries.len() > 2 * self.len + FREE_GAPS {
            self.entries.retain(|(_, value)| value.is_some());
            self.entries.shrink_to(4 * (self.len + FREE_GAPS));
        }
        Some(value)
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The entries, in ascending order of their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &V)> {
        self.entries.iter().filter_map(|(index, value)| Some((*index, value.as_ref()?)))
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.entries.clear();
    }

    /// Takes all entries out, in ascending order.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (usize, V)> + use<V> {
        let entries = mem::take(self).entries.into_iter();
        entries.filter_map(|(index, value)| Some((index, value?)))
    }
}

impl<V> Default for ItemMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> fmt::Debug for ItemMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemMap").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use alloc::collections::BTreeMap;

    /// Numbers that look random, the same in each run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) as usize % bound
        }
    }

    #[test]
    fn it_does_what_an_ordered_map_does() {
        for seed in 0..50 {
            let (mut numbers, mut next) = (Numbers(seed), 0);
            let (mut map, mut model) = (ItemMap::new(), BTreeMap::new());
            for step in 0..2000 {
                // Most are added in order, and some come back.
                let index = if numbers.below(3) == 0 { numbers.below(next + 1) } else { next };
                match numbers.below(4) {
                    0 | 1 => {
                        next = next.max(index + 1);
                        assert_eq!(map.insert(index, step), model.insert(index, step));
                    }
                    2 => {
                        let old = numbers.below(next + 1);
                        assert_eq!(map.remove(old), model.remove(&old));
                    }
                    _ => {
                        let recent = next.saturating_sub(numbers.below(20));
                        assert_eq!(map.remove(recent), model.remove(&recent));
                    }
                }
                let any = numbers.below(next + 1);
                assert_eq!(map.get(any), model.get(&any));
                assert_eq!(map.get_mut(any), model.get_mut(&any));
            }
            assert_eq!(map.take().collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
            assert_eq!(map.take().count(), 0);
        }
    }

    #[test]
    fn gaps_behind_an_entry_that_stays_are_dropped() {
        let mut map = ItemMap::new();
        for index in 0..100_000 {
            map.insert(index, ());
            if index > 0 {
                map.remove(index);
            }
        }
        assert_eq!(map.get(0), Some(&()));
        assert!(map.entries.capacity() <= 8 * FREE_GAPS, "{}", map.entries.capacity());
    }

    #[test]
    fn memory_falls_with_the_number_of_entries() {
        let mut map = ItemMap::new();
        for index in 0..100_000 {
            map.insert(index, ());
        }
        for index in (0..100_000).rev().filter(|index| index % 10_000 != 0) {
            map.remove(index);
        }
        assert!(map.entries.capacity() <= 8 * FREE_GAPS, "{}", map.entries.capacity());
        assert_eq!(map.take().count(), 10);
    }
}
