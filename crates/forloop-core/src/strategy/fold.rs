//! `fold` and `try_fold`: one value made of all outputs, in completion order.

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd, at_once_if_failed};
use super::failures::Failures;
use crate::admission::AttemptLog;
use crate::body::{Body, TryBody};
use crate::driver::OnWorkers;
use crate::engine::Completion;
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Dispatch, Place};
use crate::{Loop, LoopError};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and folds their outputs into one value with `step`, in
    /// completion order.
    ///
    /// `step` gets the value so far, and index and output of a body that has completed. The loop calls it in
    /// the caller's task, for one output after another. It buffers nothing else: a million items at a limit
    /// of 64 need sixty-four slots and the value.
    ///
    /// On [workers](Self::on_workers) that pull the items, the outputs of short bodies arrive in batches. Those of one
    /// worker are in completion order, and those of different workers in any order. A worker keeps an output for a few
    /// turns at most, and only while it has bodies to poll.
    ///
    /// A step that awaits, or that can stop the loop, needs [`consume`](crate::strategy::Results::consume).
    ///
    /// # Why not a shared counter
    ///
    /// A body that reads a variable, awaits, and writes back a new value overwrites what other bodies wrote
    /// in between. This needs neither threads nor a missing lock: bodies in one task interleave at every
    /// `.await`. In a fold only `step` has the value.
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
    /// // Every body has read 0, and the last write wins.
    /// assert_eq!(total.get(), 10);
    ///
    /// let total = forloop::each(1..=10).unbounded().fold(0, size_of, |total, (_, size)| total + size);
    /// assert_eq!(total.await, 55);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [interrupted](Policy): then [`Interrupted`](crate::Interrupted), which
    /// holds the value so far. Under [`timeout`](Self::timeout) and [`catch_panics`](Self::catch_panics),
    /// `step` gets an [`Outcome`](crate::Outcome).
    ///
    /// # Panics
    ///
    /// If a body, the source or `step` panics, the loop cancels the bodies. Once they have stopped, the panic
    /// propagates to the caller. Also panics if the runtime of a spawned loop shuts down before the loop
    /// completes, and the loop has no error to report it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and the value and cancels the bodies. In-task bodies
    /// have been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "reduce")]
    pub fn fold<A, F, B, J, I, G>(
        self,
        init: A,
        body: F,
        step: G,
    ) -> impl Future<Output = C::Result<A, A>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
        G: FnMut(A, (usize, C::Output<B::Returns>)) -> A,
    {
        CollectFuture::new(self.drive(body, None), Fold { value: Some(init), step })
    }

    /// Runs the bodies, up to the limit at once, and folds their values into one with `step`, in completion
    /// order, or stops at the first failure.
    ///
    /// As [`fold`](Self::fold), which explains why not to use a shared counter. After a failure `step` is not called.
    /// After the [round](LoopError) of the failure no item is pulled and no body is called or polled.
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
    /// assert_eq!(failed.unwrap_err().to_string(), "body 1 failed");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Self::try_gather): every error of the round that stopped the loop, the earliest first; or what
    /// interrupted the loop. The value so far is dropped.
    ///
    /// # Panics
    ///
    /// If a body, the source or `step` panics, the loop cancels the bodies. Once they have stopped, the panic
    /// propagates to the caller.
    ///
    /// # Cancel safety
    ///
    /// As [`fold`](Self::fold).
    #[doc(alias = "try_reduce")]
    pub fn try_fold<A, F, B, J, I, T, E, G>(
        self,
        init: A,
        body: F,
        step: G,
    ) -> impl Future<Output = Result<A, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = T, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
        G: FnMut(A, (usize, T)) -> A,
    {
        let fold = Fold { value: Some(init), step };
        CollectFuture::new(
            self.drive(body, Some(Result::is_err)),
            TryFold { fold, failures: Failures::new() },
        )
    }
}

/// The value, and the step that changes it.
struct Fold<A, G> {
    /// `None` after `step` has panicked or a body has failed.
    value: Option<A>,
    step: G,
}

impl<A, G> Fold<A, G> {
    #[inline]
    fn add<T>(&mut self, index: usize, output: T)
    where
        G: FnMut(A, (usize, T)) -> A,
    {
        if let Some(value) = self.value.take() {
            self.value = Some((self.step)(value, (index, output)));
        }
    }

    fn into_value(self) -> A {
        self.value.expect("a loop that stopped for a panic or a failure returns no value")
    }
}

impl<T, C: Policy, A, G> Collector<T, C> for Fold<A, G>
where
    G: FnMut(A, (usize, C::Output<T>)) -> A,
{
    type Collected = C::Result<A, A>;

    const DELIVERY: CompletionDelivery<Self, T> = CompletionDelivery::OneByOne {
        output: None,
        is_complete: |_| false,
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::None;

    #[inline]
    fn on_completion(&mut self, completion: Completion<T>) {
        // A body without an output was cancelled, and `finish` reports why.
        if let Ok(output) = C::output_of(completion.outcome) {
            self.add(completion.index, output);
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        let value = self.into_value();
        C::result_of(match end.interrupted {
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

    // There is no value any more once a body has failed.
    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::OneByOne {
        output: Some(at_once_if_failed),
        is_complete: |this| this.fold.value.is_none(),
        stops_at_failure: true,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        let index = completion.index;
        match self.failures.split_failure(completion) {
            Some(value) => self.fold.add(index, value),
            // The value is dropped now, and so are those of bodies that succeed while the loop stops.
            None => self.fold.value = None,
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.with_attempts(&end.retried).into_result(end.interrupted)?;
        Ok(self.fold.into_value())
    }
}
