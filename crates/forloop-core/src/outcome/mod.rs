//! The results of bodies and loops: outcomes, errors, panics and interruptions.

mod body_error;
mod bounded;
mod boxed;
mod chain;
mod error;
mod interrupted;
mod kind;
mod panic;
mod reasons;
mod summary;

pub use self::body_error::BodyError;
pub(crate) use self::bounded::FirstOf;
pub use self::boxed::BoxError;
pub(crate) use self::boxed::unboxed;
pub(crate) use self::chain::{write_text, write_with_source};
pub use self::error::FailureIndex;
pub use self::error::{Cancelled, Closed, Failure, LoopError, TimedOut, ZeroLimit};
pub use self::interrupted::{Cause, Interrupted, StopReason};
pub(crate) use self::interrupted::{Interruption, SourceError, StopEffect};
pub use self::kind::OutcomeKind;
pub use self::panic::Panic;
pub(crate) use self::panic::catch;
pub use self::summary::Summary;

use core::convert::Infallible;
use core::fmt;

/// The outcome of one body.
///
/// A body that does not return a `Result` cannot fail: its outcome is an `Outcome<T>`, which holds no
/// error. Variants may be added, so a `match` needs a wildcard arm.
///
/// Its `Display` is for logs: `ok`, `failed` with the error's message, `panicked` with the panic's, `timed out`, `lost`,
/// `cancelled` or `not run`. To get a `Result`, use [`into_result`](Self::into_result).
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome<T, E = Infallible> {
    /// The body returned this value.
    Ok(T),
    /// The body returned this error.
    Err(E),
    /// The body panicked.
    Panicked(Panic),
    /// The body timed out: its own time-out has passed, or the deadline of its loop.
    TimedOut,
    /// The process that ran the body died. How far the body got is not known.
    ///
    /// It is the outcome at places where bodies run in other processes. A strategy that returns an outcome for each item
    /// returns it; one that stops at failures returns [`LoopError::Lost`]; any other panics, as at a body that panicked.
    Lost,
    /// The body was cancelled before it completed.
    Cancelled,
    /// The body was never polled: its loop was interrupted, or its task cancelled, before that.
    NotRun,
}

impl<T, E> Outcome<T, E> {
    /// Whether the body returned a value.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }

    /// Whether the body failed: it returned an error, panicked, timed out or was lost. A cancelled body has not failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Err(_) | Self::Panicked(_) | Self::TimedOut | Self::Lost)
    }

    /// Returns the kind of the outcome.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Ok(_) => OutcomeKind::Ok,
            Self::Err(_) => OutcomeKind::Failed,
            Self::Panicked(_) => OutcomeKind::Panicked,
            Self::TimedOut => OutcomeKind::TimedOut,
            Self::Lost => OutcomeKind::Lost,
            Self::Cancelled => OutcomeKind::Cancelled,
            Self::NotRun => OutcomeKind::NotRun,
        }
    }

    /// Applies `f` to the value, if the body returned one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U, E> {
        self.map_both(f, |error| error)
    }

    /// Applies `f` to the error, if the body returned one.
    pub fn map_err<X>(self, f: impl FnOnce(E) -> X) -> Outcome<T, X> {
        self.map_both(|value| value, f)
    }

    fn map_both<U, X>(
        self,
        map: impl FnOnce(T) -> U,
        map_err: impl FnOnce(E) -> X,
    ) -> Outcome<U, X> {
        match self {
            Self::Ok(value) => Outcome::Ok(map(value)),
            Self::Err(error) => Outcome::Err(map_err(error)),
            Self::Panicked(panic) => Outcome::Panicked(panic),
            Self::TimedOut => Outcome::TimedOut,
            Self::Lost => Outcome::Lost,
            Self::Cancelled => Outcome::Cancelled,
            Self::NotRun => Outcome::NotRun,
        }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// Any other outcome, as a [`BodyError`]. A panic that was caught is one of them, and is not resumed.
    ///
    /// # Examples
    ///
    /// ```
    /// use forloop_core::Outcome;
    ///
    /// fn first(outcomes: Vec<Outcome<u32, std::num::ParseIntError>>) -> Result<u32, Box<dyn std::error::Error>> {
    ///     let outcome = outcomes.into_iter().next().ok_or("no items")?;
    ///     Ok(outcome.into_result()?)
    /// }
    /// assert_eq!(first(vec![Outcome::TimedOut]).unwrap_err().to_string(), "the body timed out");
    /// ```
    pub fn into_result(self) -> Result<T, BodyError<E>> {
        match self {
            Self::Ok(value) => Ok(value),
            Self::Err(error) => Err(BodyError::Failed(error)),
            Self::Panicked(panic) => Err(BodyError::Panicked(panic)),
            Self::TimedOut => Err(BodyError::TimedOut),
            Self::Lost => Err(BodyError::Lost),
            Self::Cancelled => Err(BodyError::Cancelled),
            Self::NotRun => Err(BodyError::NotRun),
        }
    }

    /// Returns the value, if the body returned one.
    pub fn ok(self) -> Option<T> {
        match self {
            Self::Ok(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the error, if the body returned one.
    pub fn err(self) -> Option<E> {
        match self {
            Self::Err(error) => Some(error),
            _ => None,
        }
    }

    /// Returns what the body returned, or `None` if it did not return.
    ///
    /// # Panics
    ///
    /// Resumes the body's panic if it panicked.
    pub fn returned(self) -> Option<Result<T, E>> {
        match self {
            Self::Ok(value) => Some(Ok(value)),
            Self::Err(error) => Some(Err(error)),
            Self::Panicked(panic) => panic.resume(),
            Self::TimedOut | Self::Lost | Self::Cancelled | Self::NotRun => None,
        }
    }
}

impl<T> Outcome<T> {
    /// Returns the kind of the outcome of a body whose value may be an error.
    pub(crate) fn kind_by(&self, is_error: impl FnOnce(&T) -> bool) -> OutcomeKind {
        match self {
            Self::Ok(returned) if is_error(returned) => OutcomeKind::Failed,
            outcome => outcome.kind(),
        }
    }
}

impl<T, E> From<Outcome<T, E>> for Result<T, BodyError<E>> {
    fn from(outcome: Outcome<T, E>) -> Self {
        outcome.into_result()
    }
}

impl<T, E> From<Outcome<Result<T, E>>> for Outcome<T, E> {
    fn from(outcome: Outcome<Result<T, E>>) -> Self {
        match outcome {
            Outcome::Ok(Ok(value)) => Self::Ok(value),
            Outcome::Ok(Err(error)) => Self::Err(error),
            Outcome::Err(never) => match never {},
            Outcome::Panicked(panic) => Self::Panicked(panic),
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Lost => Self::Lost,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::NotRun => Self::NotRun,
        }
    }
}

impl<T, E: fmt::Display> fmt::Display for Outcome<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Err(error) => {
                write!(f, "{}: ", self.kind())?;
                write_text(f, error)
            }
            Self::Panicked(panic) => panic.fmt(f),
            outcome => outcome.kind().fmt(f),
        }
    }
}
