//! Why a loop, a group or a task did not give what was asked of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use super::StopReason;
use super::interrupted::SourceError;
use crate::{Cause, Interrupted};

/// One body's error, and which body it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure<E> {
    /// The item's index in the input, or the child's place in the order of spawning; `None` for
    /// the body of a group itself.
    pub index: Option<usize>,
    /// How many attempts there were: more than one only in a loop that [retries](crate::Loop::retry).
    pub attempts: u32,
    /// What the body returned, the last time.
    pub error: E,
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, self.attempts) {
            (Some(index), 0 | 1) => write!(f, "body {index} failed: {}", self.error),
            (Some(index), attempts) => {
                write!(f, "body {index} failed {attempts} times: {}", self.error)
            }
            (None, _) => write!(f, "the group's body failed: {}", self.error),
        }
    }
}

/// Why a loop or a group that stops at a failure has stopped.
///
/// The same type whether one body failed or many. Of several reasons the gravest names the variant:
/// errors before time-outs before cancellation; a panic is no value and goes on in the caller. `E`
/// is the bodies' error and `S` the source's, which only loops begun with
/// [`try_each`](crate::try_each) have.
///
/// It is an [`Error`] when the bodies' error is one, and that error is its
/// [`source`](Error::source). Where it is not (`anyhow::Error`, `Box<dyn Error + Send + Sync>`,
/// `String`), [`boxed`](Self::boxed) makes it one in front of a `?`.
///
/// Its message holds the first error's own, so that printing it says what happened; a printer that
/// follows the sources as well says that twice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopError<E, S = Infallible> {
    /// Bodies failed.
    #[non_exhaustive]
    Failed {
        /// Every error that really happened, the first in time first, never empty.
        failures: Vec<Failure<E>>,
        /// The indices of the bodies that had no time left, in ascending order.
        timed_out: Vec<usize>,
        /// What has cut the loop or group short, if not the failures alone have ended it: those of a
        /// race and of a supervised group stop nobody.
        cause: Option<Cause>,
    },
    /// The source failed to give an item.
    #[non_exhaustive]
    Source {
        /// The index that the item would have had.
        index: usize,
        /// What the source gave instead.
        error: S,
        /// Errors of bodies that happened until the loop had stopped, the first in time first.
        failures: Vec<Failure<E>>,
        /// The indices of the bodies that had no time left, in ascending order.
        timed_out: Vec<usize>,
    },
    /// Bodies had no time left: their own time-out or the deadline had passed. No body failed.
    #[non_exhaustive]
    TimedOut {
        /// Their indices, in ascending order; those of a group are its children's places.
        timed_out: Vec<usize>,
        /// What has cut the loop or group short; `None` if it has stopped at a body whose own time
        /// had passed.
        cause: Option<Cause>,
    },
    /// The work was cancelled, or the runtime that ran it was shut down; no body failed.
    Cancelled,
    /// The loop was asked to [finish what runs](crate::Loop::drain_on) before its end; no body failed.
    Drained,
    /// The loop's [stop policy](crate::Loop::stop_on_counts) had seen enough; no body failed.
    ConditionMet,
    /// There was no item, and so no first one: an empty race has no winner.
    Empty,
    /// Each body succeeded, and more were wanted: there were too few items.
    #[non_exhaustive]
    TooFew {
        /// How many there were.
        succeeded: usize,
        /// How many were wanted.
        wanted: usize,
    },
}

impl<E, S> LoopError<E, S> {
    /// The error of a loop or group that was stopped for this reason, without a failure. `timed_out` are the
    /// indices of the bodies that timed out, if the deadline is the reason.
    pub(crate) fn stopped(reason: StopReason, timed_out: Vec<usize>) -> Self {
        match reason {
            StopReason::TimedOut => Self::TimedOut { timed_out, cause: Some(reason.into()) },
            StopReason::Cancelled => Self::Cancelled,
            StopReason::Drained => Self::Drained,
            StopReason::ConditionMet => Self::ConditionMet,
        }
    }

    /// Returns every failure, the first in time first; empty if no body failed.
    pub fn failures(&self) -> &[Failure<E>] {
        match self {
            Self::Failed { failures, .. } | Self::Source { failures, .. } => failures,
            _ => &[],
        }
    }

    /// Returns the failure that came first in time, if a body failed.
    pub fn first(&self) -> Option<&Failure<E>> {
        self.failures().first()
    }

    /// Returns the error of the body with this index, if it failed.
    pub fn get(&self, index: usize) -> Option<&E> {
        let failure = self.failures().iter().find(|failure| failure.index == Some(index));
        failure.map(|failure| &failure.error)
    }

    /// Returns the failure that came first in time, and lets go of the others.
    pub fn into_first(self) -> Option<Failure<E>> {
        match self {
            Self::Failed { failures, .. } | Self::Source { failures, .. } => {
                failures.into_iter().next()
            }
            _ => None,
        }
    }

    /// Returns the indices of the bodies that had no time left.
    pub fn timed_out(&self) -> &[usize] {
        match self {
            Self::Failed { timed_out, .. }
            | Self::Source { timed_out, .. }
            | Self::TimedOut { timed_out, .. } => timed_out,
            Self::Cancelled
            | Self::Drained
            | Self::ConditionMet
            | Self::Empty
            | Self::TooFew { .. } => &[],
        }
    }

