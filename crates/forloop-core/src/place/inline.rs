//! In the caller's own task.

use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{Place, Push};
use crate::Outcome;
use crate::body::Body;
use crate::engine::JobHandle;

/// In the caller's own task: a body may borrow, need not be `Send`, and shares the caller's core.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl<B: Body> Place<B> for Inline {
    type Job = InlineJob<B>;
    type Dispatch = Push;

    fn start(&self, body: B) -> InlineJob<B> {
        InlineJob { body }
    }
}

pin_project! {
    /// A body in the caller's own task.
    #[derive(Debug)]
    pub struct InlineJob<B> {
        #[pin]
        body: B,
    }
}

impl<B> InlineJob<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body }
    }
}

impl<B: Body> JobHandle for InlineJob<B> {
    type Output = B::Returns;

    const INLINE: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Returns>> {
        self.project().body.poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn sequence(&self) -> usize {
        Self::next_sequence()
    }

    fn next_sequence() -> usize {
        // Seen when it happens: the order they are seen in is the order of ends.
        0
    }
}
