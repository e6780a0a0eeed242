//! `weight_by`: heavy items take several places.

use alloc::collections::BTreeMap;
use core::fmt;

use futures_core::Stream;

use super::{ItemPolicy, ItemRule, OutcomeRule, Rule, WithRule};
use crate::{Event, Loop, StopReason};

impl<S: Stream, P, L, C> Loop<S, P, L, C> {
    /// Lets an item take as many of the [`limit`](Self::limit)'s places as it weighs: megabytes of memory, say.
    ///
    /// Items begin in input order: one that is too heavy for what is free waits until enough is, and nobody
    /// overtakes it. One that is heavier than the whole limit runs alone. One that weighs nothing takes one place
    /// all the same.
    ///
    /// # Costs
    ///
    /// The loop pulls one item ahead, to weigh it.
    ///
    /// # Panics
    ///
    /// If `weight` panics: as when the source does.
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
    pub fn weight_by<G, I>(self, weight: G) -> Loop<S, P, L, WithRule<C, WeightBy<G>>>
    where
        C: ItemPolicy<S::Item, Item = I>,
        G: FnMut(&I) -> usize,
    {
        self.with_option(WeightBy { weight, extra: BTreeMap::new(), running: 0 })
    }
}

/// How many places each item takes.
#[derive(Clone)]
pub struct WeightBy<G> {
    weight: G,
    /// Of the items in the loop that weigh more than one: how much more, and whether they run.
    extra: BTreeMap<usize, (usize, bool)>,
    /// Of those that run.
    running: usize,
}

impl<G> Rule for WeightBy<G> {
    fn extra(&self, index: usize) -> usize {
        self.extra.get(&index).map_or(0, |&(extra, _)| extra)
    }

    fn extras(&self) -> usize {
        self.running
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { index, .. } => {
                if let Some((extra, runs)) = self.extra.get_mut(&index)
                    && !core::mem::replace(runs, true)
                {
                    self.running = self.running.saturating_add(*extra);
                }
            }
            Event::Completed { index, .. } => {
                if let Some((extra, true)) = self.extra.remove(&index) {
                    self.running = self.running.saturating_sub(extra);
                }
            }
            _ => {}
        }
        None
    }
}

impl<I, G: FnMut(&I) -> usize> ItemRule<I> for WeightBy<G> {
    fn on_receive(&mut self, index: usize, item: &I) {
        let extra = (self.weight)(item).saturating_sub(1);
        if extra > 0 {
            self.extra.insert(index, (extra, false));
        }
    }
}

impl<R, G> OutcomeRule<R> for WeightBy<G> {}

impl<G> fmt::Debug for WeightBy<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weigh").field("running", &self.running).finish_non_exhaustive()
    }
}
