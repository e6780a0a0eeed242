//! What the driver of a group asks of its children, wherever they run.

use alloc::vec::Vec;
use core::task::{Context, Poll};

use super::group_state::GroupState;
use crate::Panic;

/// The children of a group.
pub(super) trait Children {
    /// The children's error.
    type Error;

    /// The handle of a child without a value: it completes when this is dropped.
    type Handle;

    /// Whether the group polls them in its own task.
    const ARE_INLINE: bool;

    /// What the handles of the group share with its driver. Children count themselves as completed.
    fn state(&self) -> &GroupState;

    /// A child's failure does not stop the group.
    fn supervise(&mut self);

    /// Begins a pass over what has arrived and was reported by now.
    fn begin_pass(&mut self);

    /// Does one step of a pass: starts or polls one child, or takes one report. `None` if the pass is over, and
    /// `Some(None)` if there is nothing to report.
    fn step(&mut self) -> Option<Option<Report<Self::Error, Self::Handle>>>;

    /// Whether there are reports that no step has returned.
    fn has_reports(&self) -> bool;

    /// The body is not polled any more.
    fn on_last_poll_of_body(&self);

    /// The indices of the children that [`stop`](Self::stop) would drop. Children that stop later
    /// [report](Report::Stopped) that.
    fn indices(&mut self) -> Vec<usize>;

    /// Asks every child of a closed group to stop. `panicked` gets the panics of destructors.
    fn stop(&mut self, panicked: impl FnMut(Panic));

    /// Completes the handle of a child that has failed, in a group that stops.
    fn defer(&self, handle: Self::Handle);

    /// The group returns to its executor although something has happened that no step has seen.
    fn end_turn(&mut self);

    /// Starts no more children: one that runs in the group's own task has failed.
    fn stop_starting(&mut self);

    /// Has what is still to happen wake `cx`; `false` if something has happened already.
    fn sleep(&mut self, cx: &mut Context<'_>) -> bool;

    /// Completes when the tasks have stopped that cancelled children had started, and then completes every handle.
    fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Stops the children of a closed group whose driver is dropped. Returns the first panic of destructors.
    fn abandon(&mut self) -> Option<Panic>;

    /// The sequence number of something that completes now.
    fn next_sequence() -> usize;
}

/// What the driver must know about a child. Of a child that has succeeded, or that was cancelled alone, it need not
/// know anything.
pub(super) enum Report<E, H> {
    /// The child failed.
    Failed {
        index: usize,
        /// Its position in completion order.
        seq: usize,
        error: E,
        handle: Option<H>,
    },
    /// The child, or a destructor of it, panicked.
    Panicked { panic: Panic, handle: Option<H> },
    /// The child has stopped with its group.
    Stopped { index: usize },
    /// The runtime has dropped the child, although the group was not closed.
    Lost,
}
