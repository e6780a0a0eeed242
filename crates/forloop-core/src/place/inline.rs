//! Bodies in the caller's own task, and the job that all places without a task per body share.

use core::convert::Infallible;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{Place, Push};
use crate::Outcome;
use crate::body::{Attempt, Body};
use crate::engine::{FutureSet, JobHandle};

/// Runs each body in the caller's own task: it may borrow, need not be `Send`, and shares the caller's
/// core.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl<B: Body> Place<B> for Inline {
    type Set = FutureSet<InlineJob<B>>;
    type Dispatch = Push;

    #[inline(always)] // so that it is constructed in place
    fn set(&self) -> Self::Set {
        FutureSet::new()
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    #[inline]
    fn start(&self, _attempt: Attempt, body: B, (): ()) -> InlineJob<B> {
        InlineJob { body, mode: PhantomData }
    }
}

/// With which waker an [`InlineJob`] is polled.
pub trait JobMode {
    /// Whether the body is polled with its caller's waker instead of one of its own.
    const PARENT_WAKER: bool;
}

impl JobMode for Inline {
    const PARENT_WAKER: bool = false;
}

pin_project! {
    /// A body that is polled where it is stored: it runs only while it is polled, and dropping it
    /// cancels it.
    ///
    /// The mode `M` says with which waker: one of its own ([`Inline`]), or the caller's
    /// ([`ParentWaker`](crate::place::ParentWaker)).
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
        // One task sees completions in the order in which they happen.
        0
    }
}
