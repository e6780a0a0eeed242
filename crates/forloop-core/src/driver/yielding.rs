//! When a loop yields because its bodies do.

use crate::budget::is_turn_over;

/// Rounds in one turn after which the loop yields, if a body has yielded in one of them: to return to the
/// executor costs as much as many polls of bodies.
pub(super) const YIELDS: usize = 64;

/// Whether a loop yields in which a body has yielded: that wants other tasks to run, and not only its siblings.
///
/// Where bodies can time out, or the runtime lets the task do nothing more, that is after each round: tokio may wake what it
/// has refused at once. Where loops in bodies have used up the turn, it is at once.
#[inline(never)] // the registers are few where it is called
pub(super) fn must_yield(rounds: usize, has_signals: bool) -> bool {
    let is_one = has_signals || forloop_budget::is_exhausted();
    rounds >= if is_one { 1 } else { YIELDS } || is_turn_over()
}
