//! `timeout`: a future with a time limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use forloop_core::TimedOut;
use pin_project_lite::pin_project;

use crate::delay::Delay;

/// Awaits `future` for at most `duration`, counted from the first poll. Then the future is dropped.
///
/// The clock is the one around the call: see [`Ambient`](crate::Ambient). The future is polled at least once, also with
/// a duration of zero, and one that completes in the poll in which its time is over has completed.
///
/// In a loop, use [`timeout`](crate::Loop::timeout) for each body and [`deadline`](crate::Loop::deadline) for the
/// whole: they need one timer for all bodies.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # fn main() {
/// # use forloop::BlockOn;
/// # forloop::sim::Sim::new().block_on(async {
/// use std::time::Duration;
///
/// use forloop::TimedOut;
///
/// let second = Duration::from_secs(1);
/// assert_eq!(forloop::timeout(second, async { 6 * 7 }).await, Ok(42));
/// assert_eq!(forloop::timeout(second, std::future::pending::<()>()).await, Err(TimedOut));
/// # });
/// # }
/// # #[cfg(not(feature = "sim"))]
/// # fn main() {}
/// ```
///
/// # Costs
///
/// Two readings of the clock, one more for each poll in which the future is pending, and one timer if it is pending at
/// all.
///
/// # Errors
///
/// [`TimedOut`] if the time is over. `future` has been dropped by then.
///
/// # Panics
///
/// If `future` panics, the panic propagates to the caller. It also panics where
/// [`AmbientTimer`](crate::AmbientTimer) does.
///
/// # Cancel safety
///
/// Dropping the returned future drops `future`.
#[doc(alias = "wait_for")]
pub fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, TimedOut>> {
    Timeout { future: Some(future), delay: Delay::new(duration) }
}

pin_project! {
    struct Timeout<F> {
        // `None` once it has completed or timed out.
        #[pin]
        future: Option<F>,
        delay: Delay,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        this.delay.start();
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("it is not polled again after it has completed");
        let result = match future.poll(cx) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending if this.delay.poll_over(cx).is_ready() => Err(TimedOut),
            Poll::Pending => return Poll::Pending,
        };
        this.future.set(None);
        Poll::Ready(result)
    }
}
