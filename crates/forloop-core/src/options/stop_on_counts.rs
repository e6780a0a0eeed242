//! `stop_on_counts`: a stop condition on how many items have completed.

use core::fmt;

use super::{ItemRule, OutcomeRule, Rule, WithCondition};
use crate::outcome::StopReason;
use crate::{Event, Loop, OutcomeKind};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Stops the loop when `condition` is true of the [`Counts`] after an item has completed: after two failures,
    /// after ten successes, when more items fail than succeed.
    ///
    /// The loop pulls no further item and cancels the running bodies. When they have stopped, the strategy returns
    /// [`Cause::ConditionMet`](crate::Cause::ConditionMet) or
    /// [`LoopError::ConditionMet`](crate::LoopError::ConditionMet); [`settle`](Self::settle) also returns an outcome
    /// for every item that was pulled. The condition is checked for one item at a time, and never again once it was
    /// met. If it was met by the last item of all, nothing was interrupted and the loop returns its plain result.
    ///
    /// For the first success alone there is [`race_ok`](Self::race_ok). To check the values, use
    /// [`stop_on_output`](Self::stop_on_output).
    ///
    /// Equivalent to Java's `StructuredTaskScope.Joiner.allUntil`.
    ///
    /// # Panics
    ///
    /// If `condition` panics, the panic propagates as one of the source does.
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
    #[doc(alias = "circuit breaker")]
    pub fn stop_on_counts<G: FnMut(&Counts) -> bool>(
        self,
        condition: G,
    ) -> Loop<S, P, L, WithCondition<C, StopOnCounts<G>>, M> {
        self.with_option(StopOnCounts { condition, counts: Counts::default(), was_met: false })
    }
}

/// The number of items that have completed, by the kind of their outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    succeeded: usize,
    failed: usize,
    last: Option<(usize, OutcomeKind)>,
}

impl Counts {
    /// The number of items whose body has returned a value.
    pub fn succeeded(&self) -> usize {
        self.succeeded
    }

    /// The number of items that have failed: an error, a time-out, or a panic that was caught. Only the last
    /// attempt of an item counts.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// The number of items that have completed.
    pub fn completed(&self) -> usize {
        self.succeeded + self.failed
    }

    /// The item that completed last: its index and the kind of its outcome.
    pub fn last(&self) -> Option<(usize, OutcomeKind)> {
        self.last
    }
}

/// A stop condition on how many items have completed.
#[derive(Clone)]
pub struct StopOnCounts<G> {
    condition: G,
    counts: Counts,
    was_met: bool,
}

impl<G: FnMut(&Counts) -> bool> Rule for StopOnCounts<G> {
    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        let Event::Completed { index, kind, .. } = *event else { return None };
        if self.was_met {
            return None;
        }
        match kind {
            OutcomeKind::Ok => self.counts.succeeded += 1,
            kind if kind.is_failure() => self.counts.failed += 1,
            // A cancelled item has neither succeeded nor failed.
            _ => return None,
        }
        self.counts.last = Some((index, kind));
        self.was_met = (self.condition)(&self.counts);
        self.was_met.then_some(StopReason::ConditionMet)
    }
}

impl<I, G: FnMut(&Counts) -> bool> ItemRule<I> for StopOnCounts<G> {}
impl<R, G: FnMut(&Counts) -> bool> OutcomeRule<R> for StopOnCounts<G> {}

impl<G> fmt::Debug for StopOnCounts<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopOnCounts").field("counts", &self.counts).finish_non_exhaustive()
    }
}
