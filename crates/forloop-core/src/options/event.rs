//! What happens to the items of a loop, as its observers and stop conditions receive it.

use core::time::Duration;

use crate::OutcomeKind;

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
