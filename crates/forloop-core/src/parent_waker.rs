//! `with_parent_waker`: bodies in the caller's task that are polled with the waker of whoever polls the
//! loop.

use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::place::{Body, Inline, InlineJob, JobHandle, Place, Push};
use crate::{Loop, Outcome};

impl<S: Stream, L, C> Loop<S, Inline, L, C> {
    /// Polls every body with the waker of whoever polls the loop, instead of one of its own.
    ///
    /// For executors whose timers and channels refuse wakers that are not the executor's, as
    /// `embassy-time` does with its integrated timers: there a loop without this panics. Bodies run in the
    /// caller's own task as before, may borrow, and need not be `Send`; every strategy, limit and option
    /// means what it means without. A consumer of results, the source, timers and signals are polled with
    /// that waker, too.
    ///
    /// What starts bodies without a loop has no such option: [`scope`](crate::scope) and
    /// [`local_scope`](crate::local_scope), and the free functions on ready-made futures, such as
    /// [`gather()`](crate::gather()), which are short for loops over them: write
    /// `each(futures).unbounded().with_parent_waker().gather(|future| future)`. A set of
    /// [`TaskSet`](crate::TaskSet) futures is made with `TaskSet::at(&ParentWaker, futures)`. A body that
    /// runs a loop itself says so there, too.
    ///
    /// # Costs
    ///
    /// Nobody knows who was woken, so each poll of the loop polls every body that runs: once, in the order
    /// of their indices, and with more than 256 of them all the same. So a wake costs as many polls as
    /// bodies run, and not one. That is nothing for the few that run on a small device; elsewhere, leave it
    /// out. New bodies are started as without it: 256 in one poll at most.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::future::poll_fn;
    /// use std::task::Poll;
    ///
    /// let caller = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    /// let looping = forloop::each(1..=3).limit(2)?.with_parent_waker();
    /// let squares = looping.gather(async |n: u32| {
    ///     let own = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    ///     assert!(own.will_wake(&caller));
    ///     n * n
    /// });
    /// assert_eq!(squares.await, [1, 4, 9]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    pub fn with_parent_waker(self) -> Loop<S, ParentWaker, L, C> {
        self.at(ParentWaker)
    }
}

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

    fn ended_at(&self) -> usize {
        self.body.ended_at()
    }

    fn end_now() -> usize {
        InlineJob::<B>::end_now()
    }
}
