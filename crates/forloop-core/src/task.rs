//! A spawned future and the handle to it, with one meaning on every runtime.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use core::task::{Context, Poll, Waker, ready};

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;
use pin_project_lite::pin_project;

use crate::outcome::catch;
use crate::simulation::{Origin, spawning};
use crate::wait_group::{WaitGroup, current_wait_group, with_wait_group};
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
#[cfg_attr(feature = "simulation", track_caller)]
pub fn spawn<F>(runtime: &impl Spawn, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn_from(Origin::here(), runtime, future)
}

/// [`spawn`], from there.
pub(crate) fn spawn_from<F>(origin: Origin, runtime: &impl Spawn, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (task, run) = pair(future);
    spawning(origin, || runtime.spawn(run));
    task
}

/// Starts `future` as a task on the current thread and returns the handle that owns it.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn spawn_local<F>(runtime: &impl SpawnLocal, future: F) -> Task<F::Output>
where
    F: Future + 'static,
{
    let (task, run) = pair(future);
    spawning(Origin::here(), || runtime.spawn_local(run));
    task
}

/// The handle to a spawned future, and its owner.
///
/// | you | the task |
/// |---|---|
/// | `task.await` | you get its value, or [`Cancelled`] if it was stopped; its panic goes on in you |
/// | drop the handle | is asked to stop: its future is dropped at its current await |
/// | `task.cancel().await` | has stopped, and so has every task it had started; its destructors have run; you get its value if it finished first |
/// | `task.detach()` | goes on by itself; nobody hears of its end |
///
/// # Cancel safety
///
/// Awaiting `&mut task` and dropping that future loses nothing: await it again. The task goes on.
#[must_use = "dropping a task cancels it; await it, keep it, or call `detach`"]
pub struct Task<T> {
    cell: Arc<TaskCell<T>>,
    detached: bool,
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
    pub fn detach(mut self) {
        self.detached = true;
    }

