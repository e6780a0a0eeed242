//! A body on its way to a worker.

use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::Outcome;
use crate::body::Body;
use crate::engine::JobHandle;
use crate::task::next_sequence;

pin_project! {
    /// A body on its way to a worker.
    ///
    /// Where nobody has workers for it, it runs in the caller's own task.
    #[derive(Debug)]
    pub struct PoolJob<B> {
        #[pin]
        pub(super) body: B,
    }
}

impl<B> PoolJob<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body }
    }
}

impl<B: Body> JobHandle for PoolJob<B> {
    type Output = B::Returns;

    const INLINE: bool = true;
    const ON_POOL: bool = true;

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
        // Workers see ends side by side.
        next_sequence()
    }
}
