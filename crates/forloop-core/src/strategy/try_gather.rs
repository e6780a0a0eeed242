//! `try_gather`: every value, or the earliest failure.

use alloc::vec::Vec;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::failures::Failures;
use crate::admission::AttemptLog;
use crate::body::TryBody;
use crate::driver::OnWorkers;
use crate::engine::{Completion, OrderedBuffer};
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Dispatch, Place};
use crate::{Loop, LoopError, each};

/// Runs every future concurrently and returns their values in input order, or stops at the first
/// failure.
///
/// When it returns an error, every other future has been dropped. Python's `asyncio.gather` leaves
/// the others running.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let parse = async |text: &str| text.parse::<u32>();
/// assert_eq!(forloop::try_gather([parse("1"), parse("2")]).await.unwrap(), [1, 2]);
///
/// let error = forloop::try_gather([parse("1"), parse("two")]).await.unwrap_err();
/// assert_eq!(format!("{error:#}"), "body 1 failed: invalid digit found in string");
/// # });
/// ```
///
/// # Errors
///
/// [`LoopError::Failed`] with every error of the round that stopped the loop, the earliest first. Of two at the
/// same time, the one with the lower index comes first.
///
/// # Panics
///
/// If a future panics, the others are dropped and the panic propagates to the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before `drop` returns.
#[doc(alias = "try_join_all")]
#[doc(alias = "try_join")]
#[doc(alias = "Promise.all")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn try_gather<I, N, F, T, E>(futures: I) -> impl Future<Output = Result<Vec<T>, LoopError<E>>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().try_gather(|future| future)
}

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and returns their values in input order, or stops
    /// at the first failure.
    ///
    /// The loop stops after the [round](LoopError) in which a body fails: then no item is pulled and no body is
    /// called or polled. With a limit of one that is at the failure. When this returns, every body that was running
    /// has stopped, on every runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let halves = forloop::each([8, 7, 6]).limit(2)?.try_gather(|n| async move {
    ///     if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) }
    /// });
    /// let error = halves.await.unwrap_err();
    /// assert_eq!(error.first().unwrap().index, Some(1));
    /// assert_eq!(error.get(1).unwrap(), "7 is odd");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Failed`] with every error of the round that stopped the loop, the earliest first. Of two
    /// in-task errors at the same time, the one with the lower index comes first.
    ///
    /// If no body failed: what interrupted the loop, or [`LoopError::TimedOut`] at the first body
    /// that timed out. [`LoopError::Cancelled`] if the runtime of a spawned loop was shut down.
    ///
    /// The values that were ready are dropped. [`settle`](Self::settle) keeps them, and
    /// [`Settled::into_result`](crate::Settled::into_result) converts its result to this one.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the caller. A panic takes precedence over any error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "try_join_all")]
    #[doc(alias = "try_buffered")]
    #[doc(alias = "try_map_concurrent")]
    #[doc(alias = "Promise.all")]
    pub fn try_gather<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<Vec<T>, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = T, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body, Some(Result::is_err)), TryGather::new())
    }
}

pub(super) struct TryGather<T, E> {
    values: OrderedBuffer<T>,
    failures: Failures<E>,
}

impl<T, E> TryGather<T, E> {
    pub(super) const fn new() -> Self {
        Self { values: OrderedBuffer::new(), failures: Failures::new() }
    }
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for TryGather<T, E> {
    type Collected = Result<Vec<T>, LoopError<E, C::SourceError>>;

    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::FAIL_FAST;
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    fn expect(&mut self, least: usize) {
        self.values.expect(least);
    }

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        let index = completion.index;
        if let Some(value) = self.failures.split_failure(completion) {
            self.values.put(index, value);
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.with_attempts(&end.retried).into_result(end.interrupted)?;
        // Every body that was started has succeeded, so there is a value at every index.
        Ok(self.values.into_vec())
    }
}
