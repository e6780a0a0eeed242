//! `limit_by`: a limit of running bodies for each key.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, VecDeque};
use core::fmt;

use futures_core::Stream;

use super::{ItemPolicy, ItemRule, OutcomeRule, Rule, WithRule};
use crate::item_map::ItemMap;
use crate::looping::Limit;
use crate::outcome::StopReason;
use crate::{Event, Loop};

impl<S: Stream, P, L, C, M> Loop<S, P, L, C, M> {
    /// Runs at most `limit` bodies at once whose items have the same key: per host, per account, per disk.
    ///
    /// The loop's own [`limit`](Self::limit) applies as well. An item whose key is at its limit is queued, and
    /// later items with other keys may start before it. Items of one key start in input order. To find an item
    /// that may start, the loop pulls items ahead, at most sixteen times as many as its own limit. So memory stays
    /// bounded by that limit; an unbounded loop pulls every item.
    ///
    /// A source that is sorted by key may need a longer look ahead than that: as many items as the keys have that run
    /// together. Then fewer bodies run than the limit permits. Mix the items, or set a higher limit.
    ///
    /// A closure cannot return a key that it borrows from an item which the loop owns: see
    /// [`limit_by_ref`](Self::limit_by_ref).
    ///
    /// An item in a [back-off](Self::retry) keeps its permit.
    ///
    /// The option may be set several times with different keys. An item then starts when each of its keys has a
    /// permit.
    ///
    /// # Costs
    ///
    /// A few entries in maps for each item in the loop. `key` is called once for each item.
    ///
    /// # Errors
    ///
    /// [`ZeroLimit`](crate::ZeroLimit) if `limit` is the number 0; none for a
    /// [`Const`](crate::Const) or a [`NonZeroUsize`](core::num::NonZeroUsize).
    ///
    /// # Panics
    ///
    /// If `key` or the comparison of keys panics, the panic propagates as one of the source does.
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
    #[doc(alias = "bulkhead")]
    pub fn limit_by<K, G, N, I>(
        self,
        key: G,
        limit: N,
    ) -> N::Limited<Loop<S, P, L, WithRule<C, LimitBy<K, G>>, M>>
    where
        C: ItemPolicy<S::Item, Item = I>,
        G: FnMut(&I) -> K,
        K: Ord + Clone,
        N: Limit,
    {
        limit.apply(|limit| self.with_option(LimitBy::new(key, limit.get())))
    }

    /// Runs at most `limit` bodies at once whose items have the same key, which is borrowed from the item.
    ///
    /// As [`limit_by`](Self::limit_by), for loops over items that they own. `None` is a key like any other.
    ///
    /// # Costs
    ///
    /// As [`limit_by`](Self::limit_by). Each item's key is stored as an owned one, a `String` for a `str`, and cloned
    /// when the item starts or is queued.
    ///
    /// # Errors
    ///
    /// As [`limit_by`](Self::limit_by).
    ///
    /// # Panics
    ///
    /// As [`limit_by`](Self::limit_by).
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let urls = ["a.example/1", "a.example/2", "b.example/1"].map(String::from);
    /// let fetched = forloop::each(urls)
    ///     .limit(50)?
    ///     .limit_by_ref(|url| url.split('/').next(), 2)?
    ///     .gather(async |url: String| url.len())
    ///     .await;
    /// assert_eq!(fetched, [11; 3]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "bulkhead")]
    pub fn limit_by_ref<Q, G, N, I>(
        self,
        key: G,
        limit: N,
    ) -> N::Limited<Loop<S, P, L, WithRule<C, LimitBy<Option<Q::Owned>, BorrowedKey<G>>>, M>>
    where
        C: ItemPolicy<S::Item, Item = I>,
        G: FnMut(&I) -> Option<&Q>,
        Q: ToOwned<Owned: Ord + Clone> + ?Sized,
        N: Limit,
    {
        limit.apply(|limit| self.with_option(LimitBy::new(BorrowedKey(key), limit.get())))
    }
}

