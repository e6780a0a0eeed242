//! How one body ended, without what it holds.

use crate::Outcome;

/// The way in which an item's body has ended: an [`Outcome`] without what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// It returned a value.
    Ok,
    /// It returned an error. Only strategies for bodies that may fail know an error from a value: `settle`,
    /// `race_ok` and the `try_` ones; and those that [retry](crate::Loop::retry).
    Failed,
    /// It panicked.
    Panicked,
    /// It had no time left.
    TimedOut,
    /// It was stopped.
    Cancelled,
    /// It was never polled.
    NotRun,
}

impl OutcomeKind {
    /// Whether it is a failure: an error, a panic, or too little time.
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
