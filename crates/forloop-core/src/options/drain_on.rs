//! `drain_on`: a signal at which a loop finishes what runs, and begins nothing new.

use alloc::boxed::Box;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{ItemRule, OutcomeRule, Rule, WithInterrupt};
use crate::{Loop, StopReason};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Finishes what runs when `signal` is ready, whatever it gives, and begins nothing new.
    ///
    /// No further item is pulled, bodies that run go on to their ends, items that were pulled and wait for
    /// their turn are not run, and items that wait for another attempt end with the failure of their last.
    /// Then the strategy says so with [`Cause::Drained`] or [`LoopError::Drained`](crate::LoopError::Drained). Where
    /// no item was left, nothing was cut short, and nothing is said.
    ///
    /// Any future is a signal, as for [`cancel_on`](Self::cancel_on), which is the hard form. With both, a
    /// first Ctrl-C finishes what runs, and a second stops it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::{CancelToken, Cause};
    /// use futures_lite::future::yield_now;
    ///
    /// let enough = CancelToken::new();
    /// let doubled = forloop::each(1..).limit(2)?.drain_on(&enough).gather(|n| {
    ///     let enough = &enough;
    ///     async move {
    ///         if n == 3 {
    ///             enough.cancel();
    ///         }
    ///         yield_now().await;
    ///         n * 2
    ///     }
    /// });
    /// let interrupted = doubled.await.unwrap_err();
    /// assert_eq!(interrupted.cause, Cause::Drained);
    /// assert!(interrupted.pending.is_empty(), "nobody was stopped");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    pub fn drain_on<W: IntoFuture>(
        self,
        signal: W,
    ) -> Loop<S, P, L, WithInterrupt<C, DrainOn<W::IntoFuture>>> {
        self.with_option(DrainOn { signal: Some(Box::pin(signal.into_future())) })
    }
}

/// A signal at which a loop begins nothing new.
pub struct DrainOn<W> {
    /// Gone once it was ready: the loop looks out for other signals then.
    signal: Option<Pin<Box<W>>>,
}

impl<W: Future> Rule for DrainOn<W> {
    fn poll_interrupt(&mut self, cx: &mut Context<'_>, _again: bool) -> Poll<StopReason> {
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
        f.debug_struct("DrainOn").field("is_over", &self.signal.is_none()).finish_non_exhaustive()
    }
}
