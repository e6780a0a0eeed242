//! `deadline`: a time limit for a whole loop.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::{LocalTimer, Loop, StopReason};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Stops the loop `after` this much time, counted from its first poll.
    ///
    /// When the deadline passes, the loop pulls no further item. Bodies that were woken by then are polled once
    /// more, and the others are cancelled at their current await. When they have stopped, the strategy returns
    /// [`Cause::TimedOut`](crate::Cause::TimedOut) or [`LoopError::TimedOut`](crate::LoopError::TimedOut);
    /// [`settle`](Self::settle) and [`gather`](Self::gather) also return the results that were ready. With a
    /// zero duration no item is pulled and no body is called. If the source is exhausted and every body has
    /// completed, the deadline has interrupted nothing.
    ///
    /// The deadline applies to the loop. It does not interrupt a step of a consumer.
    ///
    /// # Costs
    ///
    /// One timer for the loop, and a reading of the clock for each body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::time::Duration;
    ///
    /// async fn quick(runtime: &(impl forloop::Timer + Clone + 'static), urls: Vec<String>) {
    ///     let lengths = forloop::each(urls)
    ///         .unbounded()
    ///         .deadline(runtime, Duration::from_secs(5))
    ///         .gather(async |url| url.len());
    ///     match lengths.await {
    ///         Ok(lengths) => println!("all {} were ready", lengths.len()),
    ///         Err(late) => println!("timed out: {:?}", late.pending),
    ///     }
    /// }
    /// ```
    pub fn deadline<R: LocalTimer + Clone + 'static>(
        self,
        timer: &R,
        after: Duration,
    ) -> Loop<S, P, L, WithInterrupt<C, Deadline<R>>> {
        self.with_option(Deadline::new(timer, after))
    }
}

/// A time limit for a loop.
pub struct Deadline<R: LocalTimer> {
    timer: R,
    after: Duration,
    /// When the limit passes, by the clock of `timer`. Set at the first poll.
    due: Option<Duration>,
    alarm: Alarm<R>,
}

impl<R: LocalTimer + Clone + 'static> Deadline<R> {
    pub(crate) fn new(timer: &R, after: Duration) -> Self {
        Self { timer: timer.clone(), after, due: None, alarm: Alarm::default() }
    }
}

impl<R: LocalTimer + 'static> Rule for Deadline<R> {
    const HAS_SIGNALS: bool = true;
    const SEES_STARTS: bool = false;

    fn poll_interrupt(&mut self, cx: &mut Context<'_>, will_repoll: bool) -> Poll<StopReason> {
        // A loop without any time reads no clock and calls no body.
        if self.after.is_zero() {
            return Poll::Ready(StopReason::TimedOut);
        }
        let due = match self.due {
            Some(due) => due,
            // A moment that no clock can show never comes.
            None => *self.due.insert(self.timer.now_local().saturating_add(self.after)),
        };
        if will_repoll {
            // The full poll that follows sets the timer.
            return if self.timer.now_local() >= due {
                Poll::Ready(StopReason::TimedOut)
            } else {
                Poll::Pending
            };
        }
        self.alarm.poll_until(&self.timer, due, cx).map(|()| StopReason::TimedOut)
    }
}

impl<I, R: LocalTimer + 'static> ItemRule<I> for Deadline<R> {}
impl<T, R: LocalTimer + 'static> OutcomeRule<T> for Deadline<R> {}

impl<R: LocalTimer + Clone> Clone for Deadline<R> {
    fn clone(&self) -> Self {
        Self { timer: self.timer.clone(), after: self.after, due: None, alarm: Alarm::default() }
    }
}

impl<R: LocalTimer> fmt::Debug for Deadline<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("after", &self.after).finish_non_exhaustive()
    }
}
