//! The kind of an outcome.

use core::fmt;

/// The kind of an [`Outcome`](crate::Outcome): its variant without the value.
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
    /// The process that ran the body died.
    Lost,
    /// The body was cancelled.
    Cancelled,
    /// The body was never polled.
    NotRun,
}

impl OutcomeKind {
    /// Whether it is a failure: an error, a panic, a time-out or a loss.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Panicked | Self::TimedOut | Self::Lost)
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed out",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
            Self::NotRun => "not run",
        })
    }
}
