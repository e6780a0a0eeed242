//! Why a loop does not start more bodies, or nothing any more.

use crate::Panic;
use crate::engine::End;

/// Why no more bodies are started for now.
pub(super) enum Pause<B, T> {
    /// The source has no item yet.
    NoItem,
    /// The source has run dry.
    Dry,
    /// As many run as may.
    NoRoom,
    /// As many were started in a row as may be.
    Quota,
    /// Whoever is told the ends has had enough.
    Enough(B),
    /// A body had an end that must be looked at.
    Ended(End<T>),
    /// The source gave an error.
    SourceFailed,
    /// The source, or the timer that a body's time is measured with.
    Panicked(Panic),
}

/// The deadline has passed: what was woken by then has its turn, and nothing after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastRound {
    No,
    Due,
    Begun,
}
