//! A child of a group: its value goes to its handle, its error to the group.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::deferred_notify::ActiveGuard;
use crate::outcome::catch;
use crate::task::TaskCell;
use crate::{Cancelled, Outcome, Panic};

/// The handle to a child of a group.
///
/// Awaiting it gives the child's value. The group owns the child: dropping the handle changes
/// nothing, and a child's error or panic goes to the group.
///
/// # Errors
///
/// Awaiting gives [`Cancelled`] if the child has no value to give: it failed, it was cancelled, or
/// its group was.
///
/// When a group stops, its handles say so when no child of the group goes on any more, and at the
/// latest when it ends: no child takes the end of another for a failure of its own. A child that
/// blocks its thread on the handle of a sibling, instead of awaiting it, may so wait for itself.
pub struct Child<T> {
    cell: Arc<TaskCell<T>>,
}

impl<T> Child<T> {
    /// A child of a group that takes no more.
    pub(super) fn refused() -> Self {
        let cell = TaskCell::new();
        cell.complete(Outcome::Cancelled);
        Self { cell: Arc::new(cell) }
    }

    /// Asks this child alone to stop; its siblings and its group go on, and it counts as no
    /// failure.
    pub fn cancel(&self) {
        self.cell.request_cancel();
    }

    /// Whether the child has ended and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.sequence().is_some()
    }

    /// Polls for the child's end, and leaves its value where it is.
    pub(super) fn poll_completed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.cell.poll_completed(cx)
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

/// What a child's future gives: its result, or nothing where somebody else has that.
pub(super) trait Given {
    type Value;
    type Error;

    /// What goes to the child's handle and to its group.
    fn result(self) -> Option<Result<Self::Value, Self::Error>>;
}

impl<T, E> Given for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn result(self) -> Option<Self> {
        Some(self)
    }
}

impl<T, E> Given for Option<Result<T, E>> {
    type Value = T;
    type Error = E;

    fn result(self) -> Self {
        self
    }
}

/// How a child ended, for its group.
pub(super) enum ChildEnd<E, C: Settle + ?Sized> {
    /// It has given its value to its handle, was cancelled alone, or has given its end to somebody else.
    Completed,
    /// It failed; its handle says so when this is dropped.
    Failed { error: E, handle: HandleGuard<C> },
    /// It panicked; its handle says so when this is dropped.
    Panicked { panic: Panic, handle: HandleGuard<C> },
}

/// The handle of a child that has no value to give. Whoever awaits it is told when this is
/// dropped, and not before: if the group stops, neither its body nor a sibling goes on by then.
pub(super) struct HandleGuard<C: Settle + ?Sized> {
    cell: Arc<C>,
}

impl<C: Settle + ?Sized> Drop for HandleGuard<C> {
    fn drop(&mut self) {
        self.cell.settle();
    }
}

/// What a group can do with a child's handle, whatever the child's value would have been.
pub(super) trait Settle {
    /// Tells whoever awaits the child that it has no value to give.
    fn settle(&self);
}

impl<T> Settle for TaskCell<T> {
    fn settle(&self) {
        self.complete(Outcome::Cancelled);
    }
}

pin_project! {
    /// The future a group runs for a child.
    pub(super) struct RunChild<F, T, C>
    where
        C: Settle,
        C: ?Sized,
    {
        #[pin]
        future: Option<F>,
        cell: Arc<TaskCell<T>>,
        // Keeps the handles of stopped siblings from being told.
        going: ActiveGuard<C>,
        // Tells the handle, however this ends.
        handle: Option<HandleGuard<C>>,
    }

    impl<F, T, C> PinnedDrop for RunChild<F, T, C>
    where
        C: Settle,
        C: ?Sized,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Before its destructors run: one of them may wait for a sibling.
            let deferred_notify = this.going.leave();
            let dropped = catch(|| this.future.set(None));
            // Still there if it came to no end of its own: its group, or its runtime, has stopped it.
            if let (Some(deferred_notify), Some(handle)) = (deferred_notify, this.handle.take()) {
                deferred_notify.defer(handle);
            }
            if let Err(panic) = dropped {
                panic.resume_unless_panicking();
            }
        }
    }
}

/// Makes a child of `future` that nothing runs yet. `erase` forgets the type of its value.
pub(super) fn run_child<F, T, C>(
    future: F,
    going: ActiveGuard<C>,
    erase: impl FnOnce(Arc<TaskCell<T>>) -> Arc<C>,
) -> (Child<T>, RunChild<F, T, C>)
where
    F: Future<Output: Given<Value = T>>,
    C: Settle + ?Sized,
{
    let cell = Arc::new(TaskCell::new());
    let handle = Some(HandleGuard { cell: erase(cell.clone()) });
    (Child { cell: cell.clone() }, RunChild { future: Some(future), cell, going, handle })
}

impl<F, T, E, C> Future for RunChild<F, T, C>
where
    F: Future<Output: Given<Value = T, Error = E>>,
    C: Settle + ?Sized,
{
    type Output = ChildEnd<E, C>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(ChildEnd::Completed);
        };
        let polled = if this.cell.poll_cancel(cx) {
            Ok(None)
        } else {
            match catch(|| future.poll(cx)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(given)) => Ok(given.result()),
                Err(panic) => Err(panic),
            }
        };
        drop(this.going.leave());
        // Its destructors run before anybody is told of its end.
        let dropped = catch(|| this.future.set(None));
        let handle = this.handle.take().expect("a child ends once");
        Poll::Ready(match (polled, dropped) {
            (Err(panic), _) | (_, Err(panic)) => ChildEnd::Panicked { panic, handle },
            (Ok(Some(Err(error))), Ok(())) => ChildEnd::Failed { error, handle },
            (Ok(Some(Ok(value))), Ok(())) => {
                this.cell.complete(Outcome::Ok(value));
                ChildEnd::Completed
            }
            (Ok(None), Ok(())) => ChildEnd::Completed,
        })
    }
}
