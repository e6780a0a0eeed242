//! `until`: a future that a signal cancels.

use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::Cancelled;
use crate::options::IsSignal;

/// Awaits `future` until `signal` completes, with any output. Then the future is dropped.
///
/// A signal is a [`CancelToken`](crate::CancelToken), Ctrl-C or any future, as for
/// [`cancel_on`](crate::Loop::cancel_on). It is polled first: if it has completed, `future` is not polled again, and
/// not at all if it had completed before.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::{CancelToken, Cancelled};
///
/// let token = CancelToken::new();
/// assert_eq!(forloop::until(&token, async { 6 * 7 }).await, Ok(42));
///
/// token.cancel();
/// assert_eq!(forloop::until(&token, std::future::pending::<()>()).await, Err(Cancelled));
/// # });
/// ```
///
/// # Errors
///
/// [`Cancelled`] if `signal` has completed. `future` has been dropped by then.
///
/// # Panics
///
/// If `future` or `signal` panics, the panic propagates to the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops both.
#[doc(alias = "select")]
#[doc(alias = "run_until_cancelled")]
#[doc(alias = "abortable")]
#[doc(alias = "take_until")]
pub fn until<W: IsSignal, F: Future>(
    signal: W,
    future: F,
) -> impl Future<Output = Result<F::Output, Cancelled>> {
    Until { signal: signal.into_signal(), future: Some(future) }
}

pin_project! {
    struct Until<W, F> {
        #[pin]
        signal: W,
        // `None` once it has completed or was cancelled.
        #[pin]
        future: Option<F>,
    }
}

impl<W: Future, F: Future> Future for Until<W, F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("it is not polled again after it has completed");
        let result = match this.signal.poll(cx) {
            Poll::Ready(_) => Err(Cancelled),
            Poll::Pending => Ok(ready!(future.poll(cx))),
        };
        this.future.set(None);
        Poll::Ready(result)
    }
}
