//! `timeout`: a future with a time limit.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use forloop_core::{LocalTimer, TimedOut};
use pin_project_lite::pin_project;

use crate::AmbientTimer;

/// Awaits `future` for at most `duration`, counted from the first poll. Then the future is dropped.
///
/// The clock is the one around the call: see [`Ambient`](crate::Ambient). The future is polled at least once, also with
/// a duration of zero, and one that completes in the poll in which its time is over has completed.
///
/// In a loop, use [`timeout`](crate::Loop::timeout) for each body and [`deadline`](crate::Loop::deadline) for the whole:
/// they need one timer for all bodies.
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
/// If `future` panics, the panic propagates to the caller. It also panics where [`AmbientTimer`] does.
///
/// # Cancel safety
///
/// Dropping the returned future drops `future`.
#[doc(alias = "wait_for")]
pub fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, TimedOut>> {
    let timer = AmbientTimer::default();
    Timeout { future: Some(future), timer, state: State::Unpolled { duration } }
}

pin_project! {
    struct Timeout<F> {
        // `None` once it has completed or timed out.
        #[pin]
        future: Option<F>,
        timer: AmbientTimer,
        state: State,
    }
}

enum State {
    Unpolled {
        duration: Duration,
    },
    /// When the time is over, and the timer that wakes the caller then. A time that no clock can show never comes.
    Polled {
        due: Option<Duration>,
        sleep: Option<<AmbientTimer as LocalTimer>::Sleep>,
    },
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let State::Unpolled { duration } = *this.state {
            let due = this.timer.now_local().checked_add(duration);
            *this.state = State::Polled { due, sleep: None };
        }
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("it is not polled again after it has completed");
        let result = match future.poll(cx) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending if this.state.poll_due(this.timer, cx).is_ready() => Err(TimedOut),
            Poll::Pending => return Poll::Pending,
        };
        this.future.set(None);
        Poll::Ready(result)
    }
}

impl State {
    /// The clock decides, because the future may use up what the runtime allows the task in a turn: tokio's timers are
    /// then pending although they are due.
    fn poll_due(&mut self, timer: &AmbientTimer, cx: &mut Context<'_>) -> Poll<()> {
        let Self::Polled { due: Some(due), sleep } = self else { return Poll::Pending };
        loop {
            let left = due.saturating_sub(timer.now_local());
            if left.is_zero() {
                return Poll::Ready(());
            }
            let timer = sleep.get_or_insert_with(|| timer.sleep_local(left));
            ready!(timer.as_mut().poll(cx));
            *sleep = None;
        }
    }
}