    /// Returns what has cut the loop or group short, if something has.
    pub fn cause(&self) -> Option<Cause<&S>> {
        match self {
            Self::Failed { cause, .. } | Self::TimedOut { cause, .. } => {
                cause.clone().map(Cause::widen)
            }
            Self::Source { index, error, .. } => Some(Cause::Source { index: *index, error }),
            Self::Cancelled => Some(Cause::Cancelled),
            Self::Drained => Some(Cause::Drained),
            Self::ConditionMet => Some(Cause::ConditionMet),
            Self::Empty | Self::TooFew { .. } => None,
        }
    }

    /// Makes every failure's error a [`BoxError`], so that `?` accepts it everywhere.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::error::Error;
    ///
    /// use forloop::LoopError;
    ///
    /// async fn parse(texts: Vec<&str>) -> Result<Vec<u32>, Box<dyn Error>> {
    ///     let parsed = forloop::each(texts).unbounded().try_gather(async |text| {
    ///         text.parse::<u32>().map_err(|error| format!("`{text}`: {error}"))
    ///     });
    ///     Ok(parsed.await.map_err(LoopError::boxed)?)
    /// }
    /// # let error = futures_lite::future::block_on(parse(vec!["1", "two"])).unwrap_err();
    /// # assert_eq!(error.to_string(), "body 1 failed: `two`: invalid digit found in string");
    /// ```
    pub fn boxed(self) -> LoopError<BoxError, S>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let boxed = |failures: Vec<Failure<E>>| {
            let boxed = |failure: Failure<E>| Failure {
                index: failure.index,
                attempts: failure.attempts,
                error: BoxError(failure.error.into()),
            };
            failures.into_iter().map(boxed).collect()
        };
        match self {
            Self::Failed { failures, timed_out, cause } => {
                LoopError::Failed { failures: boxed(failures), timed_out, cause }
            }
            Self::Source { index, error, failures, timed_out } => {
                LoopError::Source { index, error, failures: boxed(failures), timed_out }
            }
            Self::TimedOut { timed_out, cause } => LoopError::TimedOut { timed_out, cause },
            Self::Cancelled => LoopError::Cancelled,
            Self::Drained => LoopError::Drained,
            Self::ConditionMet => LoopError::ConditionMet,
            Self::Empty => LoopError::Empty,
            Self::TooFew { succeeded, wanted } => LoopError::TooFew { succeeded, wanted },
        }
    }
}

impl<E, Y, S> From<Interrupted<Y, S>> for LoopError<E, S> {
    fn from(interrupted: Interrupted<Y, S>) -> Self {
        let timed_out = interrupted.pending;
        match interrupted.cause.into_reason() {
            Ok(reason) => Self::stopped(reason, timed_out),
            Err(SourceError { index, error }) => {
                Self::Source { index, error, failures: Vec::new(), timed_out: Vec::new() }
            }
        }
    }
}

impl<E: fmt::Display, S: fmt::Display> fmt::Display for LoopError<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { failures, timed_out, .. } => {
                match failures.first() {
                    Some(first) => first.fmt(f)?,
                    None => f.write_str("bodies failed")?,
                }
                match failures.len() + timed_out.len() {
                    0 | 1 => Ok(()),
                    more => write!(f, " (and {} more)", more - 1),
                }
            }
            Self::Source { index, error, .. } => {
                write!(f, "the source failed at item {index}: {error}")
            }
            Self::TimedOut { timed_out, .. } => match timed_out[..] {
                [] => f.write_str("no time was left"),
                [only] => write!(f, "body {only} had no time left"),
                [first, ..] => {
                    write!(f, "body {first} had no time left (and {} more)", timed_out.len() - 1)
                }
            },
            Self::Cancelled => f.write_str("cancelled"),
            Self::Drained => f.write_str("asked to finish before the end"),
            Self::ConditionMet => f.write_str("stopped, for the stop policy had seen enough"),
            Self::Empty => f.write_str("there was no item"),
            Self::TooFew { succeeded, wanted } => {
                write!(f, "{wanted} bodies were to succeed, and there were only {succeeded}")
            }
        }
    }
}

impl<E: Error + 'static, S: Error + 'static> Error for LoopError<E, S> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source { error, .. } => Some(error),
            _ => self.first().map(|failure| &failure.error as &(dyn Error + 'static)),
        }
    }
}

/// An error of any type that is an [`Error`] itself, which `Box<dyn Error>` is not.
#[derive(Debug)]
pub struct BoxError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BoxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// A task was stopped before it had a value: it was cancelled, its group refused it or ended
/// without it, or its runtime was shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was cancelled")
    }
}

impl Error for Cancelled {}

/// A limit of zero: such a loop would never run a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroLimit;

impl fmt::Display for ZeroLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limit of a loop is at least 1")
    }
}

impl Error for ZeroLimit {}

/// A group that is cancelled or has ended takes no more children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group is closed and takes no more children")
    }
}

impl Error for Closed {}
