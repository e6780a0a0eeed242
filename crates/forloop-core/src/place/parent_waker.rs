//! `with_parent_waker`: bodies in the caller's task that are polled with the waker of whoever polls the
//! loop.

use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{InlineJob, Place, Push};
use crate::Outcome;
use crate::body::Body;
use crate::engine::JobHandle;

/// In the caller's own task as with [`Inline`], and with the caller's waker: see
/// [`Loop::with_parent_waker`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ParentWaker;

impl<B: Body> Place<B> for ParentWaker {
    type Job = ParentWakerJob<B>;
    type Dispatch = Push;

    fn start(&self, body: B) -> ParentWakerJob<B> {
        ParentWakerJob { body: InlineJob::new(body) }
    }
}

pin_project! {
    /// A body in the caller's own task that has no waker of its own.
    #[derive(Debug)]
    pub struct ParentWakerJob<B> {
        #[pin]
        body: InlineJob<B>,
    }
}

impl<B: Body> JobHandle for ParentWakerJob<B> {
    type Output = B::Returns;

    const INLINE: bool = true;
    const PARENT_WAKER: bool = true;

    fn watch(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        self.project().body.watch(cx);
    }

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Returns>> {
        self.project().body.poll_outcome(cx)
    }

    fn mark_cancelled(self: Pin<&Self>) {
        self.project_ref().body.mark_cancelled();
    }

    fn cancel(self: Pin<&mut Self>) -> bool {
        self.project().body.cancel()
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        self.project().body.expire()
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        self.project_ref().body.rank(index)
    }

    fn sequence(&self) -> usize {
        self.body.sequence()
    }

    fn next_sequence() -> usize {
        InlineJob::<B>::next_sequence()
    }
}
