//! `limit_by`: so many bodies at once for each key.

use alloc::collections::{BTreeMap, VecDeque};
use core::fmt;

use futures_core::Stream;

use super::{ItemPolicy, ItemRule, Rule, WithRule};
use crate::{Event, Limit, Loop, StopReason};

impl<S: Stream, P, L, C> Loop<S, P, L, C> {
    /// Runs at most so many bodies at once whose items have the same key: so many per host, per account, per
    /// disk.
    ///
    /// The loop's own [`limit`](Self::limit) holds as well. An item whose key has no room waits, and those
    /// behind it with other keys go on before it; those of one key begin in input order. To find them the loop
    /// pulls items ahead, no more than the limit of bodies: if that many wait already, it waits as well.
    /// So memory stays bounded by the limit; an unbounded loop pulls everything.
    ///
    /// An item that waits for [another attempt](Self::retry) keeps its place.
    ///
    /// Said twice, an item waits until there is room for both of its keys.
    ///
    /// # Costs
    ///
    /// For each item that is in the loop a few entries in ordered maps; the key is asked for once.
    ///
    /// # Errors
    ///
    /// [`ZeroLimit`](crate::ZeroLimit) if `limit` is the number 0; none for a
    /// [`NonZeroUsize`](core::num::NonZeroUsize).
    ///
    /// # Panics
    ///
    /// If `key` panics, or the comparison of keys: as when the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let urls = ["a.example/1", "a.example/2", "a.example/3", "b.example/1"];
    /// let fetched = forloop::each(urls)
    ///     .limit(50)?
    ///     .limit_by(|url| url.split_once('/').map(|(host, _)| host), 2)?
    ///     .gather(async |url| url.len())
    ///     .await;
    /// assert_eq!(fetched, [11; 4]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    pub fn limit_by<K, G, N, I>(
        self,
        key: G,
        limit: N,
    ) -> N::Limited<Loop<S, P, L, WithRule<C, LimitBy<K, G>>>>
    where
        C: ItemPolicy<S::Item, Item = I>,
        G: FnMut(&I) -> K,
        K: Ord + Clone,
        N: Limit,
    {
        limit.apply(|limit| self.with_option(LimitBy::new(key, limit.get())))
    }
}

/// How many bodies may run at once for each key.
#[derive(Clone)]
pub struct LimitBy<K, G> {
    key: G,
    limit: usize,
    /// Keys with at least one item that runs or waits.
    lines: BTreeMap<K, KeyQueue>,
    /// The key of each item in the loop.
    keys: BTreeMap<usize, Keyed<K>>,
    /// Those that were held back and are not any more.
    released: VecDeque<usize>,
}

/// The items of one key.
#[derive(Debug, Clone, Default)]
struct KeyQueue {
    inside: usize,
    waiting: VecDeque<usize>,
}

#[derive(Debug, Clone)]
struct Keyed<K> {
    key: K,
    /// Whether it has a place.
    is_inside: bool,
}

impl<K, G> LimitBy<K, G> {
    fn new(key: G, limit: usize) -> Self {
        Self {
            key,
            limit,
            lines: BTreeMap::new(),
            keys: BTreeMap::new(),
            released: VecDeque::new(),
        }
    }
}

impl<K: Ord + Clone, G> Rule for LimitBy<K, G> {
    fn enter(&mut self, index: usize) -> bool {
        let Some(keyed) = self.keys.get_mut(&index) else { return true };
        let line = self.lines.entry(keyed.key.clone()).or_default();
        if line.inside < self.limit {
            line.inside += 1;
            keyed.is_inside = true;
        } else {
            line.waiting.push_back(index);
        }
        keyed.is_inside
    }

    fn released(&mut self) -> Option<usize> {
        self.released.pop_front()
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        let Event::Completed { index, .. } = *event else { return None };
        let Keyed { key, is_inside: true } = self.keys.remove(&index)? else { return None };
        let line = self.lines.get_mut(&key)?;
        match line.waiting.pop_front() {
            // Its place goes to the next in line.
            Some(next) => {
                if let Some(keyed) = self.keys.get_mut(&next) {
                    keyed.is_inside = true;
                }
                self.released.push_back(next);
            }
            None => {
                line.inside -= 1;
                if line.inside == 0 {
                    self.lines.remove(&key);
                }
            }
        }
        None
    }
}

impl<I, K: Ord + Clone, G: FnMut(&I) -> K> ItemRule<I> for LimitBy<K, G> {
    fn on_receive(&mut self, index: usize, item: &I) {
        let key = (self.key)(item);
        self.keys.insert(index, Keyed { key, is_inside: false });
    }
}

impl<R, K: Ord + Clone, G> super::OutcomeRule<R> for LimitBy<K, G> {}

impl<K, G> fmt::Debug for LimitBy<K, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitBy").field("limit", &self.limit).finish_non_exhaustive()
    }
}
