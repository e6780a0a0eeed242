//! How bodies and loops end: outcomes, errors, panics and interruptions.

mod error;
mod interrupted;
mod kind;
mod panic;

pub use self::error::{BoxError, Cancelled, Closed, Failure, LoopError, ZeroLimit};
pub use self::interrupted::{Cause, Interrupted, StopReason};
pub(crate) use self::interrupted::{Cut, SourceError, StopEffect};
pub use self::kind::OutcomeKind;
pub use self::panic::Panic;
pub(crate) use self::panic::catch;

use core::convert::Infallible;

/// How one body ended.
///
/// A body that returns no `Result` cannot fail: its outcome is an `Outcome<T>`, which has no error
/// to hold. More ways to end may come, so a `match` has a last arm for them.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<T, E = Infallible> {
    /// The body returned this value.
    Ok(T),
    /// The body returned this error.
    Err(E),
    /// The body panicked.
    Panicked(Panic),
    /// The body had no time left: its own time-out has passed, or its loop's deadline.
    TimedOut,
    /// The body was stopped before it had finished.
    Cancelled,
    /// The body was never polled: its loop was cut short, or its task stopped, before its turn came.
    NotRun,
}

impl<T, E> Outcome<T, E> {
    /// Whether the body returned a value.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }

    /// Whether the body failed: an error, a panic, or too little time. To be cancelled is no failure
    /// of a body.
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

    /// Returns what the body returned, or `None` if it came to no end of its own.
    ///
    /// # Panics
    ///
    /// Goes on with the body's panic if it panicked.
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
