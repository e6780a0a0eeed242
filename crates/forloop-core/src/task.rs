//! A spawned future and the handle to it, with one meaning on every runtime.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;
use pin_project_lite::pin_project;

use crate::panic::catch;
use crate::{Cancelled, Outcome, Spawn, SpawnLocal};

/// Starts `future` as a task of `runtime` and returns the handle that owns it.
///
/// The task begins at once, whether or not the handle is awaited.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// async fn both(runtime: &impl forloop::Spawn) -> Result<u32, forloop::Cancelled> {
///     let one = forloop::spawn(runtime, async { 1 });
///     let two = forloop::spawn(runtime, async { 2 });
///     Ok(one.await? + two.await?)
/// }
/// ```
pub fn spawn<F>(runtime: &impl Spawn, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (task, run) = pair(future);
    runtime.spawn(run);
    task
}

/// Starts `future` as a task on the current thread and returns the handle that owns it.
pub fn spawn_local<F>(runtime: &impl SpawnLocal, future: F) -> Task<F::Output>
where
    F: Future + 'static,
{
    let (task, run) = pair(future);
    runtime.spawn_local(run);
    task
}

/// The handle to a spawned future, and its owner.
///
/// | you | the task |
/// |---|---|
/// | `task.await` | you get its value, or [`Cancelled`] if it was stopped; its panic goes on in you |
/// | drop the handle | is asked to stop: its future is dropped at its current await |
/// | `task.cancel().await` | has stopped, its destructors have run; you get its value if it finished first |
/// | `task.detach()` | goes on by itself; nobody hears of its end |
///
/// # Cancel safety
///
/// Awaiting `&mut task` and dropping that future loses nothing: await it again. The task goes on.
#[must_use = "dropping a task cancels it; await it, keep it, or call `detach`"]
pub struct Task<T> {
    cell: Arc<TaskCell<T>>,
}

impl<T> Task<T> {
    /// Stops the task, waits until it has really stopped, and returns its value if it had
    /// finished first.
    ///
    /// # Panics
    ///
    /// Goes on with the task's panic if it panicked.
    ///
    /// # Cancel safety
    ///
    /// The request is made at the call. Dropping the returned future gives up the wait only.
    pub fn cancel(self) -> impl Future<Output = Option<T>> {
        self.request_cancel();
        async move { self.await.ok() }
    }

    /// Asks the task to stop and does not wait for it; awaiting the handle then gives
    /// [`Cancelled`], or the value if the task finished first. Asking twice is asking once.
    pub fn request_cancel(&self) {
        self.cell.request_cancel();
    }

    /// Lets the task go on by itself, to its end or the runtime's.
    pub fn detach(self) {
        self.cell.detached.store(true, Ordering::Relaxed);
    }

    /// Whether the task has ended and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.ended_at().is_some()
    }

    /// Polls for the task's end without raising its panic.
    pub(crate) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        self.cell.poll_outcome(cx)
    }

    /// When the task ended, as a place in the order of all tasks' ends.
    pub(crate) fn ended_at(&self) -> Option<usize> {
        self.cell.ended_at()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_outcome(cx).map(|outcome| match outcome.returned() {
            Some(Ok(value)) => Ok(value),
            Some(Err(never)) => match never {},
            None => Err(Cancelled),
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if !self.cell.detached.load(Ordering::Relaxed) {
            self.cell.request_cancel();
        }
        // A value that nobody will read is dropped here and now, not when the runtime lets go.
        drop(self.cell.outcome.pop());
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// Counts the ends of tasks, so that the first in time is known even when two ends are seen at
/// once. Only the order matters, never the number.
static ENDS: AtomicUsize = AtomicUsize::new(1);

/// Takes the next place in the order of ends.
pub(crate) fn next_end() -> usize {
    ENDS.fetch_add(1, Ordering::Relaxed).max(RUNNING + 1)
}

/// Not ended yet.
const RUNNING: usize = 0;

/// What a task and its handle share.
pub(crate) struct TaskCell<T> {
    /// The end, from when the future has been dropped until the handle takes it.
    outcome: ConcurrentQueue<Outcome<T>>,
    /// The task's place in the order of all ends, or `RUNNING`.
    ended: AtomicUsize,
    cancel: AtomicBool,
    detached: AtomicBool,
    reader: AtomicWaker,
    runner: AtomicWaker,
}

impl<T> TaskCell<T> {
    pub(crate) fn new() -> Self {
        Self {
            outcome: ConcurrentQueue::bounded(1),
            ended: AtomicUsize::new(RUNNING),
            cancel: AtomicBool::new(false),
            detached: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            runner: AtomicWaker::new(),
        }
    }

    pub(crate) fn request_cancel(&self) {
        if self.ended_at().is_none() && !self.cancel.swap(true, Ordering::SeqCst) {
            self.runner.wake();
        }
    }

    /// Whether the task was asked to stop; if not, `cx` is woken when it is.
    pub(crate) fn poll_cancel(&self, cx: &mut Context<'_>) -> bool {
        self.runner.register(cx.waker());
        self.cancel.load(Ordering::SeqCst)
    }

    /// Publishes the end. Only the first call counts; the future must be gone by now.
    pub(crate) fn end(&self, outcome: Outcome<T>) {
        if self.ended_at().is_some() {
            return;
        }
        let reader_is_gone = self.outcome.push(outcome).is_err();
        debug_assert!(!reader_is_gone, "a task ends once");
        self.ended.store(next_end(), Ordering::Release);
        self.runner.take();
        self.reader.wake();
    }

    pub(crate) fn ended_at(&self) -> Option<usize> {
        Some(self.ended.load(Ordering::Acquire)).filter(|&at| at != RUNNING)
    }

    pub(crate) fn poll_outcome(&self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        if self.ended_at().is_none() {
            self.reader.register(cx.waker());
            if self.ended_at().is_none() {
                return Poll::Pending;
            }
        }
        // Polled again after its end, a task has nothing more to say than that it is over.
        Poll::Ready(self.outcome.pop().unwrap_or(Outcome::Cancelled))
    }
}

pin_project! {
    /// The future a runtime runs on a task's behalf.
    pub(crate) struct Run<F: Future> {
        #[pin]
        future: Option<F>,
        cell: Arc<TaskCell<F::Output>>,
    }

    impl<F: Future> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            // A runtime that shuts down drops its tasks: their handles must not wait for ever.
            this.stop(|| Outcome::Cancelled);
        }
    }
}

/// Makes a task of `future` that nothing runs yet.
pub(crate) fn pair<F: Future>(future: F) -> (Task<F::Output>, Run<F>) {
    let cell = Arc::new(TaskCell::new());
    (Task { cell: cell.clone() }, Run { future: Some(future), cell })
}

impl<F: Future> Run<F> {
    /// Drops the future, and only then tells the handle of the end.
    fn stop(self: Pin<&mut Self>, end: impl FnOnce() -> Outcome<F::Output>) {
        let mut this = self.project();
        let dropped = catch(|| this.future.set(None));
        this.cell.end(match dropped {
            Ok(()) => end(),
            Err(panic) => Outcome::Panicked(panic),
        });
    }
}

impl<F: Future> Future for Run<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.as_mut().project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        if this.cell.poll_cancel(cx) {
            self.stop(|| Outcome::Cancelled);
            return Poll::Ready(());
        }
        match catch(|| future.poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => {
                self.stop(|| Outcome::Ok(value));
                Poll::Ready(())
            }
            Err(panic) => {
                self.stop(|| Outcome::Panicked(panic));
                Poll::Ready(())
            }
        }
    }
}
