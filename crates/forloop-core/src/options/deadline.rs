//! `deadline`: how long a whole loop may take.

use alloc::boxed::Box;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::{Interrupt, Policy, WithInterrupt};
use crate::{Loop, StopReason, Timer};

impl<S, P, L, C: Policy> Loop<S, P, L, C> {
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
        let deadline = Deadline::new(timer, after);
        self.with(|policy| WithInterrupt::new(policy, deadline))
    }
}

/// How long a loop may take.
pub struct Deadline<R> {
    timer: R,
    after: Duration,
    /// Set at the first poll.
    alarm: Option<Alarm>,
}

struct Alarm {
    begun: Duration,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<R: Timer + Clone + 'static> Deadline<R> {
    pub(crate) fn new(timer: &R, after: Duration) -> Self {
        Self { timer: timer.clone(), after, alarm: None }
    }
}

impl<R: Timer + 'static> Interrupt for Deadline<R> {
    fn poll_interrupt(&mut self, cx: &mut Context<'_>, again: bool) -> Poll<StopReason> {
        let Self { timer, after, alarm } = self;
        // A timer may want to be polled twice to see that nothing is left to wait for.
        if after.is_zero() {
            return Poll::Ready(StopReason::TimedOut);
        }
        let alarm = alarm.get_or_insert_with(|| Alarm {
            begun: timer.now(),
            sleep: Box::pin(timer.sleep(*after)),
        });
        // The clock decides: it is cheaper than the timer, which may be late where a runtime has it
        // wait for its turn.
        if timer.now().saturating_sub(alarm.begun) >= *after {
            return Poll::Ready(StopReason::TimedOut);
        }
        if again {
            return Poll::Pending;
        }
        alarm.sleep.as_mut().poll(cx).map(|()| StopReason::TimedOut)
    }
}

impl<R: Clone> Clone for Deadline<R> {
    fn clone(&self) -> Self {
        Self { timer: self.timer.clone(), after: self.after, alarm: None }
    }
}

impl<R> fmt::Debug for Deadline<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("after", &self.after).finish_non_exhaustive()
    }
}
