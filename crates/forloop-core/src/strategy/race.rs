//! `race` and `race_ok`: the first output, or the first value, in time.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::try_gather::Failures;
use super::{CollectFuture, Collector, LoopEnd};
use crate::body::{Body, TryBody};
use crate::engine::{Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::Delivery;
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop, LoopError, Outcome, each};

/// Runs every future at once and returns index and output of the first that finishes; the others
/// are dropped.
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
/// If a future panics, the others are dropped and its panic goes on in the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before drop returns.
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

/// Runs every future at once and returns index and value of the first that succeeds; the others
/// are dropped.
///
/// Known from JavaScript as `Promise.any`, from futures-util as `select_ok`.
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
/// [`LoopError::Failed`] with every future's error, the first in time first; [`LoopError::Empty`] if
/// there are no futures.
///
/// # Panics
///
/// If a future panics, the others are dropped and its panic goes on in the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before drop returns.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn race_ok<I, N, F, T, E>(futures: I) -> impl Future<Output = Result<(usize, T), LoopError<E>>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().race_ok(|future| future)
}

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and returns index and output of the
    /// first that finishes.
    ///
    /// When it returns, the others have stopped. Of two that finish at the same time, in-task, the
    /// one with the lower index wins.
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
    /// [`LoopError::Empty`] if there are no items; [`LoopError::TimedOut`] if each body had no time
    /// left, or what has cut the loop short before one has finished.
    ///
    /// # Panics
    ///
    /// If a body or the source panics before one has finished, or while the others are stopped, the
    /// panic goes on in the caller, when all have stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn race<F, B, J, I>(
        self,
        body: F,
    ) -> impl Future<Output = Result<(usize, B::Returns), LoopError<Infallible, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body), Race::to(1))
    }

    /// Runs the bodies, as many at once as the loop allows, and returns index and value of the
    /// first that succeeds.
    ///
    /// When it returns, the others have stopped. A failure stops nobody; with a limit, the next item
    /// takes its turn. Of two that succeed at the same time, in-task, the one with the lower index
    /// wins.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// // One mirror after another, until one has it.
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
    /// If no body succeeds: [`LoopError::Failed`] with every error, the first in time first, and
    /// [`LoopError::TimedOut`] if none failed but all had no time left. [`LoopError::Empty`] if there
    /// are no items. What has cut the loop short, if something has before one has succeeded.
    ///
    /// # Panics
    ///
    /// As [`race`](Self::race).
    ///
    /// # Cancel safety
    ///
    /// As [`race`](Self::race).
    pub fn race_ok<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<(usize, T), LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<T, E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        let race = RaceOk { race: Race::to(1) };
        CollectFuture::new(self.drive_collecting(body, Some(Result::is_err)), race)
    }
}

/// Who is first, and who has failed.
pub(super) struct Race<T, E> {
    /// Each with its place in the order of ends: tasks may be seen in another.
    arrived: Vec<(usize, usize, T)>,
    /// How many are wanted.
    wanted: usize,
    failures: Failures<E>,
}

impl<T, E> Race<T, E> {
    pub(super) fn to(wanted: usize) -> Self {
        Self { arrived: Vec::new(), wanted, failures: Failures::new() }
    }

    pub(super) fn is_over(&self) -> bool {
        self.arrived.len() >= self.wanted
    }

    pub(super) fn enter(
        &mut self,
        at: usize,
        index: usize,
        outcome: Outcome<T, E>,
    ) -> ControlFlow<()> {
        if let Some(value) = self.failures.keep(at, index, outcome) {
            self.arrived.push((at, index, value));
        }
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// As many as were wanted, the first in time first.
    pub(super) fn winners<S>(
        mut self,
        ending: LoopEnd<S>,
    ) -> Result<impl Iterator<Item = (usize, T)>, LoopError<E, S>> {
        if !self.is_over() {
            self.failures.tried(&ending.tried).into_result(ending.interrupted)?;
            // Nobody has failed: too few were there.
            return Err(match self.arrived.len() {
                0 => LoopError::Empty,
                succeeded => LoopError::TooFew { succeeded, wanted: self.wanted },
            });
        }
        // Stable: where ends have no place of their own, they were seen in their order.
        self.arrived.sort_by_key(|&(at, _, _)| at);
        let arrived = self.arrived.into_iter().take(self.wanted);
        Ok(arrived.map(|(_, index, value)| (index, value)))
    }

    fn winner<S>(self, ending: LoopEnd<S>) -> Result<(usize, T), LoopError<E, S>> {
        self.winners(ending)?.next().ok_or(LoopError::Empty)
    }
}

impl<T, C: Policy> Collector<T, C> for Race<T, Infallible> {
    type Collected = Result<(usize, T), LoopError<Infallible, C::SourceError>>;

    const DELIVERY: Option<fn(&T) -> Delivery> = Some(|_| Delivery::Terminal);

    #[inline]
    fn take(&mut self, end: Completion<T>) -> ControlFlow<()> {
        self.enter(end.seq, end.index, end.outcome)
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        self.winner(ending)
    }
}

/// A race in which only a success counts.
struct RaceOk<T, E> {
    race: Race<T, E>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for RaceOk<T, E> {
    type Collected = Result<(usize, T), LoopError<E, C::SourceError>>;

    const DELIVERY: Option<fn(&Result<T, E>) -> Delivery> =
        Some(|output| if output.is_ok() { Delivery::Terminal } else { Delivery::Prompt });

    #[inline]
    fn take(&mut self, end: Completion<Result<T, E>>) -> ControlFlow<()> {
        self.race.enter(end.seq, end.index, end.outcome.into())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        self.race.winner(ending)
    }
}
