//! What happens to the items of a loop, as its observers and stop policies hear of it.

use core::time::Duration;

use crate::Outcome;

/// Something that has happened to an item of a loop, or to the loop itself.
///
/// For each item come, in this order: [`Received`](Self::Received); [`Started`](Self::Started) once for each
/// attempt, with a [`Retried`](Self::Retried) after each but the last; [`Completed`](Self::Completed), once. An item whose
/// body was never called has no `Started`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The loop has begun.
    #[non_exhaustive]
    LoopStarted {
        /// How many items its source says it has, at least.
        least: usize,
        /// How many it says it has at most, if it says so.
        most: Option<usize>,
    },
    /// An item was pulled from the source.
    #[non_exhaustive]
    Received {
        /// Which.
        index: usize,
    },
    /// The body is called with the item.
    #[non_exhaustive]
    Started {
        /// Which item.
        index: usize,
        /// The how many-th time, from 1.
        attempt: u32,
    },
    /// An attempt has failed, and there will be another one.
    #[non_exhaustive]
    Retried {
        /// Which item.
        index: usize,
        /// The attempt that has failed, from 1.
        attempt: u32,
        /// How long the loop waits before the next.
        after: Duration,
    },
    /// The item is done with.
    #[non_exhaustive]
    Completed {
        /// Which.
        index: usize,
        /// How many attempts there were; none if its body was never called.
        attempts: u32,
        /// In which way.
        how: OutcomeKind,
    },
}

impl Event {
    /// The item's index, if it is about an item.
    pub fn index(&self) -> Option<usize> {
        match *self {
            Self::LoopStarted { .. } => None,
            Self::Received { index }
            | Self::Started { index, .. }
            | Self::Retried { index, .. }
            | Self::Completed { index, .. } => Some(index),
        }
    }
}

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
