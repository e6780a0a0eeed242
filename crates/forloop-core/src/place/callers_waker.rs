//! In the caller's own task, with the caller's own waker.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{Body, Brought, Place, Started};
use crate::Outcome;

/// In the caller's own task, every body polled with the waker of whoever polls the loop.
///
/// [`Loop::with_callers_waker`](crate::Loop::with_callers_waker) says what for.
#[derive(Debug, Clone, Copy, Default)]
pub struct WithCallersWaker;

impl<B: Body> Place<B> for WithCallersWaker {
    type Job = Lent<B>;
    type Supply = Brought;

    fn start(&self, body: B) -> Lent<B> {
        Lent::new(body)
    }
}

pin_project! {
    /// A body in the caller's own task that is lent the caller's waker.
    #[derive(Debug)]
    pub struct Lent<B> {
        #[pin]
        body: B,
        waker: Option<Waker>,
    }
}

impl<B> Lent<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body, waker: None }
    }
}

impl<B: Body> Started for Lent<B> {
    type Output = B::Returns;

    const IN_TASK: bool = true;
    const HAS_CALLERS_WAKER: bool = true;

    fn lend(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }

    fn lend_pinned(self: Pin<&mut Self>, waker: &Waker) {
        match self.project().waker {
            Some(lent) => lent.clone_from(waker),
            lent => *lent = Some(waker.clone()),
        }
    }

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Returns>> {
        let this = self.project();
        let waker = this.waker.as_ref().unwrap_or(cx.waker());
        this.body.poll(&mut Context::from_waker(waker)).map(Outcome::Ok)
    }

    fn doom(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn ended_at(&self) -> usize {
        Self::end_now()
    }

    fn end_now() -> usize {
        // Seen when it happens: the order they are seen in is the order of ends.
        0
    }
}
