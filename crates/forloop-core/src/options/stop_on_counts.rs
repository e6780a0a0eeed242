//! `stop_on_counts`: a predicate over what has ended so far.

use core::fmt;

use super::{ItemRule, OutcomeRule, Rule, WithCondition};
use crate::{Event, Loop, OutcomeKind, StopReason};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Stops the loop when `enough` says so, which is asked after each item that is done with: after two failures,
    /// after ten successes, when more fail than succeed.
    ///
    /// The bodies that run are stopped, no further item is pulled, and when they have stopped the strategy says so
    /// with [`Cause::ConditionMet`] or [`LoopError::ConditionMet`](crate::LoopError::ConditionMet); [`settle`](Self::settle) with an
    /// outcome for every item that was pulled. Items that are done with in the same instant are asked
    /// about one by one, and none after the one that was enough. If that was the last of all, nothing was cut
    /// short, and nothing is said.
    ///
    /// For the first success alone there is [`race_ok`](Self::race_ok); to look at the values,
    /// [`stop_on_output`](Self::stop_on_output).
    ///
    /// Known from Java as a `StructuredTaskScope.Joiner` that `allUntil` makes.
    ///
    /// # Panics
    ///
    /// If `enough` panics: as when the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::Cause;
    ///
    /// let parsed = forloop::each(["1", "two", "3", "four", "5"])
    ///     .sequential()
    ///     .stop_on_counts(|counts| counts.failed() == 2)
    ///     .settle(async |text| text.parse::<u32>())
    ///     .await;
    /// assert_eq!(parsed.interrupted().unwrap().cause, Cause::ConditionMet);
    /// assert_eq!(parsed.len(), 4);
    /// # });
    /// ```
    pub fn stop_on_counts<G: FnMut(&Counts) -> bool>(
        self,
        enough: G,
    ) -> Loop<S, P, L, WithCondition<C, StopOnCounts<G>>> {
        self.with_option(StopOnCounts { enough, counts: Counts::default(), is_over: false })
    }
}

/// How many items are done with, and in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    succeeded: usize,
    failed: usize,
    last: Option<(usize, OutcomeKind)>,
}

impl Counts {
    /// How many bodies have returned a value.
    pub fn succeeded(&self) -> usize {
        self.succeeded
    }

    /// How many items have failed: an error, too little time, or a panic that was caught; after their last attempt.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// How many items are done with.
    pub fn ended(&self) -> usize {
        self.succeeded + self.failed
    }

    /// The item that was done with last: its index, and in which way.
    pub fn last(&self) -> Option<(usize, OutcomeKind)> {
        self.last
    }
}

/// When it is enough.
#[derive(Clone)]
pub struct StopOnCounts<G> {
    enough: G,
    counts: Counts,
    /// It was enough.
    is_over: bool,
}

impl<G: FnMut(&Counts) -> bool> Rule for StopOnCounts<G> {
    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        let Event::Completed { index, how, .. } = *event else { return None };
        if self.is_over {
            return None;
        }
        match how {
            OutcomeKind::Ok => self.counts.succeeded += 1,
            how if how.is_failure() => self.counts.failed += 1,
            // Whoever was stopped has not ended.
            _ => return None,
        }
        self.counts.last = Some((index, how));
        self.is_over = (self.enough)(&self.counts);
        self.is_over.then_some(StopReason::ConditionMet)
    }
}

impl<I, G: FnMut(&Counts) -> bool> ItemRule<I> for StopOnCounts<G> {}
impl<R, G: FnMut(&Counts) -> bool> OutcomeRule<R> for StopOnCounts<G> {}

impl<G> fmt::Debug for StopOnCounts<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopWhen").field("tally", &self.counts).finish_non_exhaustive()
    }
}
