//! A child of a group: its value goes to its handle, its error to the group.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::task::TaskCell;
use crate::{Cancelled, Outcome};

/// The handle to a child of a group.
///
/// Awaiting it gives the child's value. The group owns the child: dropping the handle changes
/// nothing, and a child's error or panic goes to the group.
///
/// # Errors
///
/// Awaiting gives [`Cancelled`] if the child has no value to give: it failed, it was cancelled, or
/// its group was.
pub struct Child<T> {
    cell: Arc<TaskCell<T>>,
}

impl<T> Child<T> {
    /// A child of a group that takes no more.
    pub(super) fn refused() -> Self {
        let cell = TaskCell::new();
        cell.end(Outcome::Cancelled);
        Self { cell: Arc::new(cell) }
    }

    /// Asks this child alone to stop; its siblings and its group go on, and it counts as no
    /// failure.
    pub fn cancel(&self) {
        self.cell.request_cancel();
    }

    /// Whether the child has ended and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.ended_at().is_some()
    }
}

impl<T> Future for Child<T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.cell.poll_outcome(cx)).ok().ok_or(Cancelled))
    }
}

impl<T> fmt::Debug for Child<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future a group runs for a child.
    pub(super) struct RunChild<F, T> {
        #[pin]
        future: Option<F>,
        cell: Arc<TaskCell<T>>,
    }

    impl<F, T> PinnedDrop for RunChild<F, T> {
        fn drop(this: Pin<&mut Self>) {
            this.end(Outcome::Cancelled);
        }
    }
}

pub(super) fn run_child<F, T, E>(future: F) -> (Child<T>, RunChild<F, T>)
where
    F: Future<Output = Result<T, E>>,
{
    let cell = Arc::new(TaskCell::new());
    (Child { cell: cell.clone() }, RunChild { future: Some(future), cell })
}

impl<F, T> RunChild<F, T> {
    /// Drops the future, and only then tells the handle of the end.
    fn end(self: Pin<&mut Self>, outcome: Outcome<T>) {
        let mut this = self.project();
        this.future.set(None);
        this.cell.end(outcome);
    }
}

impl<F, T, E> Future for RunChild<F, T>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<(), E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let this = self.as_mut().project();
        let Some(future) = this.future.as_pin_mut() else {
            return Poll::Ready(Ok(()));
        };
        if this.cell.poll_cancel(cx) {
            self.end(Outcome::Cancelled);
            return Poll::Ready(Ok(()));
        }
        match ready!(future.poll(cx)) {
            Ok(value) => {
                self.end(Outcome::Ok(value));
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.end(Outcome::Cancelled);
                Poll::Ready(Err(error))
            }
        }
    }
}
