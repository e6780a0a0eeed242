//! `deadline`: how long a whole loop may take.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::{Loop, StopReason, Timer};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Gives the whole loop so much time, from its first poll.
    ///
    /// When it has passed, no further item is pulled, bodies that were woken by then are polled a
    /// last time, the others are stopped at their current await, and when they have stopped the
    /// strategy says so with [`Cause::TimedOut`] or
    /// [`LoopError::TimedOut`](crate::LoopError::TimedOut); [`settle`](Self::settle) and
    /// [`gather`](Self::gather) with the results that were ready. With no time at all no item is
    /// pulled and no body is called.
    ///
    /// The time is the loop's: a consumer's own step is not cut short.
    ///
    /// Costs one timer for the loop, and a reading of the clock for each body.
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
    ///         Err(late) => println!("too late for {:?}", late.pending),
    ///     }
    /// }
    /// ```
    pub fn deadline<R: Timer + Clone + 'static>(
        self,
        timer: &R,
        after: Duration,
    ) -> Loop<S, P, L, WithInterrupt<C, Deadline<R>>> {
        self.with_option(Deadline::new(timer, after))
    }
}

/// How long a loop may take.
pub struct Deadline<R> {
    timer: R,
    after: Duration,
    /// When the time is up. Set at the first poll.
    due: Option<Duration>,
    alarm: Alarm,
}

impl<R: Timer + Clone + 'static> Deadline<R> {
    pub(crate) fn new(timer: &R, after: Duration) -> Self {
        Self { timer: timer.clone(), after, due: None, alarm: Alarm::default() }
    }
}

impl<R: Timer + 'static> Rule for Deadline<R> {
    const SEES_STARTS: bool = false;

    fn poll_interrupt(&mut self, cx: &mut Context<'_>, again: bool) -> Poll<StopReason> {
        // Without any time no clock is read: the loop calls no body.
        if self.after.is_zero() {
            return Poll::Ready(StopReason::TimedOut);
        }
        let due = match self.due {
            Some(due) => due,
            // A moment that no clock can show never comes.
            None => *self.due.insert(self.timer.now().saturating_add(self.after)),
        };
        if again {
            // The full poll that follows sets the timer.
            return if self.timer.now() >= due {
                Poll::Ready(StopReason::TimedOut)
            } else {
                Poll::Pending
            };
        }
        self.alarm.poll_until(&self.timer, due, cx).map(|()| StopReason::TimedOut)
    }
}

impl<I, R: Timer + 'static> ItemRule<I> for Deadline<R> {}
impl<T, R: Timer + 'static> OutcomeRule<T> for Deadline<R> {}

impl<R: Clone> Clone for Deadline<R> {
    fn clone(&self) -> Self {
        Self { timer: self.timer.clone(), after: self.after, due: None, alarm: Alarm::default() }
    }
}

impl<R> fmt::Debug for Deadline<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("after", &self.after).finish_non_exhaustive()
    }
}