/// The closure of [`Loop::limit_by_ref`], whose keys are borrowed from the items.
#[derive(Clone)]
pub struct BorrowedKey<G>(G);

impl<G> fmt::Debug for BorrowedKey<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedKey").finish_non_exhaustive()
    }
}

/// A limit of running bodies for each key.
///
/// A key is a semaphore with a fair queue. [`try_admit`](Rule::try_admit) takes a permit of the item's key, or
/// queues the item behind the others of its key. When an item completes, it hands its permit to the first of that
/// queue, which [`take_released`](Rule::take_released) then returns to the loop. So a permit is free only if no
/// item of its key is queued: nothing can overtake within a key, and no item waits for a permit that is free.
///
/// A permit is held until the item completes, and not until an attempt does. So a retry needs no permit of its own.
#[derive(Clone)]
pub struct LimitBy<K, G> {
    key: G,
    limit: usize,
    /// The keys with at least one item that has a permit.
    queues: BTreeMap<K, KeyQueue>,
    /// The key of each item in the loop.
    items: ItemMap<Keyed<K>>,
    /// Items that were queued and now have a permit.
    released: VecDeque<usize>,
}

/// The items of one key.
#[derive(Debug, Clone, Default)]
struct KeyQueue {
    permits_taken: usize,
    queued: VecDeque<usize>,
}

#[derive(Debug, Clone)]
struct Keyed<K> {
    key: K,
    has_permit: bool,
}

impl<K, G> LimitBy<K, G> {
    fn new(key: G, limit: usize) -> Self {
        Self {
            key,
            limit,
            queues: BTreeMap::new(),
            items: ItemMap::new(),
            released: VecDeque::new(),
        }
    }
}

impl<K: Ord + Clone, G> Rule for LimitBy<K, G> {
    fn try_admit(&mut self, index: usize) -> bool {
        let Some(item) = self.items.get_mut(index) else { return true };
        let queue = self.queues.entry(item.key.clone()).or_default();
        if queue.permits_taken < self.limit {
            queue.permits_taken += 1;
            item.has_permit = true;
        } else {
            queue.queued.push_back(index);
        }
        item.has_permit
    }

    fn take_released(&mut self) -> Option<usize> {
        self.released.pop_front()
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        let Event::Completed { index, .. } = *event else { return None };
        // An item that completes without a permit was never started: the loop has stopped.
        let Keyed { key, has_permit: true } = self.items.remove(index)? else { return None };
        let queue = self.queues.get_mut(&key)?;
        match queue.queued.pop_front() {
            // The permit goes to the next item of this key.
            Some(next) => {
                if let Some(item) = self.items.get_mut(next) {
                    item.has_permit = true;
                }
                self.released.push_back(next);
            }
            None => {
                queue.permits_taken -= 1;
                if queue.permits_taken == 0 {
                    self.queues.remove(&key);
                }
            }
        }
        None
    }
}

impl<I, K: Ord + Clone, G: FnMut(&I) -> K> ItemRule<I> for LimitBy<K, G> {
    fn on_receive(&mut self, index: usize, item: &I) {
        let key = (self.key)(item);
        self.items.insert(index, Keyed { key, has_permit: false });
    }
}

impl<I, Q, G> ItemRule<I> for LimitBy<Option<Q::Owned>, BorrowedKey<G>>
where
    Q: ToOwned<Owned: Ord + Clone> + ?Sized,
    G: FnMut(&I) -> Option<&Q>,
{
    fn on_receive(&mut self, index: usize, item: &I) {
        let key = (self.key.0)(item).map(Q::to_owned);
        self.items.insert(index, Keyed { key, has_permit: false });
    }
}

impl<R, K: Ord + Clone, G> OutcomeRule<R> for LimitBy<K, G> {}

impl<K, G> fmt::Debug for LimitBy<K, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitBy").field("limit", &self.limit).finish_non_exhaustive()
    }
}
