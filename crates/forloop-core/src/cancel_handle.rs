//! A handle that only cancels a task.

use alloc::sync::Arc;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

/// A handle that only cancels a [`Task`](crate::Task). Dropping it changes nothing, and a clone is a handle to the same
/// task.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// async fn cancel_from_another_task(runtime: &impl forloop::Spawn) {
///     let task = forloop::spawn(runtime, std::future::pending::<u32>());
///     let handle = task.cancel_handle();
///     forloop::spawn(runtime, async move { handle.request_cancel() }).detach();
///     assert_eq!(task.await, Err(forloop::Cancelled));
/// }
/// ```
#[doc(alias = "AbortHandle")]
pub struct CancelHandle {
    cell: Arc<dyn AnyTaskCell + Send + Sync>,
}

impl CancelHandle {
    pub(crate) fn new(cell: Arc<dyn AnyTaskCell + Send + Sync>) -> Self {
        cell.add_canceller();
        Self { cell }
    }

    /// Cancels the task without waiting for it, as [`Task::request_cancel`](crate::Task::request_cancel) does; also if
    /// the task was detached. A second call has no effect.
    pub fn request_cancel(&self) {
        self.cell.request_cancel();
    }

    /// Whether the task has completed and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.sequence().is_some()
    }
}

impl Clone for CancelHandle {
    fn clone(&self) -> Self {
        Self::new(self.cell.clone())
    }
}

impl Drop for CancelHandle {
    fn drop(&mut self) {
        self.cell.remove_canceller();
    }
}

// As for a `Task`.
impl UnwindSafe for CancelHandle {}
impl RefUnwindSafe for CancelHandle {}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("finished", &self.is_finished()).finish()
    }
}

/// What a [`CancelHandle`] needs of a task, without the type of its output.
pub(crate) trait AnyTaskCell {
    /// Cancels the task.
    fn request_cancel(&self);

    /// The sequence number of the task's completion, once it has completed.
    fn sequence(&self) -> Option<usize>;

    /// One more can cancel the task.
    fn add_canceller(&self);

    /// One of those that can cancel the task is gone: the last one drops the waker of the task.
    fn remove_canceller(&self);
}
