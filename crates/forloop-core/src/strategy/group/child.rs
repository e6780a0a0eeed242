//! The handle of a child, and what it shares with the child.

use alloc::sync::Arc;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, ready};

use atomic_waker::AtomicWaker;
use try_lock::TryLock;

use crate::Cancelled;

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
/// While a group stops, awaiting a child's handle resolves only once neither the body nor a child is polled
/// any more, and at the latest when the group completes. So none of them observes a sibling's cancellation
/// as an error. Blocking a thread on a sibling's handle, instead of awaiting it, can therefore deadlock.
pub struct Child<T> {
    cell: Arc<ChildCell<T>>,
}

impl<T> Child<T> {
    pub(super) fn new(cell: Arc<ChildCell<T>>) -> Self {
        Self { cell }
    }

    /// Returns the handle of a child that a closed group has refused.
    pub(super) fn refused() -> Self {
        let cell = ChildCell::new();
        cell.complete(None);
        Self::new(Arc::new(cell))
    }

    /// Cancels this child alone. Its siblings and its group continue, and the group does not count it
    /// as a failure.
    pub fn cancel(&self) {
        self.cell.request_cancel();
    }

    /// Whether the child has completed and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.is_finished()
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
        ready!(self.cell.poll_completed(cx));
        Poll::Ready(self.cell.take_value().ok_or(Cancelled))
    }
}

impl<T> fmt::Debug for Child<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// What a child shares with its handle.
///
/// As a [`TaskCell`](crate::task), but smaller, because a group has one for each child that runs: a child's errors and
/// panics go to its group, so the cell holds a value or nothing, and its handle may be dropped without any effect.
///
/// The child stores the value and then `finished` with `Release`. A waiting handle registers in `handle` and loads
/// `finished`; the child wakes `handle` after its store. To cancel the child, the handle stores `cancelled` and wakes
/// `child`. The child registers in `child` at each poll and then loads `cancelled`.
pub(super) struct ChildCell<T> {
    /// The value, from the child's completion until the handle takes it. Locked only while it is moved: by the child
    /// before it stores `finished`, and by the handle after that.
    value: TryLock<Option<T>>,
    finished: AtomicBool,
    cancelled: AtomicBool,
    handle: AtomicWaker,
    child: AtomicWaker,
    /// The data of the waker that the group has, if the child is a task and the vtable of the waker is the usual one. It is zero
    /// otherwise; then the waker is added at every poll. Only the child uses it, which has no room for it.
    added: AtomicUsize,
}

impl<T> ChildCell<T> {
    pub(super) fn new() -> Self {
        Self {
            value: TryLock::new(None),
            finished: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            handle: AtomicWaker::new(),
            child: AtomicWaker::new(),
            added: AtomicUsize::new(0),
        }
    }

    fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Whether the child was cancelled through its handle.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    fn request_cancel(&self) {
        if !self.is_finished() {
            self.cancelled.store(true, Ordering::SeqCst);
            self.child.wake();
        }
    }

    /// Has `cx` woken when the child is cancelled through its handle.
    pub(super) fn register_child(&self, cx: &Context<'_>) {
        self.child.register(cx.waker());
    }

    pub(super) fn added(&self) -> usize {
        self.added.load(Ordering::Relaxed)
    }

    pub(super) fn set_added(&self, data: usize) {
        self.added.store(data, Ordering::Relaxed);
    }

    /// Completes the child, whose future has been dropped. A second call has no effect.
    pub(super) fn complete(&self, value: Option<T>) {
        if self.is_finished() {
            return;
        }
        if let (Some(value), Some(mut slot)) = (value, self.value.try_lock()) {
            *slot = Some(value);
        }
        self.finished.store(true, Ordering::Release);
        drop(self.child.take());
        self.handle.wake();
    }

    fn poll_completed(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_finished() {
            self.handle.register(cx.waker());
            if !self.is_finished() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Takes the value of a child that has completed. A handle that is polled after that has none.
    fn take_value(&self) -> Option<T> {
        self.value.try_lock()?.take()
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

/// A [`ChildCell`], with the type of its value erased.
pub(super) trait AnyChild {
    /// Completes the child without a value, and wakes the task that awaits its handle.
    fn complete_without_value(&self);
}

/// A child on any thread.
pub(super) type Erased = dyn AnyChild + Send + Sync;

impl<T> AnyChild for ChildCell<T> {
    fn complete_without_value(&self) {
        self.complete(None);
    }
}

/// The handle of a child that has no value. Dropping this completes the handle.
pub(super) struct HandleGuard<C: AnyChild + ?Sized> {
    cell: Arc<C>,
}

impl<C: AnyChild + ?Sized> HandleGuard<C> {
    pub(super) fn new(cell: Arc<C>) -> Self {
        Self { cell }
    }
}

impl<C: AnyChild + ?Sized> Drop for HandleGuard<C> {
    fn drop(&mut self) {
        self.cell.complete_without_value();
    }
}
