//! Bodies in the caller's task that are polled with the waker of the task that polls the loop.

use core::convert::Infallible;
use core::marker::PhantomData;

use super::inline::JobMode;
use super::{InlineJob, Place, Push};
use crate::body::{Attempt, Body};
use crate::engine::FutureSet;

/// Runs each body in the caller's own task like [`Inline`](crate::place::Inline), and polls it with the
/// caller's waker: see [`Loop::with_parent_waker`](crate::Loop::with_parent_waker).
#[derive(Debug, Clone, Copy, Default)]
pub struct ParentWaker;

impl JobMode for ParentWaker {
    const PARENT_WAKER: bool = true;
}

/// A body in the caller's own task that has no waker of its own.
pub type ParentWakerJob<B> = InlineJob<B, ParentWaker>;

impl<B: Body> Place<B> for ParentWaker {
    type Set = FutureSet<ParentWakerJob<B>>;
    type Dispatch = Push;

    fn set(&self) -> Self::Set {
        FutureSet::new()
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> ParentWakerJob<B> {
        InlineJob { body, mode: PhantomData }
    }
}
