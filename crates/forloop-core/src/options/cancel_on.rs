//! `cancel_on`: a signal that cuts a loop short.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::{Loop, StopReason};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Cancels the loop when `signal` is ready, whatever it gives.
    ///
    /// No further item is pulled, the bodies are stopped at their current await, and when they have
    /// stopped the strategy says so with [`Cause::Cancelled`] or
    /// [`LoopError::Cancelled`](crate::LoopError::Cancelled). If the signal is ready before the loop
    /// begins, no item is pulled and no body is called. Where the source is at its end and every body
    /// came to its own, nothing was cancelled.
    ///
    /// Any future is a signal: a [`CancelToken`](crate::CancelToken), the `cancelled()` of
    /// tokio-util's token, Ctrl-C, a channel's receiver, a timer. Several signals: the first counts.
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
    pub fn cancel_on<W: IntoFuture>(
        self,
        signal: W,
    ) -> Loop<S, P, L, WithInterrupt<C, CancelOn<W::IntoFuture>>> {
        self.with_option(CancelOn::new(signal.into_future()))
    }
}

/// A signal that cancels a loop.
#[derive(Debug, Clone)]
pub struct CancelOn<W> {
    /// In a box, so that a signal that must not move keeps no stream of results from being `Unpin`.
    signal: Pin<Box<W>>,
}

impl<W> CancelOn<W> {
    pub(crate) fn new(signal: W) -> Self {
        Self { signal: Box::pin(signal) }
    }
}

impl<W: Future> Rule for CancelOn<W> {
    const SEES_STARTS: bool = false;

    fn poll_interrupt(&mut self, cx: &mut Context<'_>, _again: bool) -> Poll<StopReason> {
        self.signal.as_mut().poll(cx).map(|_| StopReason::Cancelled)
    }
}

impl<I, W: Future> ItemRule<I> for CancelOn<W> {}
impl<T, W: Future> OutcomeRule<T> for CancelOn<W> {}
