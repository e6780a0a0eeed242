//! What the engine asks of a body, and how it names one.

use core::pin::Pin;
use core::task::{Context, Poll};

use crate::Outcome;

/// A body that has been started, wherever it runs.
pub trait JobHandle {
    /// What the body returns.
    type Output;

    /// Whether the body ends only while it is polled, so that the order of polls is the order of
    /// ends; and stops at once when it is asked to, by being dropped.
    const INLINE: bool;

    /// Whether workers may run it.
    #[doc(hidden)]
    const ON_POOL: bool = false;

    /// Whether it is polled with the waker of whoever polls its loop, and not with one of its own.
    #[doc(hidden)]
    const PARENT_WAKER: bool = false;

    /// Has `cx` woken when the body ends, without taking its end; at once, if it has ended. Only for
    /// bodies that go on by themselves.
    fn watch(self: Pin<&mut Self>, cx: &mut Context<'_>);

    /// Polls for the body's end.
    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<Self::Output>>;

    /// Sees to it that the body does not go on; it need not hear of it yet.
    fn mark_cancelled(self: Pin<&Self>);

    /// Asks the body to stop; `true` if nothing is left to wait for once it has been dropped.
    fn cancel(self: Pin<&mut Self>) -> bool;

    /// Asks a body without time to stop, once it has been polled; `true` as for
    /// [`cancel`](Self::cancel).
    fn expire(self: Pin<&mut Self>) -> bool;

    /// Where this body stands among those that were woken together: the lowest first. `None` if it
    /// goes on by itself and has not ended: to poll it would tell nothing.
    fn rank(self: Pin<&Self>, index: usize) -> Option<usize>;

    /// The body's place in the order of ends, once it has ended.
    fn sequence(&self) -> usize;

    /// The place in the order of ends of something that ends now, beside bodies of this kind.
    fn next_sequence() -> usize;
}

/// Which body: where it is in the engine, its index, and the how many-th attempt at its item it is.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub(crate) slot: usize,
    pub(crate) index: usize,
    pub(crate) attempt: u32,
}
