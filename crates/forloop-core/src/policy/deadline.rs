//! `deadline`: how long a whole loop may take.

use alloc::boxed::Box;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::{Interrupt, Interruptible, Policy};
use crate::{Cause, Loop, Timer};

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
    /// Costs one timer for the loop.
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
    ///         Ok(lengths) => println!("all {}", lengths.len()),
    ///         Err(late) => println!("{} of {} were ready", late.ready.len(), late.pending.len()),
    ///     }
    /// }
    /// ```
    pub fn deadline<R: Timer + Clone + 'static>(
        self,
        timer: &R,
        after: Duration,
    ) -> Loop<S, P, L, Interruptible<C, Deadline<R>>> {
        let deadline = Deadline::new(timer, after);
        self.with(|policy| Interruptible::new(policy, deadline))
    }
}

/// How long a loop may take.
pub struct Deadline<R> {
    timer: R,
    after: Duration,
    /// Armed at the first poll.
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<R: Timer + Clone + 'static> Deadline<R> {
    pub(crate) fn new(timer: &R, after: Duration) -> Self {
        Self { timer: timer.clone(), after, sleep: None }
    }
}

impl<R: Timer + 'static> Interrupt for Deadline<R> {
    fn poll_interrupt(&mut self, cx: &mut Context<'_>) -> Poll<Cause> {
        // A timer may want to be polled twice to see that nothing is left to wait for.
        if self.after.is_zero() {
            return Poll::Ready(Cause::TimedOut);
        }
        let Self { timer, after, sleep } = self;
        let sleep = sleep.get_or_insert_with(|| Box::pin(timer.sleep(*after)));
        sleep.as_mut().poll(cx).map(|()| Cause::TimedOut)
    }
}

impl<R> fmt::Debug for Deadline<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("after", &self.after).finish_non_exhaustive()
    }
}
