//! `race` and `race_ok`: the earliest output, or the earliest value.

use alloc::vec::Vec;
use core::convert::Infallible;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::failures::Failures;
use crate::admission::AttemptLog;
use crate::body::{Body, TryBody};
use crate::driver::OnWorkers;
use crate::engine::Completion;
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Delivery, Dispatch, Place};
use crate::{Loop, LoopError, Outcome, each};

/// Runs every future concurrently and returns index and output of the first that completes. The
/// others are dropped.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use futures_lite::future::yield_now;
///
/// let count = async |n: u32| { for _ in 0..n { yield_now().await } n };
/// assert_eq!(forloop::race([count(30), count(10), count(20)]).await, Ok((1, 10)));
/// # });
/// ```
///
/// # Errors
///
/// [`LoopError::Empty`] if there are no futures.
///
/// # Panics
///
/// If a future panics, the others are dropped and the panic propagates to the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before `drop` returns.
#[doc(alias = "select_all")]
#[doc(alias = "select")]
#[doc(alias = "Promise.race")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn race<I, N, F, T>(
    futures: I,
) -> impl Future<Output = Result<(usize, T), LoopError<Infallible>>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = T>,
{
    each(futures).unbounded().race(|future| future)
}

/// Runs every future concurrently and returns index and value of the first that succeeds. The
/// others are dropped.
///
/// Equivalent to JavaScript's `Promise.any` and to `select_ok` of futures-util.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let parse = async |text: &str| text.parse::<u32>();
/// assert_eq!(forloop::race_ok([parse("one"), parse("2")]).await.unwrap(), (1, 2));
///
/// let error = forloop::race_ok([parse("one"), parse("two")]).await.unwrap_err();
/// assert_eq!(error.failures().len(), 2);
/// # });
/// ```
///
/// # Errors
///
/// [`LoopError::Failed`] with every future's error, the earliest first; [`LoopError::Empty`] if there
/// are no futures.
///
/// # Panics
///
/// If a future panics, the others are dropped and the panic propagates to the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before `drop` returns.
#[doc(alias = "select_ok")]
#[doc(alias = "any")]
#[doc(alias = "Promise.any")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn race_ok<I, N, F, T, E>(futures: I) -> impl Future<Output = Result<(usize, T), LoopError<E>>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().race_ok(|future| future)
}

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and returns index and output of the first that
    /// completes.
    ///
    /// When it returns, the others have stopped. Of two in-task bodies that complete at the same
    /// time, the one with the lower index wins.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// # async fn ask(server: &str) -> &str { server }
    /// let servers = ["a.example", "b.example"];
    /// let (index, answer) = forloop::each(servers).unbounded().race(ask).await?;
    /// assert_eq!(answer, servers[index]);
    /// # Ok::<(), forloop::LoopError<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Empty`] if there are no items; [`LoopError::TimedOut`] if every body timed out;
    /// or what interrupted the loop before a body completed.
    ///
    /// # Panics
    ///
    /// If a body or the source panics before a body has completed, or while the losers are stopped,
    /// the panic propagates to the caller once all have stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "select_all")]
    #[doc(alias = "select")]
    #[doc(alias = "Promise.race")]
    pub fn race<F, B, J, I>(
        self,
        body: F,
    ) -> impl Future<Output = Result<(usize, B::Returns), LoopError<Infallible, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body, None), Race::new(1))
    }

    /// Runs the bodies, up to the limit at once, and returns index and value of the first that
    /// succeeds.
    ///
    /// When it returns, the others have stopped. A failure does not stop the loop: it frees a permit
    /// for the next item. Of two in-task bodies that succeed at the same time, the one with the lower
    /// index wins.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// // Tries one mirror after another until one has the file.
    /// let found = forloop::each(["a.example", "b.example", "c.example"])
    ///     .sequential()
    ///     .race_ok(async |mirror| match mirror {
    ///         "a.example" => Err(format!("{mirror}: not found")),
    ///         _ => Ok(mirror),
    ///     })
    ///     .await;
    /// assert_eq!(found, Ok((1, "b.example")));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If no body succeeds: [`LoopError::Failed`] with every error, the earliest first, or
    /// [`LoopError::TimedOut`] if none failed and all timed out. [`LoopError::Empty`] if there are no
    /// items. What interrupted the loop, if something did before a body succeeded.
    ///
    /// # Panics
    ///
    /// As [`race`](Self::race).
    ///
    /// # Cancel safety
    ///
    /// As [`race`](Self::race).
    #[doc(alias = "select_ok")]
    #[doc(alias = "any")]
    #[doc(alias = "Promise.any")]
    #[doc(alias = "hedge")]
    pub fn race_ok<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<(usize, T), LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = T, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        let race = RaceOk { race: Race::new(1) };
        CollectFuture::new(self.drive(body, Some(Result::is_err)), race)
    }
}

/// The earliest successes, and every failure.
pub(super) struct Race<T, E> {
    /// Position in completion order, index and value of each. Tasks may be polled in another order than they
    /// complete in, so there may be more than are wanted.
    successes: Vec<(usize, usize, T)>,
    /// How many successes complete the race.
    wanted: usize,
    failures: Failures<E>,
}

impl<T, E> Race<T, E> {
    pub(super) const fn new(wanted: usize) -> Self {
        Self { successes: Vec::new(), wanted, failures: Failures::new() }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.successes.len() >= self.wanted
    }

    pub(super) fn record(&mut self, at: usize, index: usize, outcome: Outcome<T, E>) {
        if let Some(value) = self.failures.split_outcome(at, index, outcome) {
            self.successes.push((at, index, value));
        }
    }

    /// Returns the wanted number of successes, the earliest first.
    pub(super) fn winners<S>(
        mut self,
        end: LoopEnd<S>,
    ) -> Result<impl Iterator<Item = (usize, T)>, LoopError<E, S>> {
        if !self.is_complete() {
            self.failures.with_attempts(&end.retried).into_result(end.interrupted)?;
            // No body has failed, so there were too few items.
            return Err(match self.successes.len() {
                0 => LoopError::Empty,
                succeeded => LoopError::TooFew { succeeded, wanted: self.wanted },
            });
        }
        // Stable: in-task completions all have the same position, and were recorded in completion order.
        self.successes.sort_by_key(|&(at, _, _)| at);
        let winners = self.successes.into_iter().take(self.wanted);
        Ok(winners.map(|(_, index, value)| (index, value)))
    }

    fn winner<S>(self, end: LoopEnd<S>) -> Result<(usize, T), LoopError<E, S>> {
        self.winners(end)?.next().ok_or(LoopError::Empty)
    }
}

impl<T, C: Policy> Collector<T, C> for Race<T, Infallible> {
    type Collected = Result<(usize, T), LoopError<Infallible, C::SourceError>>;

    const DELIVERY: CompletionDelivery<Self, T> = CompletionDelivery::Batched {
        output: Some(|_| Delivery::Terminal),
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    #[inline]
    fn on_completion(&mut self, completion: Completion<T>) {
        self.record(completion.seq, completion.index, completion.outcome);
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        self.winner(end)
    }
}

/// A race that a failure does not win.
struct RaceOk<T, E> {
    race: Race<T, E>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for RaceOk<T, E> {
    type Collected = Result<(usize, T), LoopError<E, C::SourceError>>;

    // Errors are prompt, so that each gets its position in completion order.
    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::Batched {
        output: Some(|result| if result.is_ok() { Delivery::Terminal } else { Delivery::Prompt }),
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        self.race.record(completion.seq, completion.index, completion.outcome.into());
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        self.race.winner(end)
    }
}
