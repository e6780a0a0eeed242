//! `drain_on`: a signal at which a loop completes what runs and starts nothing new.

use alloc::boxed::Box;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::cancel_on::IsSignal;
use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::Loop;
use crate::outcome::StopReason;

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Drains the loop when `signal` is ready: running bodies complete, and nothing new starts. The signal's
    /// output is ignored.
    ///
    /// The loop pulls no further item. Items that are queued are not run, and an item in a back-off completes
    /// with its last failure, as does one that fails now and would be retried. The strategy receives these last, when
    /// no body runs any more, so that a failure stops no body. When the running bodies have completed, the strategy returns
    /// [`Cause::Drained`](crate::Cause::Drained) or [`LoopError::Drained`](crate::LoopError::Drained). If no item
    /// was left, nothing was interrupted and the loop returns its plain result.
    ///
    /// Any future is a signal, as for [`cancel_on`](Self::cancel_on), which does not let bodies complete. With
    /// both, a first Ctrl-C can drain the loop and a second cancel it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::{CancelToken, Cause};
    /// use futures_lite::future::yield_now;
    ///
    /// let shutdown = CancelToken::new();
    /// let doubled = forloop::each(1..).limit(2)?.drain_on(&shutdown).gather(|n| {
    ///     let shutdown = &shutdown;
    ///     async move {
    ///         if n == 3 {
    ///             shutdown.cancel();
    ///         }
    ///         yield_now().await;
    ///         n * 2
    ///     }
    /// });
    /// let interrupted = doubled.await.unwrap_err();
    /// assert_eq!(interrupted.cause, Cause::Drained);
    /// assert!(interrupted.pending.is_empty(), "no body was stopped");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "graceful shutdown")]
    #[doc(alias = "shutdown")]
    #[doc(alias = "ctrl_c")]
    pub fn drain_on<W: IsSignal>(
        self,
        signal: W,
    ) -> Loop<S, P, L, WithInterrupt<C, DrainOn<W::Future>>, M> {
        self.with_option(DrainOn { signal: Some(Box::pin(signal.into_signal())) })
    }
}

/// A signal that drains a loop.
pub struct DrainOn<W> {
    /// Dropped once it was ready: the loop then polls the other signals only.
    signal: Option<Pin<Box<W>>>,
}

impl<W: Future> Rule for DrainOn<W> {
    const HAS_SIGNALS: bool = true;
    fn poll_interrupt(&mut self, cx: &mut Context<'_>, _will_repoll: bool) -> Poll<StopReason> {
        match self.signal.as_mut().map(|signal| signal.as_mut().poll(cx)) {
            Some(Poll::Ready(_)) => {
                self.signal = None;
                Poll::Ready(StopReason::Drained)
            }
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }
}

impl<I, W: Future> ItemRule<I> for DrainOn<W> {}
impl<T, W: Future> OutcomeRule<T> for DrainOn<W> {}

impl<W: Clone> Clone for DrainOn<W> {
    fn clone(&self) -> Self {
        Self { signal: self.signal.clone() }
    }
}

impl<W> fmt::Debug for DrainOn<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainOn").field("is_ready", &self.signal.is_none()).finish_non_exhaustive()
    }
}
