//! `weight_by`: heavy items take several permits.

use core::fmt;

use futures_core::Stream;

use super::{ItemPolicy, ItemRule, OutcomeRule, Rule, WithRule};
use crate::item_map::ItemMap;
use crate::outcome::StopReason;
use crate::{Event, Loop};

impl<S: Stream, P, L, C, M> Loop<S, P, L, C, M> {
    /// Lets an item take as many permits of the [`limit`](Self::limit) as its weight: megabytes of memory, for
    /// example.
    ///
    /// Items start in input order. An item that is too heavy for the free permits waits until there are enough,
    /// and no later item starts before it. An item that is heavier than the whole limit runs alone. An item of
    /// weight 0 takes one permit.
    ///
    /// # Costs
    ///
    /// The loop pulls one item ahead, to weigh it. An item of weight 2 or more has an entry in an ordered map.
    ///
    /// # Panics
    ///
    /// If `weight` panics, the panic propagates as one of the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let images = [(3000, 2000), (100, 100), (6000, 4000)];
    /// let shrunk = forloop::each(images)
    ///     .limit(24)? // million pixels at a time
    ///     .weight_by(|&(width, height)| width * height / 1_000_000)
    ///     .gather(async |(width, height)| (width / 10, height / 10))
    ///     .await;
    /// assert_eq!(shrunk, [(300, 200), (10, 10), (600, 400)]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "semaphore")]
    pub fn weight_by<G, I>(self, weight: G) -> Loop<S, P, L, WithRule<C, WeightBy<G>>, M>
    where
        C: ItemPolicy<S::Item, Item = I>,
        G: FnMut(&I) -> usize,
    {
        self.with_option(WeightBy { weight, heavy: ItemMap::new(), extra_permits: 0 })
    }
}

/// The weight of each item, in permits.
///
/// Every running body takes one permit by running, which the loop counts. This option counts the rest of each
/// weight, as extra permits: the loop adds them to its count of running bodies, and asks for those of the next item
/// before it starts it. An item that does not fit stays at the head of the admission queue, and the loop starts
/// nothing behind it. An item always fits into an idle loop, however heavy it is, so the queue always advances.
///
/// An item takes its extra permits at its first attempt and returns them when it completes. So it keeps them during
/// a back-off.
#[derive(Clone)]
pub struct WeightBy<G> {
    weight: G,
    /// The items in the loop whose weight is more than one.
    heavy: ItemMap<HeavyItem>,
    /// The extra permits of the items that were started, together.
    extra_permits: usize,
}

#[derive(Debug, Clone, Copy)]
struct HeavyItem {
    /// Its weight without the one permit that every body takes.
    extra_permits: usize,
    was_started: bool,
}

impl<G> Rule for WeightBy<G> {
    fn extra_permits(&self, index: usize) -> usize {
        self.heavy.get(index).map_or(0, |item| item.extra_permits)
    }

    fn extra_permits_in_use(&self) -> usize {
        self.extra_permits
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { index, .. } => {
                if let Some(item) = self.heavy.get_mut(index)
                    && !core::mem::replace(&mut item.was_started, true)
                {
                    self.extra_permits = self.extra_permits.saturating_add(item.extra_permits);
                }
            }
            Event::Completed { index, .. } => {
                if let Some(HeavyItem { extra_permits, was_started: true }) =
                    self.heavy.remove(index)
                {
                    self.extra_permits = self.extra_permits.saturating_sub(extra_permits);
                }
            }
            Event::LoopStarted { .. } | Event::Received { .. } | Event::Retried { .. } => {}
        }
        None
    }
}

impl<I, G: FnMut(&I) -> usize> ItemRule<I> for WeightBy<G> {
    fn on_receive(&mut self, index: usize, item: &I) {
        let extra_permits = (self.weight)(item).saturating_sub(1);
        if extra_permits > 0 {
            self.heavy.insert(index, HeavyItem { extra_permits, was_started: false });
        }
    }
}

impl<R, G> OutcomeRule<R> for WeightBy<G> {}

impl<G> fmt::Debug for WeightBy<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeightBy")
            .field("extra_permits", &self.extra_permits)
            .finish_non_exhaustive()
    }
}
