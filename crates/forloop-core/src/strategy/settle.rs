//! `settle`: every outcome, good or bad, in input order.

use alloc::vec::{self, Vec};
use core::convert::Infallible;
use core::fmt;
use core::ops::Deref;
use core::slice;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::failures::Failures;
use super::gather::unfinished;
use crate::admission::AttemptLog;
use crate::body::TryBody;
use crate::engine::{Completion, OrderedBuffer};
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::outcome::FirstOf;
use crate::place::{BodySet, Dispatch, Place};
use crate::{Interrupted, LimitSet, Loop, LoopError, Outcome, each};

/// Runs every future concurrently to completion and returns every outcome in input order.
///
/// Equivalent to Python's `asyncio.gather(..., return_exceptions=True)` and JavaScript's
/// `Promise.allSettled`.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::Outcome;
///
/// let parse = async |text: &str| text.parse::<u32>();
/// let outcomes = forloop::settle([parse("one"), parse("2")]).await;
/// assert!(matches!(outcomes[..], [Outcome::Err(_), Outcome::Ok(2)]));
/// # });
/// ```
///
/// # Panics
///
/// If a future panics, the others are dropped and the panic propagates to the caller.
/// [`Loop::catch_panics`] makes it an outcome instead.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before `drop` returns.
#[doc(alias = "allSettled")]
#[doc(alias = "return_exceptions")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn settle<I, N, F, T, E>(futures: I) -> impl Future<Output = Settled<T, E>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().settle(|future| future)
}

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies to completion, up to the limit at once, and returns one outcome per item, in
    /// input order.
    ///
    /// No body's failure stops the loop. The outcome at index `i` is that of item `i`.
    ///
    /// A loop that was interrupted, or whose runtime was shut down, has an outcome for every item that
    /// was pulled, and [`Settled::interrupted`] says why. [`pad_to`](Settled::pad_to) adds outcomes for
    /// the items that were not pulled.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::Outcome;
    ///
    /// let parsed = forloop::each(["1", "two", "3"])
    ///     .limit(2)?
    ///     .settle(|text| async move { text.parse::<u32>() })
    ///     .await;
    /// for (index, outcome) in parsed.iter().enumerate() {
    ///     if let Outcome::Err(error) = outcome {
    ///         eprintln!("item {index}: {error}");
    ///     }
    /// }
    /// assert_eq!(parsed.into_iter().filter_map(Outcome::ok).sum::<u32>(), 4);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the caller. With [`catch_panics`](Self::catch_panics) a body's panic
    /// is its outcome.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "allSettled")]
    #[doc(alias = "return_exceptions")]
    pub fn settle<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Settled<T, E, C::SourceError>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: TryBody<T, E>,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, I>>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(
            self.drive(body, Some(Result::is_err)),
            Settle { outcomes: OrderedBuffer::new() },
        )
    }
}

struct Settle<T, E> {
    outcomes: OrderedBuffer<Outcome<T, E>>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for Settle<T, E> {
    type Collected = Settled<T, E, C::SourceError>;

    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::BATCHED;
    const ATTEMPT_LOG: AttemptLog = AttemptLog::All;

    fn expect(&mut self, least: usize) {
        self.outcomes.expect(least);
    }

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        // `finish` fills the gap that a cancelled body leaves: its outcome depends on the cause.
        if !matches!(completion.outcome, Outcome::Cancelled) {
            self.outcomes.put(completion.index, completion.outcome.into());
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        let LoopEnd { started, interrupted, retried } = end;
        let outcomes = match &interrupted {
            None => self.outcomes.into_vec(),
            Some(interrupted) => {
                let unfinished = unfinished(&interrupted.cause);
                let outcomes = self.outcomes.into_options(started).into_iter();
                outcomes.map(|outcome| outcome.unwrap_or_else(unfinished)).collect()
            }
        };
        Settled { outcomes, interrupted, retried }
    }
}

/// One outcome for each item, in input order.
///
/// It dereferences to a slice of [`Outcome`]s, and iterates over them. Its `Debug` output is bounded: it has the first
/// outcomes, and how many more there are.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let parse = async |text: &str| text.parse::<u32>();
/// let settled = forloop::settle([parse("1"), parse("two")]).await;
/// assert!(settled[0].is_ok() && settled[1].is_failure());
/// for (index, error) in settled.errors() {
///     eprintln!("item {index}: {error}");
/// }
/// let error = settled.into_result().unwrap_err();
/// assert_eq!(error.to_string(), "body 1 failed: invalid digit found in string");
/// # });
/// ```
#[must_use = "the failures of the bodies are in here"]
pub struct Settled<T, E, S = Infallible> {
    outcomes: Vec<Outcome<T, E>>,
    interrupted: Option<Interrupted<(), S>>,
    /// Index and attempts of the items that were retried, by ascending index.
    retried: Vec<(usize, u32)>,
}

impl<T, E, S> Settled<T, E, S> {
    /// Returns what interrupted the loop, if anything did.
    pub fn interrupted(&self) -> Option<&Interrupted<(), S>> {
        self.interrupted.as_ref()
    }

