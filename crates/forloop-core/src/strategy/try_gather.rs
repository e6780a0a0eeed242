//! `try_gather`: every value, or the first failure in time.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::{CollectFuture, Collector, LoopEnd};
use crate::body::TryBody;
use crate::engine::{Completion, JobHandle, OrderedBuffer};
use crate::options::{ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::Delivery;
use crate::place::{Dispatch, Place};
use crate::{Cause, Failure, Interrupted, LimitSet, Loop, LoopError, Outcome, each};

/// Runs every future at once and returns their values in input order, or stops at the first
/// failure in time.
///
/// When it returns an error, every other future has been dropped: none is left running, where
/// Python's `asyncio.gather` goes on with them.
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
/// assert_eq!(error.to_string(), "body 1 failed: invalid digit found in string");
/// # });
/// ```
///
/// # Errors
///
/// [`LoopError::Failed`] with every error that really happened, the first in time first; of two at
/// the same time, the one with the lower index.
///
/// # Panics
///
/// If a future panics, the others are dropped and its panic goes on in the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before drop returns.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn try_gather<I, N, F, T, E>(futures: I) -> impl Future<Output = Result<Vec<T>, LoopError<E>>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().try_gather(|future| future)
}

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and returns their values in input
    /// order, or stops at the first failure in time.
    ///
    /// After a failure no body is called and no item is pulled; when this returns, every body
    /// that was running has stopped, on every runtime.
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
    /// [`LoopError::Failed`] with every error that really happened, the first in time first; of
    /// two at the same time, in-task, the one with the lower index. Without an error: what has cut
    /// the loop short, or [`LoopError::TimedOut`] at the first body without time.
    /// [`LoopError::Cancelled`] if the runtime of a spawned loop was shut down. The values that were
    /// ready are dropped: [`settle`](Self::settle) keeps them, and its
    /// [`into_result`](crate::Settled::into_result) makes the same of them.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller: a panic is shown before any error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn try_gather<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<Vec<T>, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<T, E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        let collector = TryGather { values: OrderedBuffer::new(), failures: Failures::new() };
        CollectFuture::new(self.drive_collecting(body, Some(Result::is_err)), collector)
    }
}

pub(super) struct TryGather<T, E> {
    pub(super) values: OrderedBuffer<T>,
    pub(super) failures: Failures<E>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for TryGather<T, E> {
    type Collected = Result<Vec<T>, LoopError<E, C::SourceError>>;

    const DELIVERY: Option<fn(&Result<T, E>) -> Delivery> =
        Some(|output| if output.is_ok() { Delivery::Batched } else { Delivery::Terminal });

    fn expect(&mut self, ends: usize) {
        self.values.expect(ends);
    }

    #[inline]
    fn take(&mut self, end: Completion<Result<T, E>>) -> ControlFlow<()> {
        let index = end.index;
        match self.failures.sift(end) {
            Some(value) => {
                self.values.put(index, value);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.tried(&ending.tried).into_result(ending.interrupted)?;
        // Every body that was started has ended well, so there is a value at every index.
        Ok(self.values.into_vec())
    }
}

/// The failures of a loop that stops at the first.
pub(super) struct Failures<E> {
    /// Each with its place in the order of ends.
    seen: Vec<(usize, Failure<E>)>,
    timed_out: Vec<usize>,
    cancelled: bool,
}

impl<E> Failures<E> {
    pub(super) fn new() -> Self {
        Self { seen: Vec::new(), timed_out: Vec::new(), cancelled: false }
    }

    pub(super) fn push(&mut self, at: usize, index: Option<usize>, error: E) {
        self.seen.push((at, Failure { index, attempts: 1, error }));
    }

    /// Returns the value of a body that ended well and keeps any other end.
    pub(super) fn sift<T>(&mut self, end: Completion<Result<T, E>>) -> Option<T> {
        self.keep(end.seq, end.index, end.outcome.into())
    }

    pub(super) fn keep<T>(&mut self, at: usize, index: usize, outcome: Outcome<T, E>) -> Option<T> {
        match outcome {
            Outcome::Ok(value) => return Some(value),
            Outcome::Err(error) => self.push(at, Some(index), error),
            Outcome::Panicked(panic) => panic.resume(),
            Outcome::TimedOut => self.timed_out.push(index),
            // A sibling of a failure was stopped for it.
            Outcome::Cancelled | Outcome::NotRun => self.cancelled = true,
        }
        None
    }

    /// Takes note of the attempts at those that were tried more than once; ascending.
    pub(super) fn tried(mut self, tried: &[(usize, u32)]) -> Self {
        for (_, failure) in self.seen.iter_mut().filter(|_| !tried.is_empty()) {
            let Some(index) = failure.index else { continue };
            if let Ok(at) = tried.binary_search_by_key(&index, |&(index, _)| index) {
                failure.attempts = tried[at].1;
            }
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Every error, the first in time first.
    pub(super) fn into_vec(mut self) -> Vec<Failure<E>> {
        // Stable: where ends have no place of their own, they were seen in their order.
        self.seen.sort_by_key(|&(at, _)| at);
        self.seen.into_iter().map(|(_, failure)| failure).collect()
    }

    /// The gravest of what has happened, if anything has.
    pub(super) fn into_result<S>(
        mut self,
        interrupted: Option<Interrupted<(), S>>,
    ) -> Result<(), LoopError<E, S>> {
        let cancelled = self.cancelled;
        let mut timed_out = core::mem::take(&mut self.timed_out);
        let failures = self.into_vec();
        let cause = interrupted.map(|Interrupted { cause, pending, .. }| {
            if let Cause::TimedOut = cause {
                timed_out.extend(pending);
            }
            cause
        });
        timed_out.sort_unstable();
        timed_out.dedup();
        // Whoever failed while the group was stopped had its own end, after all.
        if !failures.is_empty() && !timed_out.is_empty() {
            let mut failed: Vec<_> = failures.iter().filter_map(|failure| failure.index).collect();
            failed.sort_unstable();
            timed_out.retain(|index| failed.binary_search(index).is_err());
        }
        let cause = match cause {
            Some(Cause::Source { index, error }) => {
                return Err(LoopError::Source { index, error, failures, timed_out });
            }
            Some(Cause::TimedOut) => Some(Cause::TimedOut),
            Some(Cause::Cancelled) => Some(Cause::Cancelled),
            Some(Cause::Drained) => Some(Cause::Drained),
            Some(Cause::ConditionMet) => Some(Cause::ConditionMet),
            None => None,
        };
        Err(match cause {
            cause if !failures.is_empty() => LoopError::Failed { failures, timed_out, cause },
            cause if !timed_out.is_empty() || cause == Some(Cause::TimedOut) => {
                LoopError::TimedOut { timed_out, cause }
            }
            Some(Cause::Drained) => LoopError::Drained,
            Some(Cause::ConditionMet) => LoopError::ConditionMet,
            Some(_) => LoopError::Cancelled,
            None if cancelled => LoopError::Cancelled,
            None => return Ok(()),
        })
    }
}
