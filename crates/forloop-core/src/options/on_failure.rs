//! `on_failure`: a closure that is called with each failure and its item.

use core::fmt;
use core::time::Duration;

use futures_core::Stream;

use super::{ItemPolicy, ItemRule, OutcomeRule, Rule, WithRule};
use crate::item_map::ItemMap;
use crate::outcome::{StopReason, write_text};
use crate::{Event, Loop, Outcome, OutcomeKind, Panic};

impl<S: Stream, P, L, C, M> Loop<S, P, L, C, M> {
    /// Calls `on_failure` with each failure and its item, as soon as the loop knows it: for logs, metrics and alarms.
    ///
    /// A body has failed if it returned an error, timed out or panicked. The [`FailedAttempt`] prints as what happened.
    ///
    /// With [`retry`](Self::retry) the closure is called after each attempt that has failed. If the item is retried,
    /// the delay is in [`retry_after`](FailedAttempt::retry_after). If the loop stops during this delay, the closure is
    /// called again for the same attempt: its failure is the item's outcome. So each item that fails in the end has one
    /// failure without a delay.
    ///
    /// A body that the loop cancels has not failed. The result of the loop says which were cancelled by a deadline, a
    /// signal or the failure of another body. The loop calls the closure in its own task, between two polls of bodies,
    /// so it should be quick. A panic that is not [caught](Self::catch_panics) propagates after the closure was called
    /// with it.
    ///
    /// The item is cloned when it is pulled. Loop over references (`each(&urls)`) if a clone is expensive.
    ///
    /// # Costs
    ///
    /// A clone and an entry in a map for each item in the loop.
    ///
    /// # Panics
    ///
    /// If `on_failure` or the clone of an item panics, the panic propagates as one of the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let settled = forloop::each(["1", "two", "3"])
    ///     .limit(2)?
    ///     .on_failure(|text, failure| eprintln!("{text}: {failure}")) // two: failed: invalid digit found in string
    ///     .settle(async |text| text.parse::<u32>())
    ///     .await;
    /// assert_eq!(settled.errors().count(), 1);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// Where the closure uses the error as more than text, it names the error's type:
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::io::{Error, ErrorKind};
    ///
    /// use forloop::types::FailedAttempt;
    /// # async fn open(_: &str) -> Result<(), Error> { Err(Error::from(ErrorKind::NotFound)) }
    ///
    /// # futures_lite::future::block_on(async {
    /// let mut missing = Vec::new();
    /// let paths = ["a", "b"];
    /// let opened = forloop::each(paths)
    ///     .unbounded()
    ///     .on_failure(|path, failure: FailedAttempt<'_, Error>| {
    ///         if failure.error().is_some_and(|error| error.kind() == ErrorKind::NotFound) {
    ///             missing.push(*path);
    ///         }
    ///     })
    ///     .settle(open);
    /// opened.await;
    /// assert_eq!(missing, ["a", "b"]);
    /// # });
    /// ```
    #[doc(alias = "notify")]
    #[doc(alias = "inspect_err")]
    #[doc(alias = "on_error")]
    #[doc(alias = "tap_error")]
    pub fn on_failure<E, G, I>(
        self,
        on_failure: G,
    ) -> Loop<S, P, L, WithRule<C, OnFailure<I, G>>, M>
    where
        C: ItemPolicy<S::Item, Item = I>,
        I: Clone,
        G: FnMut(&I, FailedAttempt<'_, E>),
    {
        self.with_option(OnFailure { on_failure, items: ItemMap::new() })
    }
}

/// An attempt at an item that has failed: [`Loop::on_failure`] passes it on.
///
/// Its `Display` is for logs: `failed` with the error's message, `timed out`, `lost`, or `panicked` with the panic's. If
/// there is more than one attempt, it says which one this is, and when the next one follows: `failed: busy (attempt 1, retry
/// in 200ms)`.
#[non_exhaustive]
pub struct FailedAttempt<'a, E> {
    /// The item's index.
    pub index: usize,
    /// The number of the attempt, starting at 1.
    pub attempt: u32,
    /// The delay before the next attempt at the item; `None` if this failure is the item's outcome.
    pub retry_after: Option<Duration>,
    cause: FailureCause<'a, E>,
}

