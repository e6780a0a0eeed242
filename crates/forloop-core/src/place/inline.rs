//! Bodies in the caller's own task, and the job that all places without a task per body share.

use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{Place, Push};
use crate::Outcome;
use crate::body::{Attempt, Body};
use crate::engine::JobHandle;
use crate::task::next_sequence;

/// Runs each body in the caller's own task: it may borrow, need not be `Send`, and shares the caller's
/// core.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl<B: Body> Place<B> for Inline {
    type Job = InlineJob<B>;
    type Dispatch = Push;

    fn start(&self, _attempt: Attempt, body: B) -> InlineJob<B> {
        InlineJob { body, mode: PhantomData }
    }
}

/// Who polls an [`InlineJob`], and with which waker.
pub trait JobMode {
    /// Whether workers may take the body from the loop's task.
    const ON_POOL: bool;

    /// Whether the body is polled with its caller's waker instead of one of its own.
    const PARENT_WAKER: bool;
}

impl JobMode for Inline {
    const ON_POOL: bool = false;
    const PARENT_WAKER: bool = false;
}

pin_project! {
    /// A body that is polled where it is stored: it runs only while it is polled, and dropping it
    /// cancels it.
    ///
    /// The mode `M` says who polls it: the caller's task ([`Inline`], and
    /// [`ParentWaker`](crate::ParentWaker) with the caller's waker) or a worker
    /// ([`PoolJob`](crate::PoolJob)).
    #[derive(Debug)]
    pub struct InlineJob<B, M = Inline> {
        // Places fill these in themselves: where the compiler does not optimise, each function that a body is passed
        // to has a copy of it on the stack.
        #[pin]
        pub(super) body: B,
        pub(super) mode: PhantomData<M>,
    }
}

impl<B> InlineJob<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body, mode: PhantomData }
    }
}

impl<B: Body, M: JobMode> JobHandle for InlineJob<B, M> {
    type Output = B::Returns;

    const INLINE: bool = true;
    const ON_POOL: bool = M::ON_POOL;
    const PARENT_WAKER: bool = M::PARENT_WAKER;

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
        // One task sees completions in the order in which they happen. Workers complete bodies side by
        // side, so there each completion takes a number.
        if M::ON_POOL { next_sequence() } else { 0 }
    }
}
