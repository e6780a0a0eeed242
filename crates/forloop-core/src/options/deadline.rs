//! `deadline`: a time limit for a whole loop.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::looping::TimerSet;
use crate::outcome::StopReason;
use crate::{LocalTimer, Loop};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
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
    /// async fn quick(clock: &(impl forloop::Timer + Clone + 'static), urls: Vec<String>) {
    ///     let lengths = forloop::each(urls)
    ///         .unbounded()
    ///         .timer(clock)
    ///         .deadline(Duration::from_secs(5))
    ///         .gather(async |url| url.len());
    ///     match lengths.await {
    ///         Ok(lengths) => println!("all {} were ready", lengths.len()),
    ///         Err(late) => println!("timed out: {:?}", late.pending),
    ///     }
    /// }
    /// ```
    #[doc(alias = "timeout_at")]
    #[doc(alias = "move_on_after")]
    pub fn deadline(self, after: Duration) -> Loop<S, P, L, WithInterrupt<C, Deadline<M>>, M>
    where
        M: TimerSet,
    {
        let deadline = Deadline::new(self.timer.timer(), after);
        self.with_option(deadline)
    }
}

/// A time limit for a loop.
pub struct Deadline<M: TimerSet> {
    timer: M::Timer,
    after: Duration,
    /// When the limit passes, by the clock of `timer`. Set at the first poll.
    due: Option<Duration>,
    alarm: Alarm<M::Timer>,
}

impl<M: TimerSet> Deadline<M> {
    pub(crate) fn new(timer: M::Timer, after: Duration) -> Self {
        Self { timer, after, due: None, alarm: Alarm::default() }
    }
}

impl<M: TimerSet> Rule for Deadline<M> {
    const HAS_SIGNALS: bool = true;
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

impl<I, M: TimerSet> ItemRule<I> for Deadline<M> {}
impl<T, M: TimerSet> OutcomeRule<T> for Deadline<M> {}

impl<M: TimerSet> Clone for Deadline<M> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.after)
    }
}

impl<M: TimerSet> fmt::Debug for Deadline<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("after", &self.after).finish_non_exhaustive()
    }
}
