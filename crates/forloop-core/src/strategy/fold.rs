//! `fold` and `try_fold`: one value of all outputs, made as they finish.

use core::ops::ControlFlow;

use futures_core::Stream;

use super::prompt::PromptCollectFuture;
use super::try_gather::Failures;
use super::{Collector, LoopEnd};
use crate::body::{Body, TryBody};
use crate::engine::{Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop, LoopError};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and makes one value of all their outputs:
    /// each is put in by `step` as it finishes.
    ///
    /// `step` gets the value so far, and index and output of the body that has finished. It is called in
    /// the loop's own task, for one output after another, in the order in which they finish. Nothing else
    /// is kept: a million items at a limit of 64 cost sixty-four slots and the value.
    ///
    /// A step that awaits is one for [`consume`](crate::Results::consume), and one that says when it is
    /// enough as well.
    ///
    /// # Why not a shared counter
    ///
    /// A body that reads a variable, awaits, and writes what it has made of it forgets what the others have
    /// written meanwhile. No thread and no lock is needed for that: bodies in one task do it to each other
    /// at every `.await`. In a fold nobody else has the value while it changes.
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::cell::Cell;
    ///
    /// # async fn size_of(page: u32) -> u32 { futures_lite::future::yield_now().await; page }
    /// let total = Cell::new(0);
    /// let counted = forloop::each(1..=10).unbounded().for_each(async |page| {
    ///     let before = total.get();
    ///     total.set(before + size_of(page).await);
    /// });
    /// counted.await;
    /// // All have read 0, and the last to write has won.
    /// assert_eq!(total.get(), 10);
    ///
    /// let total = forloop::each(1..=10).unbounded().fold(0, size_of, |total, (_, size)| total + size);
    /// assert_eq!(total.await, 55);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [cut short](Policy): then [`Interrupted`](crate::Interrupted), and the
    /// value of what had finished is what was ready. Under [`timeout`](Self::timeout) and
    /// [`catch_panics`](Self::catch_panics), `step` gets an [`Outcome`](crate::Outcome).
    ///
    /// # Panics
    ///
    /// If a body, the source or `step` panics, the bodies are stopped, and when they have stopped the panic
    /// goes on in the caller. Panics too if the runtime of a spawned loop is shut down before the loop has
    /// ended, and the loop has no error to say so.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and the value and stops the bodies: in-task they are
    /// gone when drop returns, spawned they have been asked to stop.
    pub fn fold<A, F, B, J, I, G>(
        self,
        init: A,
        body: F,
        step: G,
    ) -> impl Future<Output = C::Gives<A, A>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
        G: FnMut(A, (usize, C::Each<B::Returns>)) -> A,
    {
        PromptCollectFuture::new(self.drive(body), Fold { value: Some(init), step })
    }

    /// Runs the bodies, as many at once as the loop allows, and makes one value of all of theirs, each put
    /// in by `step` as it finishes; or stops at the first failure in time.
    ///
    /// As [`fold`](Self::fold), which says why one would not count by oneself. After a failure no item is
    /// pulled, and neither body nor `step` is called.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let parse = async |text: &str| text.parse::<u32>();
    /// let longest = |longest: u32, (_, number)| longest.max(number);
    ///
    /// let found = forloop::each(["7", "40", "3"]).limit(2)?.try_fold(0, parse, longest).await;
    /// assert_eq!(found, Ok(40));
    ///
    /// let failed = forloop::each(["7", "forty", "3"]).limit(2)?.try_fold(0, parse, longest).await;
    /// assert_eq!(failed.unwrap_err().to_string(), "body 1 failed: invalid digit found in string");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Self::try_gather): every error that really happened, the first in time first; or
    /// what has cut the loop short. The value so far is dropped.
    ///
    /// # Panics
    ///
    /// If a body, the source or `step` panics, the bodies are stopped, and when they have stopped the panic
    /// goes on in the caller.
    ///
    /// # Cancel safety
    ///
    /// As [`fold`](Self::fold).
    pub fn try_fold<A, F, B, J, I, T, E, G>(
        self,
        init: A,
        body: F,
        step: G,
    ) -> impl Future<Output = Result<A, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<T, E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
        G: FnMut(A, (usize, T)) -> A,
    {
        let fold = Fold { value: Some(init), step };
        PromptCollectFuture::new(
            self.drive_collecting(body, Some(Result::is_err)),
            TryFold { fold, failures: Failures::new() },
        )
    }
}

/// The value, and what changes it.
struct Fold<A, G> {
    /// Gone once `step` has panicked or a body has failed.
    value: Option<A>,
    step: G,
}

impl<A, G> Fold<A, G> {
    #[inline]
    fn put<T>(&mut self, index: usize, output: T)
    where
        G: FnMut(A, (usize, T)) -> A,
    {
        if let Some(value) = self.value.take() {
            self.value = Some((self.step)(value, (index, output)));
        }
    }

    fn into_value(self) -> A {
        self.value.expect("a loop that was stopped for a panic or a failure has no value to give")
    }
}

impl<T, C: Policy, A, G> Collector<T, C> for Fold<A, G>
where
    G: FnMut(A, (usize, C::Each<T>)) -> A,
{
    type Collected = C::Gives<A, A>;

    #[inline]
    fn take(&mut self, end: Completion<T>) -> ControlFlow<()> {
        // A body without an output has been stopped, or the loop says at its end why not.
        if let Ok(output) = C::each(end.outcome) {
            self.put(end.index, output);
        }
        ControlFlow::Continue(())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        let value = self.into_value();
        C::gives(match ending.interrupted {
            None => Ok(value),
            Some(interrupted) => Err(interrupted.with(value)),
        })
    }
}

struct TryFold<A, G, E> {
    fold: Fold<A, G>,
    failures: Failures<E>,
}

impl<T, E, C: Policy, A, G> Collector<Result<T, E>, C> for TryFold<A, G, E>
where
    G: FnMut(A, (usize, T)) -> A,
{
    type Collected = Result<A, LoopError<E, C::SourceError>>;

    #[inline]
    fn take(&mut self, end: Completion<Result<T, E>>) -> ControlFlow<()> {
        let index = end.index;
        match self.failures.sift(end) {
            Some(value) => {
                self.fold.put(index, value);
                ControlFlow::Continue(())
            }
            None => {
                // Nobody will ask for it: what ends well while the loop stops is dropped, too.
                self.fold.value = None;
                ControlFlow::Break(())
            }
        }
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.tried(&ending.tried).into_result(ending.interrupted)?;
        Ok(self.fold.into_value())
    }
}
