//! `first_ok`: the earliest values, as many as are wanted.

use alloc::vec::Vec;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::race::Race;
use crate::admission::AttemptLog;
use crate::body::TryBody;
use crate::driver::OnWorkers;
use crate::engine::Completion;
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Delivery, Dispatch, Place};
use crate::{Loop, LoopError};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and returns index and value of the first `wanted` that
    /// succeed, the earliest first.
    ///
    /// When it returns, the others have stopped. A failure does not stop the loop: it frees a permit for the
    /// next item. Of two in-task bodies that succeed at the same time, the one with the lower index comes
    /// first. If `wanted` is 0, the loop pulls nothing, calls nothing and returns an empty vector.
    ///
    /// [`race_ok`](Self::race_ok) is the same for one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// # async fn store(replica: &str) -> Result<(), String> {
    /// #     if replica == "a.example" { Err(format!("{replica}: disk full")) } else { Ok(()) }
    /// # }
    /// // A write is accepted once two of the three replicas have stored it.
    /// let replicas = ["a.example", "b.example", "c.example"];
    /// let written = forloop::each(replicas).unbounded().first_ok(2, store).await;
    /// assert_eq!(written, Ok(vec![(1, ()), (2, ())]));
    ///
    /// // Not all three can store it.
    /// let error = forloop::each(replicas).unbounded().first_ok(3, store).await.unwrap_err();
    /// assert_eq!(error.get(0).unwrap(), "a.example: disk full");
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// The result has `wanted` values, or it is an error. If fewer bodies succeed: [`LoopError::Failed`] with
    /// every error, the earliest first, or [`LoopError::TimedOut`] if none failed and some timed out. If none
    /// of them failed either, there were too few items: [`LoopError::TooFew`], or [`LoopError::Empty`] if
    /// there were none. What interrupted the loop, if something did before `wanted` bodies succeeded. The
    /// values that were ready are dropped.
    ///
    /// # Panics
    ///
    /// If a body or the source panics before `wanted` bodies have succeeded, or while the others are stopped,
    /// the panic propagates to the caller once all have stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have been dropped
    /// when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "quorum")]
    #[doc(alias = "select_ok")]
    pub fn first_ok<F, B, J, I, T, E>(
        self,
        wanted: usize,
        body: F,
    ) -> impl Future<Output = Result<Vec<(usize, T)>, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = T, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(
            self.drive(body, Some(Result::is_err)),
            FirstOk { race: Race::new(wanted) },
        )
    }
}

/// A race with several winners.
struct FirstOk<T, E> {
    race: Race<T, E>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for FirstOk<T, E> {
    type Collected = Result<Vec<(usize, T)>, LoopError<E, C::SourceError>>;

    // Whether a value stops the loop depends on those before it, which a worker does not know.
    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::OneByOne {
        output: Some(|_| Delivery::Prompt),
        is_complete: |this| this.race.is_complete(),
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        self.race.record(completion.seq, completion.index, completion.outcome.into());
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        Ok(self.race.winners(end)?.collect())
    }
}
