//! `hedge`: a second attempt beside a slow first one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::delay::Delay;

/// Calls `attempt` and awaits its future; if that has not completed after `delay`, calls it once more and awaits both.
/// The first success wins, and the other attempt is dropped.
///
/// This is known as a hedged request: few answers are slow, at the cost of a few more requests. A usual
/// `delay` is the 95th percentile of the latency, so that one request in twenty is sent twice. The request must be one
/// that may be made twice.
///
/// If an attempt fails while the other one runs, the other one decides. If both fail, the error is that of the attempt
/// that failed first. If the first attempt fails before the second has started, there is no second.
///
/// In the body of a loop, it works with every option. Both attempts belong to one body: they share its permit, one
/// [`timeout`](crate::Loop::timeout) applies to them together, and [`retry`](crate::Loop::retry) follows when both have
/// failed. To try several servers one after another, or more than two attempts, use [`stagger`](crate::Loop::stagger)
/// with [`race_ok`](crate::Loop::race_ok).
///
/// The clock is the one around the call: see [`Ambient`](crate::Ambient). The delay counts from the first poll.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # fn main() {
/// use std::time::Duration;
///
/// use forloop::hedge;
///
/// # use forloop::{BlockOn, Timer};
/// # let sim = forloop::sim::Sim::new();
/// # let requests = std::cell::Cell::new(0);
/// # let get = async |url: &str| {
/// #     requests.set(requests.get() + 1);
/// #     if requests.get() == 2 { sim.sleep(Duration::from_secs(60)).await } // the first to b.example
/// #     Ok::<usize, std::io::Error>(url.len())
/// # };
/// # sim.block_on(async {
/// let pages = forloop::each(["a.example", "b.example"])
///     .sequential()
///     .timeout(Duration::from_secs(10))
///     .settle(async |url| hedge(Duration::from_millis(50), || get(url)).await)
///     .await;
/// assert_eq!(pages.summary().to_string(), "2 ok");
/// # assert_eq!((sim.now(), requests.get()), (Duration::from_millis(50), 3));
/// # });
/// # }
/// # #[cfg(not(feature = "sim"))]
/// # fn main() {}
/// ```
///
/// # Costs
///
/// Two readings of the clock, one more for each poll before the second attempt, and one timer if the first attempt is
/// pending at all. No allocation: both futures are stored in the returned one.
///
/// # Panics
///
/// If `attempt` or a future panics, the panic propagates to the caller. It also panics where
/// [`AmbientTimer`](crate::AmbientTimer) does.
///
/// # Cancel safety
///
/// Dropping the returned future drops both attempts.
#[doc(alias = "hedged")]
#[doc(alias = "hedged_requests")]
#[doc(alias = "backup_request")]
#[doc(alias = "speculative_execution")]
pub fn hedge<T, E, F>(
    delay: Duration,
    attempt: impl FnMut() -> F,
) -> impl Future<Output = Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    Hedge {
        attempt,
        first: None,
        second: None,
        failure: None,
        stage: Stage::Unpolled,
        delay: Delay::new(delay),
    }
}

pin_project! {
    struct Hedge<G, F, E> {
        attempt: G,
        // `None` before it has started, and once it has completed.
        #[pin]
        first: Option<F>,
        #[pin]
        second: Option<F>,
        // That of the attempt that has failed while the other one runs.
        failure: Option<E>,
        stage: Stage,
        delay: Delay,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unpolled,
    /// Only the first attempt has started.
    First,
    /// Both attempts have started.
    Both,
    Completed,
}

impl<T, E, F, G> Future for Hedge<G, F, E>
where
    F: Future<Output = Result<T, E>>,
    G: FnMut() -> F,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        assert!(*this.stage != Stage::Completed, "it is not polled again after it has completed");
        if *this.stage == Stage::Unpolled {
            this.delay.start();
            this.first.set(Some((this.attempt)()));
            *this.stage = Stage::First;
        }
        let mut result = poll_attempt(this.first.as_mut(), cx);
        if *this.stage == Stage::First && result.is_none() {
            if this.delay.poll_over(cx).is_pending() {
                return Poll::Pending;
            }
            this.second.set(Some((this.attempt)()));
            *this.stage = Stage::Both;
        }
        if *this.stage == Stage::Both {
            result = outlast(result, this.failure);
            if result.is_none() {
                result = poll_attempt(this.second.as_mut(), cx);
                result = outlast(result, this.failure);
            }
        }
        let Some(result) = result else { return Poll::Pending };
        *this.stage = Stage::Completed;
        this.first.set(None);
        this.second.set(None);
        Poll::Ready(result)
    }
}

/// Polls an attempt that runs, and drops it if it has completed.
fn poll_attempt<F: Future>(
    mut attempt: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Option<F::Output> {
    match attempt.as_mut().as_pin_mut()?.poll(cx) {
        Poll::Ready(output) => {
            attempt.set(None);
            Some(output)
        }
        Poll::Pending => None,
    }
}

/// The result of two attempts: one that has failed is kept until the other one has completed.
fn outlast<T, E>(result: Option<Result<T, E>>, failure: &mut Option<E>) -> Option<Result<T, E>> {
    match (result?, failure.take()) {
        (Ok(output), _) => Some(Ok(output)),
        (Err(_), Some(earlier)) => Some(Err(earlier)),
        (Err(error), None) => {
            *failure = Some(error);
            None
        }
    }
}
