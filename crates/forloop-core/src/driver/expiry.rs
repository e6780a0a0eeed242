//! What becomes of bodies that have timed out.

use crate::engine::Completion;

/// What has become of the bodies that have timed out.
pub(super) enum Expiry<T> {
    /// There were none.
    None,
    /// One has stopped, and this is its completion. There may be more.
    Completed(Completion<T>),
    /// None has completed, but the phase or the admission queue has changed.
    Progress,
}
