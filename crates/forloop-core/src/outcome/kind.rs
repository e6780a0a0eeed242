//! The kind of an outcome.

use super::Outcome;

/// The kind of an [`Outcome`]: its variant without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// The body returned a value.
    Ok,
    /// The body returned an error. Only `settle`, `race_ok`, the `try_` strategies and loops that
    /// [retry](crate::Loop::retry) distinguish an error from a value.
    Failed,
    /// The body panicked.
    Panicked,
    /// The body timed out.
    TimedOut,
    /// The body was cancelled.
    Cancelled,
    /// The body was never polled.
    NotRun,
}

impl OutcomeKind {
    /// Whether it is a failure: an error, a panic or a time-out.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Panicked | Self::TimedOut)
    }

    pub(crate) fn of<T>(outcome: &Outcome<T>, is_error: impl FnOnce(&T) -> bool) -> Self {
        match outcome {
            Outcome::Ok(returned) if is_error(returned) => Self::Failed,
            Outcome::Ok(_) => Self::Ok,
            Outcome::Err(never) => match *never {},
            Outcome::Panicked(_) => Self::Panicked,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::NotRun => Self::NotRun,
        }
    }
}
