//! The results of bodies and loops: outcomes, errors, panics and interruptions.

mod bounded;
mod boxed;
mod error;
mod interrupted;
mod kind;
mod panic;
mod reasons;

pub(crate) use self::bounded::FirstOf;
pub use self::boxed::BoxError;
pub(crate) use self::boxed::unboxed;
pub(crate) use self::error::FailureIndex;
pub use self::error::{Cancelled, Closed, Failure, LoopError, ZeroLimit};
pub use self::interrupted::{Cause, Interrupted, StopReason};
pub(crate) use self::interrupted::{Interruption, SourceError, StopEffect};
pub use self::kind::OutcomeKind;
pub use self::panic::Panic;
pub(crate) use self::panic::catch;

use core::convert::Infallible;

/// The outcome of one body.
///
/// A body that does not return a `Result` cannot fail: its outcome is an `Outcome<T>`, which holds no
/// error. Variants may be added, so a `match` needs a wildcard arm.
#[derive(Debug)]
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

    /// Whether the body failed: it returned an error, panicked or timed out. A cancelled body has not failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Err(_) | Self::Panicked(_) | Self::TimedOut)
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
            Self::TimedOut | Self::Cancelled | Self::NotRun => None,
        }
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
            Outcome::Cancelled => Self::Cancelled,
            Outcome::NotRun => Self::NotRun,
        }
    }
}
