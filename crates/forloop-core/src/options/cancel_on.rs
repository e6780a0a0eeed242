//! `cancel_on`: a signal that cancels a loop.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::Loop;
use crate::outcome::StopReason;

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Cancels the loop when `signal` is ready. The signal's output is ignored.
    ///
    /// The loop pulls no further item and cancels the running bodies at their current await. When they have
    /// stopped, the strategy returns [`Cause::Cancelled`](crate::Cause::Cancelled) or
    /// [`LoopError::Cancelled`](crate::LoopError::Cancelled). If the signal is ready before the loop starts, no
    /// item is pulled and no body is called. If the source is exhausted and every body has completed, the signal
    /// comes too late and the loop returns its plain result.
    ///
    /// Any future is a signal: a [`CancelToken`](crate::CancelToken), the `cancelled()` of
    /// tokio-util's token, Ctrl-C, a channel's receiver, a timer. Of several signals the first one counts.
    /// The loop polls a signal before it polls the bodies that were woken, and before it pulls an item.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::{CancelToken, Cause};
    ///
    /// let token = CancelToken::new();
    /// let sums = forloop::each(1..).limit(2)?.cancel_on(&token).for_each(|n| {
    ///     if n == 100 {
    ///         token.cancel();
    ///     }
    ///     async {}
    /// });
    /// let interrupted = sums.await.unwrap_err();
    /// assert_eq!(interrupted.cause, Cause::Cancelled);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "abort")]
    #[doc(alias = "AbortSignal")]
    #[doc(alias = "CancellationToken")]
    #[doc(alias = "select")]
    #[doc(alias = "take_until")]
    pub fn cancel_on<W: IsSignal>(
        self,
        signal: W,
    ) -> Loop<S, P, L, WithInterrupt<C, CancelOn<W::Future>>, M> {
        self.with_option(CancelOn::new(signal.into_signal()))
    }
}

/// What cancels or drains a loop when it is ready: any future, or a [`CancelToken`](crate::CancelToken).
///
/// Every [`IntoFuture`] implements it; the trait exists for the compiler's diagnostics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signal",
    label = "expected a future or a `CancelToken`",
    note = "a `Result`, such as that of `forloop::ctrl_c()`, needs a `?`"
)]
pub trait IsSignal {
    /// The signal as a future. Its output does not matter.
    type Future: Future;

    /// Returns the signal as a future.
    fn into_signal(self) -> Self::Future;
}

// The second bound follows from the first. Without it, the compiler would report `IntoFuture` and not this trait.
#[diagnostic::do_not_recommend]
impl<W: IntoFuture<IntoFuture: Future>> IsSignal for W {
    type Future = W::IntoFuture;

    fn into_signal(self) -> W::IntoFuture {
        self.into_future()
    }
}

/// A signal that cancels a loop.
#[derive(Debug, Clone)]
pub struct CancelOn<W> {
    /// Boxed, so that a stream of results is `Unpin` also if the signal is not.
    signal: Pin<Box<W>>,
}

impl<W> CancelOn<W> {
    pub(crate) fn new(signal: W) -> Self {
        Self { signal: Box::pin(signal) }
    }
}

impl<W: Future> Rule for CancelOn<W> {
    const HAS_SIGNALS: bool = true;
    fn poll_interrupt(&mut self, cx: &mut Context<'_>, _will_repoll: bool) -> Poll<StopReason> {
        self.signal.as_mut().poll(cx).map(|_| StopReason::Cancelled)
    }
}

impl<I, W: Future> ItemRule<I> for CancelOn<W> {}
impl<T, W: Future> OutcomeRule<T> for CancelOn<W> {}
