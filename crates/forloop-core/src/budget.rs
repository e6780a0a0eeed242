//! The cooperative budget: the work a loop does before it yields to its executor.

use crate::simulation::is_stepwise;

/// The number of body polls after which a loop yields.
pub(crate) const BUDGET: usize = 256;

/// The number of polls of woken bodies after which a loop yields. In a simulation it is one, so that any
/// other task may run between two polls.
#[inline]
pub(crate) fn budget() -> usize {
    if is_stepwise() { 1 } else { BUDGET }
}
