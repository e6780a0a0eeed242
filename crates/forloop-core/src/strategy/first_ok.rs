//! `first_ok`: the first so many values in time.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::prompt::PromptCollectFuture;
use super::race::Race;
use super::{Collector, LoopEnd};
use crate::body::TryBody;
use crate::engine::{Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop, LoopError};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and returns index and value of the first
    /// `wanted` that succeed, the first in time first.
    ///
    /// When it returns, the others have stopped. A failure stops nobody; with a limit, the next item takes
    /// its turn. Of two that succeed at the same time, in-task, the one with the lower index is first. If
    /// `wanted` is 0, nothing is pulled, nothing is called, and there is nothing to return.
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
    /// // A write counts once two of the three have it.
    /// let replicas = ["a.example", "b.example", "c.example"];
    /// let written = forloop::each(replicas).unbounded().first_ok(2, store).await;
    /// assert_eq!(written, Ok(vec![(1, ()), (2, ())]));
    ///
    /// // All three cannot have it any more.
    /// let error = forloop::each(replicas).unbounded().first_ok(3, store).await.unwrap_err();
    /// assert_eq!(error.get(0).unwrap(), "a.example: disk full");
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// There are as many values as were wanted, or an error. If fewer bodies succeed:
    /// [`LoopError::Failed`] with every error, the first in time first, and [`LoopError::TimedOut`] if none
    /// failed but some had no time left. If none of them failed either, there were too few items:
    /// [`LoopError::TooFew`], or [`LoopError::Empty`] if there were none at all. What has cut the loop
    /// short, if something has before so many have succeeded. The values there were are dropped.
    ///
    /// # Panics
    ///
    /// If a body or the source panics before so many have succeeded, or while the others are stopped, the
    /// panic goes on in the caller, when all have stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone when drop
    /// returns, spawned they have been asked to stop.
    pub fn first_ok<F, B, J, I, T, E>(
        self,
        wanted: usize,
        body: F,
    ) -> impl Future<Output = Result<Vec<(usize, T)>, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<T, E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        PromptCollectFuture::new(
            self.drive_collecting(body, Some(Result::is_err)),
            FirstOk { race: Race::to(wanted) },
        )
    }
}

/// A race in which only successes count, and several win.
struct FirstOk<T, E> {
    race: Race<T, E>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for FirstOk<T, E> {
    type Collected = Result<Vec<(usize, T)>, LoopError<E, C::SourceError>>;

    fn is_decided(&self) -> bool {
        self.race.is_over()
    }

    #[inline]
    fn take(&mut self, end: Completion<Result<T, E>>) -> ControlFlow<()> {
        self.race.enter(end.seq, end.index, end.outcome.into())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        Ok(self.race.winners(ending)?.collect())
    }
}