    /// Returns the errors that bodies returned, each with its index.
    pub fn errors(&self) -> impl Iterator<Item = (usize, &E)> {
        self.iter().enumerate().filter_map(|(index, outcome)| match outcome {
            Outcome::Err(error) => Some((index, error)),
            _ => None,
        })
    }

    /// Returns the number of attempts at the item with this index.
    ///
    /// It is more than 1 only in a loop that [retries](Loop::retry). It is 0 if there is no such item or its
    /// body was not called.
    pub fn attempts(&self, index: usize) -> u32 {
        match self.retried.binary_search_by_key(&index, |&(index, _)| index) {
            Ok(found) => self.retried[found].1,
            Err(_) => match self.outcomes.get(index) {
                Some(Outcome::NotRun) | None => 0,
                Some(_) => 1,
            },
        }
    }

    /// Appends [`Outcome::NotRun`] for items that were never pulled, up to `items` outcomes in all.
    ///
    /// A loop that was interrupted does not know how many more items its source had.
    pub fn pad_to(mut self, items: usize) -> Self {
        let missing = items.saturating_sub(self.outcomes.len());
        self.outcomes.extend(core::iter::repeat_with(|| Outcome::NotRun).take(missing));
        self
    }

    /// Returns the outcomes.
    pub fn into_vec(self) -> Vec<Outcome<T, E>> {
        self.outcomes
    }

    /// Returns every value in input order, if every body succeeded.
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Loop::try_gather), with every failure in input order.
    ///
    /// # Panics
    ///
    /// Resumes a body's panic, if one was caught.
    pub fn into_result(self) -> Result<Vec<T>, LoopError<E, S>> {
        let mut failures = Failures::new();
        let mut values = Vec::with_capacity(self.outcomes.len());
        for (index, outcome) in self.outcomes.into_iter().enumerate() {
            values.extend(failures.split_outcome(0, index, outcome));
        }
        failures.with_attempts(&self.retried).into_result(self.interrupted)?;
        Ok(values)
    }
}

impl<T: fmt::Debug, E: fmt::Debug, S: fmt::Debug> fmt::Debug for Settled<T, E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled")
            .field("outcomes", &FirstOf(&self.outcomes))
            .field("interrupted", &self.interrupted)
            .field("retried", &FirstOf(&self.retried))
            .finish()
    }
}

impl<T, E, S> Deref for Settled<T, E, S> {
    type Target = [Outcome<T, E>];

    fn deref(&self) -> &[Outcome<T, E>] {
        &self.outcomes
    }
}

impl<T, E, S> IntoIterator for Settled<T, E, S> {
    type Item = Outcome<T, E>;
    type IntoIter = vec::IntoIter<Outcome<T, E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.outcomes.into_iter()
    }
}

impl<'a, T, E, S> IntoIterator for &'a Settled<T, E, S> {
    type Item = &'a Outcome<T, E>;
    type IntoIter = slice::Iter<'a, Outcome<T, E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.outcomes.iter()
    }
}
