//! What the engine asks of a body, how it names one, and what it reports of one.

use core::pin::Pin;
use core::task::{Context, Poll};

use crate::outcome::Outcome;

/// A body that has been started, in the caller's task or elsewhere.
pub trait JobHandle {
    /// What the body returns.
    type Output;

    /// Whether the body makes progress only while it is polled. Then the order of polls is the order of
    /// completions, and dropping the body stops it at once.
    const INLINE: bool;

    /// Whether the body is polled with the waker of the task that polls its loop, and not with one of its
    /// own.
    #[doc(hidden)]
    const PARENT_WAKER: bool = false;

    /// Has `cx` woken when the body completes, or at once if it has, without taking its outcome. Only
    /// called if the body is not [`INLINE`](Self::INLINE).
    fn watch(self: Pin<&mut Self>, cx: &mut Context<'_>);

    /// Polls for the outcome of the body.
    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<Self::Output>>;

    /// Marks the body as cancelled, so that it makes no more progress. It need not be notified yet.
    fn mark_cancelled(self: Pin<&Self>);

    /// Asks the body to stop. Returns `true` if it has stopped once it has been dropped.
    fn cancel(self: Pin<&mut Self>) -> bool;

    /// Asks a body that has timed out to stop, as soon as it has been polled once. Returns `true` as
    /// [`cancel`](Self::cancel) does.
    fn expire(self: Pin<&mut Self>) -> bool;

    /// The key of this body among those that were woken together: the lowest is polled first. `None` if
    /// the body runs elsewhere and has not completed, so that a poll would be of no use.
    fn rank(self: Pin<&Self>, index: usize) -> Option<usize>;

    /// The sequence number of the body's completion, once it has completed.
    fn sequence(&self) -> usize;

    /// The sequence number of something that completes now, among bodies of this kind.
    fn next_sequence() -> usize;
}

/// Names a body: its slot and its index.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub(crate) slot: usize,
    pub(crate) index: usize,
}

/// A body that has completed.
#[derive(Debug)]
pub struct Completion<T> {
    /// The index that the body was inserted with.
    pub(crate) index: usize,
    /// The position in completion order, where that can differ from the order of reports. Bodies that run
    /// elsewhere may complete in one order and be seen in another.
    pub(crate) seq: usize,
    pub(crate) outcome: Outcome<T>,
}