    /// Whether the task has ended and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.sequence().is_some()
    }

    /// Asks the task to stop once it has been polled at all.
    pub(crate) fn request_expiry(&self) {
        self.cell.expired.store(true, Ordering::SeqCst);
        self.cell.runner.wake();
    }

    /// Has the task stop when it is next polled, whoever polls it.
    pub(crate) fn mark_cancelled(&self) {
        self.cell.cancel.store(true, Ordering::SeqCst);
    }

    /// Has `waker` woken when the task is asked to stop, until the task is first polled.
    pub(crate) fn wake_to_stop(&self, waker: &Waker) {
        self.cell.runner.register(waker);
    }

    /// Has `cx` woken when the task ends; at once, if it has.
    pub(crate) fn watch(&self, cx: &mut Context<'_>) {
        self.cell.reader.register(cx.waker());
        if self.is_finished() {
            cx.waker().wake_by_ref();
        }
    }

    /// Polls for the task's end without raising its panic.
    pub(crate) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        self.cell.poll_outcome(cx)
    }

    /// When the task ended, as a place in the order of all tasks' ends.
    pub(crate) fn sequence(&self) -> Option<usize> {
        self.cell.sequence()
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
        if !self.detached {
            self.cell.request_cancel();
            self.cell.leave_to(|| current_wait_group(self.cell.id()));
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
pub(crate) fn next_sequence() -> usize {
    ENDS.fetch_add(1, Ordering::Relaxed).max(RUNNING + 1)
}

/// Not ended yet.
const RUNNING: usize = 0;

/// What a task and its handle share.
pub(crate) struct TaskCell<T> {
    /// The end, from when the future has been dropped until the handle takes it.
    outcome: ConcurrentQueue<Outcome<T>>,
    /// The task's place in the order of all ends, or `RUNNING`.
    on_complete: AtomicUsize,
    cancel: AtomicBool,
    /// It has no time left: whoever has polled it once need not do so again.
    expired: AtomicBool,
    reader: AtomicWaker,
    runner: AtomicWaker,
    /// Who waits for the end of a task whose handle was dropped.
    current_wait_group: ConcurrentQueue<Arc<WaitGroup>>,
}

impl<T> TaskCell<T> {
    pub(crate) fn new() -> Self {
        Self {
            outcome: ConcurrentQueue::bounded(1),
            on_complete: AtomicUsize::new(RUNNING),
            cancel: AtomicBool::new(false),
            expired: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            runner: AtomicWaker::new(),
            current_wait_group: ConcurrentQueue::bounded(1),
        }
    }

    /// What tells this task from every other that is alive: where it is.
    fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    pub(crate) fn request_cancel(&self) {
        if self.sequence().is_none() {
            self.cancel.store(true, Ordering::SeqCst);
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
        if self.sequence().is_some() {
            return;
        }
        let reader_is_gone = self.outcome.push(outcome).is_err();
        debug_assert!(!reader_is_gone, "a task ends once");
        self.on_complete.store(next_sequence(), Ordering::Release);
        self.runner.take();
        self.reader.wake();
        fence(Ordering::SeqCst);
        self.leave_adopter();
    }

    /// Has somebody wait for the task's end, if it has not ended yet.
    fn leave_to(&self, current_wait_group: impl FnOnce() -> Option<Arc<WaitGroup>>) {
        if self.sequence().is_some() {
            return;
        }
        let Some(wait_group) = current_wait_group() else { return };
        wait_group.add();
        let was_adopted = self.current_wait_group.push(wait_group).is_err();
        debug_assert!(!was_adopted, "a handle is dropped once");
        fence(Ordering::SeqCst);
        if self.sequence().is_some() {
            self.leave_adopter();
        }
    }

    /// Tells whoever has adopted the task of its end. Both the task and its handle may come to
    /// this; one of them finds the adopter.
    fn leave_adopter(&self) {
        if let Ok(wait_group) = self.current_wait_group.pop() {
            wait_group.done();
        }
    }

    pub(crate) fn sequence(&self) -> Option<usize> {
        Some(self.on_complete.load(Ordering::Acquire)).filter(|&at| at != RUNNING)
    }

    /// Polls for the end, and leaves the outcome to whoever asks for it.
    pub(crate) fn poll_completed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.reader.register(cx.waker());
        if self.sequence().is_some() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(crate) fn poll_outcome(&self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        if self.sequence().is_none() {
            self.reader.register(cx.waker());
            if self.sequence().is_none() {
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
        was_polled: bool,
        // How the task ended, while it waits for what it left behind.
        ending: Option<(Outcome<F::Output>, Arc<WaitGroup>)>,
    }

    impl<F: Future> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            // A runtime that shuts down drops its tasks: their handles must not wait for ever.
            let this = this.project();
            match this.ending.take() {
                Some((outcome, _orphans)) => this.cell.end(outcome),
                None => drop_and_end(this.future, this.cell, stopped(*this.was_polled)),
            }
        }
    }
}

/// Drops a future that did not come to its end, and tells its handle.
fn drop_and_end<F: Future>(
    mut future: Pin<&mut Option<F>>,
    cell: &TaskCell<F::Output>,
    end: Outcome<F::Output>,
) {
    if future.is_some() {
        cell.end(match catch(|| future.set(None)) {
            Ok(()) => end,
            Err(panic) => Outcome::Panicked(panic),
        });
    }
}

/// Makes a task of `future` that nothing runs yet.
pub(crate) fn pair<F: Future>(future: F) -> (Task<F::Output>, Run<F>) {
    let cell = Arc::new(TaskCell::new());
    let task = Task { cell: cell.clone(), detached: false };
    (task, Run { future: Some(future), cell, was_polled: false, ending: None })
}

/// The outcome of a task that came to no end of its own.
fn stopped<T>(was_polled: bool) -> Outcome<T> {
    if was_polled { Outcome::Cancelled } else { Outcome::NotRun }
}

impl<F: Future> Run<F> {
    /// Ends a task that was asked to stop before it was ever polled; gives it back if that must wait for
    /// tasks that were dropped with its future.
    pub(crate) fn stop_unpolled(mut self) -> Option<Self> {
        // Who has no time left is told otherwise than who was stopped.
        let end = stopped(!self.cell.cancel.load(Ordering::SeqCst));
        let (dropped, wait_group) =
            with_wait_group(Some(self.cell.id()), || catch(|| self.future = None));
        let end = match dropped {
            Ok(()) => end,
            Err(panic) => Outcome::Panicked(panic),
        };
        match wait_group {
            None => {
                self.cell.end(end);
                None
            }
            Some(wait_group) => {
                self.ending = Some((end, wait_group));
                Some(self)
            }
        }
    }

    /// Drops the future, waits for the tasks that are dropped with it, and only then tells the
    /// handle of the end.
    fn poll_end(
        mut self: Pin<&mut Self>,
        end: Outcome<F::Output>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut this = self.as_mut().project();
        let (dropped, wait_group) =
            with_wait_group(Some(this.cell.id()), || catch(|| this.future.set(None)));
        let end = match dropped {
            Ok(()) => end,
            Err(panic) => Outcome::Panicked(panic),
        };
        match wait_group {
            None => {
                this.cell.end(end);
                Poll::Ready(())
            }
            Some(wait_group) => {
                *this.ending = Some((end, wait_group));
                self.poll_wait_groups(cx)
            }
        }
    }

    fn poll_wait_groups(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if let Some((_, wait_group)) = this.ending {
            ready!(wait_group.poll_wait(cx));
        }
        if let Some((outcome, _)) = this.ending.take() {
            this.cell.end(outcome);
        }
        Poll::Ready(())
    }
}

impl<F: Future> Future for Run<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.as_mut().project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return self.poll_wait_groups(cx);
        };
        let is_cancelled = this.cell.poll_cancel(cx);
        let has_expired = || this.cell.expired.load(Ordering::SeqCst);
        if is_cancelled || *this.was_polled && has_expired() {
            let end = stopped(*this.was_polled);
            return self.poll_end(end, cx);
        }
        *this.was_polled = true;
        match catch(|| future.poll(cx)) {
            Ok(Poll::Pending) if has_expired() => self.poll_end(Outcome::Cancelled, cx),
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => self.poll_end(Outcome::Ok(value), cx),
            Err(panic) => self.poll_end(Outcome::Panicked(panic), cx),
        }
    }
}
