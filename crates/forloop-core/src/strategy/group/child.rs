//! A child of a group: its value goes to its handle, its error to the group.

use alloc::sync::Arc;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::deferred_notify::{ActiveGuard, ChildHandle, HandleGuard};
use crate::outcome::catch;
use crate::task::TaskCell;
use crate::{Cancelled, Outcome, Panic};

/// The handle to a child of a group.
///
/// Awaiting it returns the child's value. The group owns the child: dropping the handle changes
/// nothing, and a child's error or panic goes to the group.
///
/// # Errors
///
/// Awaiting it returns [`Cancelled`] if the child has no value: it failed, it was cancelled, or its group
/// was.
///
/// While a group stops, awaiting a child's handle resolves only once no child is polled any more, and
/// at the latest when the group completes. So a child never observes a sibling's cancellation as an
/// error. Blocking a thread on a sibling's handle, instead of awaiting it, can therefore deadlock.
pub struct Child<T> {
    cell: Arc<TaskCell<T>>,
}

impl<T> Child<T> {
    /// Returns the handle of a child that a closed group has refused.
    pub(super) fn refused() -> Self {
        let cell = TaskCell::new();
        cell.complete(Outcome::Cancelled);
        Self { cell: Arc::new(cell) }
    }

    /// Cancels this child alone. Its siblings and its group continue, and the group does not count it
    /// as a failure.
    pub fn cancel(&self) {
        self.cell.request_cancel();
    }

    /// Whether the child has completed and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.sequence().is_some()
    }

    /// Polls for the child's completion without taking its value.
    pub(super) fn poll_completed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.cell.poll_completed(cx)
    }
}

// As for a `Task`: the child runs elsewhere, and its panic goes to its group.
impl<T> UnwindSafe for Child<T> {}
impl<T> RefUnwindSafe for Child<T> {}

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

/// What a child's future returns: a result, or `None` if the result was given to the task that
/// [started](super::start::Start) the child.
pub(super) trait ChildOutput {
    type Value;
    type Error;

    /// Returns what goes to the child's handle and to its group.
    fn into_result(self) -> Option<Result<Self::Value, Self::Error>>;
}

impl<T, E> ChildOutput for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn into_result(self) -> Option<Self> {
        Some(self)
    }
}

impl<T, E> ChildOutput for Option<Result<T, E>> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

/// How a child has completed, for its group.
pub(super) enum ChildCompletion<E, C: ChildHandle + ?Sized> {
    /// The group has nothing to do: the value went to the handle, the child was cancelled alone, or its result
    /// went to the task that started it.
    Completed,
    /// The child failed. Its handle completes when the guard is dropped.
    Failed { error: E, handle: HandleGuard<C> },
    /// The child panicked. Its handle completes when the guard is dropped.
    Panicked { panic: Panic, handle: HandleGuard<C> },
}

pin_project! {
    /// The future that a group runs for a child.
    pub(super) struct RunChild<F, T, C>
    where
        C: ChildHandle,
        C: ?Sized,
    {
        #[pin]
        future: Option<F>,
        cell: Arc<TaskCell<T>>,
        // Defers the notifications of siblings that have stopped.
        active: ActiveGuard<C>,
        // Completes the child's own handle, also if the child is dropped.
        handle: Option<HandleGuard<C>>,
    }

    impl<F, T, C> PinnedDrop for RunChild<F, T, C>
    where
        C: ChildHandle,
        C: ?Sized,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Before the destructors run: one of them may wait for a sibling.
            let deferred = this.active.release();
            let dropped = catch(|| this.future.set(None));
            // Still there if the child did not complete: its group or its runtime has cancelled it.
            if let (Some(deferred), Some(handle)) = (deferred, this.handle.take()) {
                deferred.defer(handle);
            }
            if let Err(panic) = dropped {
                panic.resume_unless_panicking();
            }
        }
    }
}

/// Makes a child of `future`, which the caller has yet to run. `erase` erases the type of its value.
pub(super) fn run_child<F, T, C>(
    future: F,
    active: ActiveGuard<C>,
    erase: impl FnOnce(Arc<TaskCell<T>>) -> Arc<C>,
) -> (Child<T>, RunChild<F, T, C>)
where
    F: Future<Output: ChildOutput<Value = T>>,
    C: ChildHandle + ?Sized,
{
    let cell = Arc::new(TaskCell::new());
    let handle = Some(HandleGuard::new(erase(cell.clone())));
    (Child { cell: cell.clone() }, RunChild { future: Some(future), cell, active, handle })
}

impl<F, T, E, C> Future for RunChild<F, T, C>
where
    F: Future<Output: ChildOutput<Value = T, Error = E>>,
    C: ChildHandle + ?Sized,
{
    type Output = ChildCompletion<E, C>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(ChildCompletion::Completed);
        };
        let polled = if this.cell.poll_cancel(cx) {
            Ok(None)
        } else {
            match catch(|| future.poll(cx)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Ok(output.into_result()),
                Err(panic) => Err(panic),
            }
        };
        drop(this.active.release());
        // The destructors run before anything is notified that the child has completed.
        let dropped = catch(|| this.future.set(None));
        let handle = this.handle.take().expect("a child completes once");
        Poll::Ready(match (polled, dropped) {
            (Err(panic), _) | (_, Err(panic)) => ChildCompletion::Panicked { panic, handle },
            (Ok(Some(Err(error))), Ok(())) => ChildCompletion::Failed { error, handle },
            (Ok(Some(Ok(value))), Ok(())) => {
                this.cell.complete(Outcome::Ok(value));
                ChildCompletion::Completed
            }
            (Ok(None), Ok(())) => ChildCompletion::Completed,
        })
    }
}
