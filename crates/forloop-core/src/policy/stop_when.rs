//! `stop_when`: a predicate over what has ended so far.

use core::fmt;
use core::task::{Context, Poll};

use super::{Govern, GovernItems, GovernReturns, Governed, Interrupt, Interruptible, Policy};
use crate::{Cause, Event, How, Loop};

impl<S, P, L, C: Policy> Loop<S, P, L, C> {
    /// Stops the loop when `enough` says so, which is asked after each item that is done with: after two failures,
    /// after ten successes, when more fail than succeed.
    ///
    /// The bodies that run are stopped, no further item is pulled, and when they have stopped the strategy says so
    /// with [`Cause::Enough`] or [`LoopError::Enough`](crate::LoopError::Enough); [`settle`](Self::settle) with an
    /// outcome for every item that was pulled. Items that are done with in the same instant are asked
    /// about one by one, and none after the one that was enough. If that was the last of all, nothing was cut
    /// short, and nothing is said.
    ///
    /// For the first success alone there is [`race_ok`](Self::race_ok); to look at the values,
    /// [`stop_if`](Self::stop_if).
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
    ///     .stop_when(|tally| tally.failed() == 2)
    ///     .settle(async |text| text.parse::<u32>())
    ///     .await;
    /// assert_eq!(parsed.interrupted().unwrap().cause, Cause::Enough);
    /// assert_eq!(parsed.len(), 4);
    /// # });
    /// ```
    pub fn stop_when<G: FnMut(&Tally) -> bool>(
        self,
        enough: G,
    ) -> Loop<S, P, L, Governed<Interruptible<C, Stoppable>, StopWhen<G>>> {
        self.with(|policy| Interruptible::new(policy, Stoppable)).governed(StopWhen {
            enough,
            tally: Tally::default(),
            is_over: false,
        })
    }
}

/// How many items are done with, and in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    succeeded: usize,
    failed: usize,
    last: Option<(usize, How)>,
}

impl Tally {
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
    pub fn last(&self) -> Option<(usize, How)> {
        self.last
    }
}

/// When it is enough.
#[derive(Clone)]
pub struct StopWhen<G> {
    enough: G,
    tally: Tally,
    /// It was enough.
    is_over: bool,
}

impl<G: FnMut(&Tally) -> bool> Govern for StopWhen<G> {
    fn hear(&mut self, event: &Event) -> Option<Cause> {
        let Event::Ended { index, how, .. } = *event else { return None };
        if self.is_over {
            return None;
        }
        match how {
            How::Done => self.tally.succeeded += 1,
            how if how.is_failure() => self.tally.failed += 1,
            // Whoever was stopped has not ended.
            _ => return None,
        }
        self.tally.last = Some((index, how));
        self.is_over = (self.enough)(&self.tally);
        self.is_over.then_some(Cause::Enough)
    }
}

impl<I, G: FnMut(&Tally) -> bool> GovernItems<I> for StopWhen<G> {}
impl<R, G: FnMut(&Tally) -> bool> GovernReturns<R> for StopWhen<G> {}

impl<G> fmt::Debug for StopWhen<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopWhen").field("tally", &self.tally).finish_non_exhaustive()
    }
}

/// Makes a loop one that may be cut short: by a rule.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Stoppable;

impl Interrupt for Stoppable {
    fn poll_interrupt(&mut self, _cx: &mut Context<'_>, _again: bool) -> Poll<Cause> {
        Poll::Pending
    }
}
