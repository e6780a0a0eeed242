//! How long a loop keeps its executor from everything else.

use crate::simulation::is_stepwise;

/// Body polls after which the executor gets a turn.
pub(crate) const BUDGET: usize = 256;

/// Polls of woken bodies after which the executor gets a turn: in a simulation each, so that any other task
/// may come between two.
#[inline]
pub(crate) fn budget() -> usize {
    if is_stepwise() { 1 } else { BUDGET }
}
