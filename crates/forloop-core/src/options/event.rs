//! What happens to the items of a loop, as its observers and stop conditions receive it.

use core::time::Duration;

use crate::OutcomeKind;

/// Something that has happened to a loop or to one of its items.
///
/// The events of an item come in this order: [`Received`](Self::Received); [`Started`](Self::Started) once for each
/// attempt, with a [`Retried`](Self::Retried) after each attempt but the last; [`Completed`](Self::Completed) once.
/// An item whose body was never called has no `Started`.
///
/// An event has neither the item nor the error, so an observer is for loops of any type.
/// [`on_failure`](crate::Loop::on_failure) passes on both.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The loop has started.
    #[non_exhaustive]
    LoopStarted {
        /// The lower bound of the source's size hint.
        lower: usize,
        /// The upper bound of the source's size hint, if it has one.
        upper: Option<usize>,
    },
    /// An item was pulled from the source.
    #[non_exhaustive]
    Received {
        /// The item's index.
        index: usize,
    },
    /// The body is called with the item.
    #[non_exhaustive]
    Started {
        /// The item's index.
        index: usize,
        /// The attempt number, starting at 1.
        attempt: u32,
    },
    /// An attempt has failed, and the item will be retried.
    #[non_exhaustive]
    Retried {
        /// The item's index.
        index: usize,
        /// The number of the attempt that has failed, starting at 1.
        attempt: u32,
        /// Whether it failed or timed out. [`on_failure`](crate::Loop::on_failure) also has the error and the item.
        kind: OutcomeKind,
        /// The back-off: how long the loop waits before it retries the item.
        after: Duration,
    },
    /// The item has completed.
    #[non_exhaustive]
    Completed {
        /// The item's index.
        index: usize,
        /// The number of attempts: 0 if the body was never called.
        attempts: u32,
        /// The kind of its outcome.
        kind: OutcomeKind,
    },
}

impl Event {
    /// The item's index, if the event is about an item.
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
