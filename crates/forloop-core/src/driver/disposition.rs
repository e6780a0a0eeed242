//! What becomes of completions, and of bodies that have timed out.

use crate::engine::Completion;

/// What becomes of a completion.
pub(super) enum Disposition<T> {
    /// It is passed on.
    Deliver(Completion<T>),
    /// Its item is retried.
    Retry,
    /// The loop keeps it: a panic, resumed when everything has stopped, or a failure that is passed on when the
    /// loop has drained.
    Kept,
}

/// What became of the bodies that have timed out.
pub(super) enum Expiry<T> {
    /// There were none.
    None,
    /// One has stopped, and this is its completion. There may be more.
    Completed(Completion<T>),
    /// None of them has completed, and the loop or the items that wait are not as they were.
    Progress,
}

/// Whether there is another attempt at an item after a completion.
pub(super) enum Retry {
    /// No option wants one.
    None,
    /// After a back-off.
    Planned,
    /// An option wants one, but the loop drains and starts nothing. The failure is final.
    Prevented,
}
