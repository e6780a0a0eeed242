//! `for_each` and `try_for_each`: run the bodies for their effects and keep no output.

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::failures::Failures;
use crate::admission::AttemptLog;
use crate::body::{TryBody, UnitBody};
use crate::driver::OnWorkers;
use crate::engine::Completion;
use crate::looping::LimitSet;
use crate::options::{AllOrNothing, ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Delivery, Dispatch, Place};
use crate::{Loop, LoopError};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and keeps none of their outputs.
    ///
    /// Memory is proportional to the limit, not to the items: a million items at a limit of 64 need
    /// sixty-four slots and, spawned, sixty-four tasks at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let sum = std::cell::Cell::new(0);
    /// forloop::each(1..=10).limit(3)?.for_each(|n| { let sum = &sum; async move {
    ///     sum.set(sum.get() + n);
    /// }}).await;
    /// assert_eq!(sum.get(), 55);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [interrupted](Policy): then [`Interrupted`](crate::Interrupted).
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the caller. Also panics if the runtime of a spawned loop shuts down
    /// before the loop completes, and the loop has no error to report it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "for_each_concurrent")]
    #[inline] // so that the loop is made where it is polled
    pub fn for_each<F, B, J, I>(self, body: F) -> impl Future<Output = C::Result<(), ()>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + AllOrNothing,
        F: FnMut(I) -> B,
        B: UnitBody<Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body, None), ForEach)
    }

    /// Runs the bodies, up to the limit at once, and stops at the first failure.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let saved = forloop::each(["a.txt", "/", "b.txt"]).limit(2)?.try_for_each(async |name| {
    ///     if name.contains('/') { Err(format!("`{name}` is no file name")) } else { Ok(()) }
    /// });
    /// assert_eq!(format!("{:#}", saved.await.unwrap_err()), "body 1 failed: `/` is no file name");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Self::try_gather): every error of the round that stopped the loop, the earliest first; or
    /// what interrupted the loop.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the caller.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "try_for_each_concurrent")]
    pub fn try_for_each<F, B, J, I, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<(), LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = (), Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(
            self.drive(body, Some(Result::is_err)),
            TryForEach { failures: Failures::new() },
        )
    }
}

struct ForEach;

impl<C: Policy> Collector<(), C> for ForEach {
    type Collected = C::Result<(), ()>;

    const DELIVERY: CompletionDelivery<Self, ()> = CompletionDelivery::Batched {
        output: Some(|()| Delivery::Discard),
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::None;

    fn on_completion(&mut self, _completion: Completion<()>) {}

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        C::result_of(end.interrupted.map_or(Ok(()), Err))
    }
}

struct TryForEach<E> {
    failures: Failures<E>,
}

impl<E, C: Policy> Collector<Result<(), E>, C> for TryForEach<E> {
    type Collected = Result<(), LoopError<E, C::SourceError>>;

    const DELIVERY: CompletionDelivery<Self, Result<(), E>> = CompletionDelivery::Batched {
        output: Some(|result| if result.is_ok() { Delivery::Discard } else { Delivery::Terminal }),
        stops_at_failure: true,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<(), E>>) {
        // It records the failure, if it is one; there is no value to keep.
        let _: Option<()> = self.failures.split_failure(completion);
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.with_attempts(&end.retried).into_result(end.interrupted)
    }
}
