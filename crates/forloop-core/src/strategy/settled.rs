//! What [`settle`](crate::Loop::settle) returns.

use alloc::vec::{self, Vec};
use core::convert::Infallible;
use core::fmt;
use core::ops::Index;
use core::slice::{self, SliceIndex};

use super::failures::Failures;
use crate::outcome::FirstOf;
use crate::{Interrupted, LoopError, Outcome, Summary};

/// One outcome for each item, in input order.
///
/// It iterates over [`Outcome`]s, and `settled[index]` is the one of an item. Its `Debug` output is bounded: it has the
/// first outcomes, and how many more there are.
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
/// assert_eq!(format!("{error:#}"), "body 1 failed: invalid digit found in string");
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
    pub(super) fn new(
        outcomes: Vec<Outcome<T, E>>,
        interrupted: Option<Interrupted<(), S>>,
        retried: Vec<(usize, u32)>,
    ) -> Self {
        Self { outcomes, interrupted, retried }
    }

    /// Returns how many items have succeeded, failed, timed out and so on: a line for a log.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let parse = async |text: &str| text.parse::<u32>();
    /// let settled = forloop::settle([parse("1"), parse("two"), parse("3")]).await;
    /// assert_eq!(settled.summary().to_string(), "2 ok, 1 failed");
    /// # });
    /// ```
    pub fn summary(&self) -> Summary {
        Summary { retried: self.retried.len(), ..self.iter().collect() }
    }

    /// Iterates over the items, which are those of the loop, each with its index and its outcome.
    ///
    /// An item that was not pulled, because the loop was interrupted, has the outcome [`Outcome::NotRun`]. It ends
    /// with `items`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let texts = ["1", "two"];
    /// let settled = forloop::each(texts).unbounded().settle(async |text| text.parse::<u32>()).await;
    /// let lines: Vec<String> = settled
    ///     .with_items(texts)
    ///     .map(|(index, text, outcome)| format!("{index}. {text}: {outcome}"))
    ///     .collect();
    /// assert_eq!(lines, ["0. 1: ok", "1. two: failed: invalid digit found in string"]);
    /// # });
    /// ```
    pub fn with_items<I: IntoIterator>(
        self,
        items: I,
    ) -> impl Iterator<Item = (usize, I::Item, Outcome<T, E>)> {
        let mut outcomes = self.outcomes.into_iter();
        items
            .into_iter()
            .enumerate()
            .map(move |(index, item)| (index, item, outcomes.next().unwrap_or(Outcome::NotRun)))
    }

    /// Returns how many outcomes there are: one for each item that was pulled.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Returns whether there is no outcome.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// Returns the outcome of the item with this index. `None` if it was not pulled.
    pub fn get(&self, index: usize) -> Option<&Outcome<T, E>> {
        self.outcomes.get(index)
    }

    /// Iterates over the outcomes, in input order.
    pub fn iter(&self) -> slice::Iter<'_, Outcome<T, E>> {
        self.outcomes.iter()
    }

    /// Returns the outcomes as a slice.
    pub fn as_slice(&self) -> &[Outcome<T, E>] {
        &self.outcomes
    }

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
    /// It is more than 1 only in a loop that [retries](crate::Loop::retry). It is 0 if there is no such item or its
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
    /// As [`try_gather`](crate::Loop::try_gather), with every failure in input order.
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

/// `settled[index]` is the outcome of the item with this index, and `settled[..]` the slice of all.
impl<T, E, S, I: SliceIndex<[Outcome<T, E>]>> Index<I> for Settled<T, E, S> {
    type Output = I::Output;

    fn index(&self, index: I) -> &I::Output {
        &self.outcomes[index]
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
