//! An outcome without a value, as an error.

use core::error::Error;
use core::fmt;

use super::boxed::unboxed;
use super::chain::write_with_source;
use super::kind::OutcomeKind;
use super::panic::Panic;

/// Why a body has no value: [`Outcome::into_result`](crate::Outcome::into_result) returns it.
///
/// It is to an [`Outcome`](crate::Outcome) what tokio's `JoinError` is to the result of a task, and also holds the error that the body
/// returned. That error is its [`source`](Error::source). `{}` prints what happened to the body, and `{:#}` also its
/// error, as of a [`LoopError`](crate::LoopError).
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum BodyError<E> {
    /// The body returned this error.
    Failed(E),
    /// The body panicked.
    Panicked(Panic),
    /// The body timed out: its own time-out has passed, or the deadline of its loop.
    TimedOut,
    /// The process that ran the body died. How far the body got is not known.
    Lost,
    /// The body was cancelled before it completed.
    Cancelled,
    /// The body was never polled.
    NotRun,
}

impl<E> BodyError<E> {
    /// Returns the kind of the outcome.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Failed(_) => OutcomeKind::Failed,
            Self::Panicked(_) => OutcomeKind::Panicked,
            Self::TimedOut => OutcomeKind::TimedOut,
            Self::Lost => OutcomeKind::Lost,
            Self::Cancelled => OutcomeKind::Cancelled,
            Self::NotRun => OutcomeKind::NotRun,
        }
    }
}

impl<E: fmt::Display> fmt::Display for BodyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write_with_source(f, format_args!("the body failed"), error),
            Self::Panicked(panic) => write!(f, "the body {panic}"),
            Self::TimedOut => f.write_str("the body timed out"),
            Self::Lost => f.write_str("the body was lost"),
            Self::Cancelled => f.write_str("the body was cancelled"),
            Self::NotRun => f.write_str("the body was not run"),
        }
    }
}

impl<E: Error + 'static> Error for BodyError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(unboxed(error)),
            Self::Panicked(_) | Self::TimedOut | Self::Lost | Self::Cancelled | Self::NotRun => {
                None
            }
        }
    }
}
