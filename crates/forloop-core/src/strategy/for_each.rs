//! `for_each` and `try_for_each`: the bodies are all there is; nothing is kept.

use core::ops::ControlFlow;

use futures_core::Stream;

use super::try_gather::Failures;
use super::{CollectFuture, Collector, LoopEnd};
use crate::body::{TryBody, UnitBody};
use crate::engine::{Completion, JobHandle};
use crate::options::{AllOrNothing, ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::Delivery;
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop, LoopError};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and keeps none of their outputs.
    ///
    /// Needs memory for the limit, not for the items: a million items at a limit of 64 cost
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
    /// None, unless the loop may be [cut short](Policy): then [`Interrupted`](crate::Interrupted).
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller. Panics too if the runtime of a spawned loop is shut down
    /// before the loop has ended, and the loop has no error to say so.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn for_each<F, B, J, I>(self, body: F) -> impl Future<Output = C::Gives<(), ()>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + AllOrNothing,
        F: FnMut(I) -> B,
        B: UnitBody,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body), ForEach)
    }

    /// Runs the bodies, as many at once as the loop allows, and stops at the first failure in
    /// time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let saved = forloop::each(["a.txt", "/", "b.txt"]).limit(2)?.try_for_each(async |name| {
    ///     if name.contains('/') { Err(format!("`{name}` is no file name")) } else { Ok(()) }
    /// });
    /// assert_eq!(saved.await.unwrap_err().to_string(), "body 1 failed: `/` is no file name");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Self::try_gather): every error that really happened, the first in time
    /// first; or what has cut the loop short.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn try_for_each<F, B, J, I, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<(), LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<(), E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        CollectFuture::new(
            self.drive_collecting(body, Some(Result::is_err)),
            TryForEach { failures: Failures::new() },
        )
    }
}

struct ForEach;

impl<C: Policy> Collector<(), C> for ForEach {
    type Collected = C::Gives<(), ()>;

    const DELIVERY: Option<fn(&()) -> Delivery> = Some(|()| Delivery::Discard);

    fn take(&mut self, _end: Completion<()>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        C::gives(ending.interrupted.map_or(Ok(()), Err))
    }
}

struct TryForEach<E> {
    failures: Failures<E>,
}

impl<E, C: Policy> Collector<Result<(), E>, C> for TryForEach<E> {
    type Collected = Result<(), LoopError<E, C::SourceError>>;

    const DELIVERY: Option<fn(&Result<(), E>) -> Delivery> =
        Some(|output| if output.is_ok() { Delivery::Discard } else { Delivery::Terminal });

    #[inline]
    fn take(&mut self, end: Completion<Result<(), E>>) -> ControlFlow<()> {
        match self.failures.sift(end) {
            Some(()) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.tried(&ending.tried).into_result(ending.interrupted)
    }
}
