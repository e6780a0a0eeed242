//! Why a loop, a group or a task did not give what was asked of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

/// One body's error, and which body it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure<E> {
    /// The item's index in the input, or the child's place in the order of spawning; `None` for
    /// the body of a group itself.
    pub index: Option<usize>,
    /// What the body returned.
    pub error: E,
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "body {index} failed: {}", self.error),
            None => write!(f, "the group's body failed: {}", self.error),
        }
    }
}

/// Why a loop or a group that stops at a failure has stopped.
///
/// The same type whether one body failed or many. It is an [`Error`] when the bodies' error is one,
/// and that error is its [`source`](Error::source). Where it is not (`anyhow::Error`,
/// `Box<dyn Error + Send + Sync>`, `String`), [`boxed`](Self::boxed) makes it one in front of a `?`.
///
/// Its message holds the first error's own, so that printing it says what happened; a printer that
/// follows the sources as well says that twice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopError<E> {
    /// Bodies failed: every error that really happened, the first in time first, never empty.
    Failed(Vec<Failure<E>>),
    /// The work was cancelled, or the runtime that ran it was shut down; no body failed.
    Cancelled,
}

impl<E> LoopError<E> {
    /// Returns every failure, the first in time first; empty if no body failed.
    pub fn failures(&self) -> &[Failure<E>] {
        match self {
            Self::Failed(failures) => failures,
            Self::Cancelled => &[],
        }
    }

    /// Returns the failure that came first in time and stopped the loop, if one did.
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
            Self::Failed(failures) => failures.into_iter().next(),
            Self::Cancelled => None,
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
    pub fn boxed(self) -> LoopError<BoxError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let boxed =
            |Failure { index, error }: Failure<E>| Failure { index, error: BoxError(error.into()) };
        match self {
            Self::Failed(failures) => LoopError::Failed(failures.into_iter().map(boxed).collect()),
            Self::Cancelled => LoopError::Cancelled,
        }
    }
}

impl<E: fmt::Display> fmt::Display for LoopError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures() {
            [] => f.write_str("cancelled"),
            [only] => only.fmt(f),
            [first, others @ ..] => write!(f, "{first} (and {} more)", others.len()),
        }
    }
}

impl<E: Error + 'static> Error for LoopError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.first().map(|failure| &failure.error as &(dyn Error + 'static))
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