enum FailureCause<'a, E> {
    Failed(&'a E),
    Panicked(&'a Panic),
    TimedOut,
    Lost,
}

impl<'a, E> FailedAttempt<'a, E> {
    /// The error that the body returned; `None` if it timed out, panicked or was lost.
    pub fn error(&self) -> Option<&'a E> {
        match self.cause {
            FailureCause::Failed(error) => Some(error),
            FailureCause::Panicked(_) | FailureCause::TimedOut | FailureCause::Lost => None,
        }
    }

    /// The body's panic, if it panicked.
    pub fn panic(&self) -> Option<&'a Panic> {
        match self.cause {
            FailureCause::Panicked(panic) => Some(panic),
            FailureCause::Failed(_) | FailureCause::TimedOut | FailureCause::Lost => None,
        }
    }

    /// Whether the body failed, panicked, timed out or was lost.
    pub fn kind(&self) -> OutcomeKind {
        match self.cause {
            FailureCause::Failed(_) => OutcomeKind::Failed,
            FailureCause::Panicked(_) => OutcomeKind::Panicked,
            FailureCause::TimedOut => OutcomeKind::TimedOut,
            FailureCause::Lost => OutcomeKind::Lost,
        }
    }
}

impl<E: fmt::Display> fmt::Display for FailedAttempt<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            FailureCause::Failed(error) => {
                write!(f, "{}: ", self.kind())?;
                write_text(f, error)?;
            }
            FailureCause::Panicked(panic) => panic.fmt(f)?,
            FailureCause::TimedOut | FailureCause::Lost => self.kind().fmt(f)?,
        }
        match (self.attempt, self.retry_after) {
            (attempt, Some(delay)) => write!(f, " (attempt {attempt}, retry in {delay:?})"),
            (1, None) => Ok(()),
            (attempt, None) => write!(f, " (attempt {attempt})"),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for FailedAttempt<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedAttempt")
            .field("index", &self.index)
            .field("attempt", &self.attempt)
            .field("retry_after", &self.retry_after)
            .field("kind", &self.kind())
            .field("error", &self.error())
            .finish()
    }
}

/// Calls a closure with each failure and its item.
///
/// The item of a body that runs belongs to the body. So this option keeps a clone of each item until it completes.
#[derive(Clone)]
pub struct OnFailure<I, G> {
    on_failure: G,
    items: ItemMap<I>,
}

impl<I, G> Rule for OnFailure<I, G> {
    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        if let Event::Completed { index, .. } = *event {
            self.items.remove(index);
        }
        None
    }
}

impl<I: Clone, G> ItemRule<I> for OnFailure<I, G> {
    fn on_receive(&mut self, index: usize, item: &I) {
        self.items.insert(index, item.clone());
    }
}

impl<T, E, I, G: FnMut(&I, FailedAttempt<'_, E>)> OutcomeRule<Result<T, E>> for OnFailure<I, G> {
    fn on_failure(
        &mut self,
        index: usize,
        attempt: u32,
        outcome: &Outcome<Result<T, E>>,
        retry_after: Option<Duration>,
    ) {
        let cause = match outcome {
            Outcome::Ok(Err(error)) => FailureCause::Failed(error),
            Outcome::Panicked(panic) => FailureCause::Panicked(panic),
            Outcome::TimedOut => FailureCause::TimedOut,
            Outcome::Lost => FailureCause::Lost,
            Outcome::Ok(Ok(_)) | Outcome::Cancelled | Outcome::NotRun => return,
            Outcome::Err(never) => match *never {},
        };
        if let Some(item) = self.items.get(index) {
            (self.on_failure)(item, FailedAttempt { index, attempt, retry_after, cause });
        }
    }

    fn is_error(&self, returned: &Result<T, E>) -> bool {
        returned.is_err()
    }
}

impl<I, G> fmt::Debug for OnFailure<I, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnFailure").finish_non_exhaustive()
    }
}
