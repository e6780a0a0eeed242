//! A spawned future and its handle, with the same meaning on every runtime.
//!
//! A task never uses a runtime's own handle. It asks of a runtime only that it polls a future.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::num::NonZeroUsize;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering, fence};
use core::task::{Context, Poll, Waker, ready};

use atomic_waker::AtomicWaker;
use pin_project_lite::pin_project;
use try_lock::TryLock;

use crate::cancel_handle::{AnyTaskCell, CancelHandle};
use crate::engine::InPlace;
use crate::outcome::catch;
use crate::wait_group::{WaitGroup, current_wait_group, with_wait_group};
use crate::{Cancelled, Outcome, Panic};

/// The handle of a spawned future, which owns it.
///
/// | you | the task |
/// |---|---|
/// | `task.await` | you get its value, or [`Cancelled`] if it was stopped; its panic propagates to you |
/// | drop the handle | is cancelled: its future is dropped at its current await |
/// | `task.outcome().await` | you get its [`Outcome`], also if it panicked |
/// | `task.cancel().await` | has stopped, and so have all tasks it had started; its destructors have run; you get its value if it completed first |
/// | `task.detach()` | keeps running without a handle; its outcome is dropped |
/// | `task.cancel_handle()` | you get a handle that only cancels it, also while it is awaited or after it was detached |
/// | cancel it, and a destructor of its future panics | has panicked; panics of tasks that are cancelled with it are dropped |
/// | drop or detach the handle after it has completed | its value is dropped, and a panic of the destructor propagates to you; before that, the task drops both |
///
/// # Cancel safety
///
/// The future `&mut task` may be dropped and the task awaited again. The task keeps running.
#[doc(alias = "JoinHandle")]
#[must_use = "dropping a task cancels it; await it, keep it, or call `detach`"]
pub struct Task<T> {
    cell: Arc<TaskCell<T>>,
    detached: bool,
}

impl<T> Task<T> {
    /// Cancels the task, waits until it has stopped, and returns its value if it completed first.
    ///
    /// # Panics
    ///
    /// Resumes the task's panic if it panicked.
    ///
    /// # Cancel safety
    ///
    /// The task is cancelled by the call. Dropping the returned future only stops waiting.
    pub fn cancel(self) -> impl Future<Output = Option<T>> {
        self.request_cancel();
        async move { self.await.ok() }
    }

    /// Waits for the task and returns its outcome. A panic of the task is [`Outcome::Panicked`] and does not
    /// propagate.
    ///
    /// For a task that returns a `Result`, `outcome.into()` lifts the error: `Outcome<Result<T, E>>` becomes
    /// `Outcome<T, E>`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future cancels the task, as dropping the handle does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::Outcome;
    ///
    /// async fn parse(runtime: &impl forloop::Spawn, text: &'static str) -> Option<u32> {
    ///     let task = forloop::spawn(runtime, async move { text.parse().expect("a number") });
    ///     match task.outcome().await {
    ///         Outcome::Ok(number) => Some(number),
    ///         Outcome::Panicked(panic) => {
    ///             eprintln!("{panic}");
    ///             None
    ///         }
    ///         _ => None,
    ///     }
    /// }
    /// ```
    #[doc(alias = "catch_unwind")]
    #[doc(alias = "JoinError")]
    pub fn outcome(mut self) -> impl Future<Output = Outcome<T>> {
        core::future::poll_fn(move |cx| self.poll_outcome(cx))
    }

    /// Cancels the task without waiting for it. Awaiting the handle then returns [`Cancelled`], or the value
    /// if the task completed first. A second call has no effect.
    pub fn request_cancel(&self) {
        self.cell.request_cancel();
    }

    /// Returns a [`CancelHandle`]: for another task, or for use while this one awaits the task.
    #[doc(alias = "abort_handle")]
    pub fn cancel_handle(&self) -> CancelHandle
    where
        T: Send + 'static,
    {
        CancelHandle::new(self.cell.clone())
    }

    /// Lets the task run without its handle, until it completes or the runtime shuts down.
    ///
    /// On a host that does not own its tasks, the task is also dropped once nothing can wake it. A
    /// [`CancelHandle`] can.
    pub fn detach(mut self) {
        self.detached = true;
    }

    /// Whether the task has completed and its future has been dropped.
    pub fn is_finished(&self) -> bool {
        self.cell.sequence().is_some()
    }

    /// Cancels the task as timed out: it is polled at least once first.
    pub(crate) fn request_expiry(&self) {
        self.cell.expired.store(true, Ordering::SeqCst);
        self.cell.task_waker.wake();
    }

    /// Marks the task as cancelled without waking it: it stops when it is next polled.
    pub(crate) fn mark_cancelled(&self) {
        self.cell.cancelled.store(true, Ordering::SeqCst);
    }

    /// Has `waker` woken when the task is cancelled, until the task is first polled.
    pub(crate) fn wake_to_stop(&self, waker: &Waker) {
        self.cell.task_waker.register(waker);
    }

    /// Has `cx` woken when the task completes, or at once if it has.
    pub(crate) fn watch(&self, cx: &mut Context<'_>) {
        self.cell.handle_waker.register(cx.waker());
        if self.is_finished() {
            cx.waker().wake_by_ref();
        }
    }

    /// Polls for the task's outcome, without resuming its panic.
    pub(crate) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        self.cell.poll_outcome(cx)
    }

    /// The sequence number of the task's completion, once it has completed.
    pub(crate) fn sequence(&self) -> Option<usize> {
        self.cell.sequence()
    }
}

// The task runs elsewhere, and catches its own panics. What the handle shares with it is changed by atomic steps, and
// none of them calls what may panic in between. So a panic that unwinds past a handle leaves it as it was.
impl<T> UnwindSafe for Task<T> {}
impl<T> RefUnwindSafe for Task<T> {}

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
            self.cell.join_wait_group(|| current_wait_group(Owner::id(&self.cell)));
        }
        self.cell.abandon();
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// The next sequence number. Two tasks may have completed by the time their loop is polled; the numbers tell
/// which completed first. Only their order matters.
static NEXT_SEQUENCE: AtomicUsize = AtomicUsize::new(1);

/// Takes the next sequence number of a completion.
pub(crate) fn next_sequence() -> usize {
    // Zero is left out when the counter wraps around: it means that a task has not completed.
    let next = NonZeroUsize::new(NEXT_SEQUENCE.fetch_add(1, Ordering::Relaxed));
    next.unwrap_or(NonZeroUsize::MIN).get()
}

/// The state that a task shares with its handle.
///
/// The runtime owns the task, which is a [`Run`]; the user or a loop owns the handle, which is a [`Task`].
/// No side waits for a lock. Each of the five ways in which they communicate is a store on one side, followed by a
/// wake or a check, and a registration on the other side, followed by a load. So the later one sees the
/// other.
///
/// *Completion.* The task has dropped its future when it completes. It pushes the outcome and then stores
/// `sequence` with `Release`, so a handle that loads a sequence number finds the outcome. A waiting handle
/// registers in `handle_waker` and loads `sequence` again; the task wakes `handle_waker` after its store.
///
/// *Cancellation.* The handle stores `cancelled` and wakes `task_waker`. The task registers in `task_waker`
/// at each poll and then loads `cancelled`. A cancelled task drops its future at that poll, or, if it was
/// never polled, without polling it. It loads `cancelled` once more when its future is pending, so a task that is
/// cancelled in the middle of a poll stops at the end of it.
///
/// *Expiry.* As cancellation, with `expired`, but the task is polled once even if it expired before. A body
/// that is ready at its first poll completes, however late that poll is.
///
/// *Dropped handles.* A task whose handle is dropped stops some time later, and the body that dropped the
/// handle has not stopped before that. The handle joins the task to the current wait group, if there is one:
/// it pushes the group into `wait_group` and then loads `sequence`. The task stores `sequence` and then pops
/// `wait_group`. A `SeqCst` fence is between the two steps on both sides, so at least one of them sees the
/// step of the other, and one of them takes the group. So the task leaves the group exactly once. The handle may
/// be pushing at the moment at which the task pops and finds the slot locked; then the handle sees `sequence`.
///
/// *Abandoned cells.* The waker of a task may be all that keeps it alive: on a host that does not own its tasks, a
/// detached task that nothing else can wake is to be dropped. So a cell without a handle keeps no waker, and no
/// outcome either. `cancellers` counts the handle and each [`CancelHandle`]. The last of them takes `task_waker` after it
/// has counted itself out; the task loads `cancellers` after it has registered its waker. The handle stores `abandoned`,
/// takes its own waker, and loads `sequence`; the task loads `abandoned` after it has stored `sequence`.
pub(crate) struct TaskCell<T> {
    /// The outcome, from the task's completion until the handle takes it. Locked only while it is moved: by the
    /// task before it stores `sequence`, and by one side after that.
    outcome: TryLock<Option<Outcome<T>>>,
    /// The sequence number of the completion, or zero before it.
    sequence: AtomicUsize,
    cancelled: AtomicBool,
    expired: AtomicBool,
    /// The handle was dropped or detached.
    abandoned: AtomicBool,
    /// The handle, and each [`CancelHandle`], unless it was dropped before the task completed.
    cancellers: AtomicU32,
    /// The future was polled. Only the task uses it, which has no room for it.
    was_polled: AtomicBool,
    handle_waker: AtomicWaker,
    task_waker: AtomicWaker,
    /// The wait group of a task whose handle was dropped.
    wait_group: TryLock<Option<Arc<WaitGroup>>>,
}

impl<T> TaskCell<T> {
    fn new() -> Self {
        Self {
            outcome: TryLock::new(None),
            sequence: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            expired: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            cancellers: AtomicU32::new(1),
            was_polled: AtomicBool::new(false),
            handle_waker: AtomicWaker::new(),
            task_waker: AtomicWaker::new(),
            wait_group: TryLock::new(None),
        }
    }

    /// The handle is gone: drops the outcome, now or as soon as there is one, and the wakers.
    fn abandon(&self) {
        if self.sequence().is_none() {
            self.abandoned.store(true, Ordering::SeqCst);
            drop(self.handle_waker.take());
            self.remove_canceller();
            fence(Ordering::SeqCst);
            if self.sequence().is_none() {
                return;
            }
        }
        drop(self.take_outcome());
    }

    fn take_outcome(&self) -> Option<Outcome<T>> {
        self.outcome.try_lock()?.take()
    }

    /// Joins the task to a wait group, if it has not completed.
    fn join_wait_group(&self, current_wait_group: impl FnOnce() -> Option<Arc<WaitGroup>>) {
        if self.sequence().is_some() {
            return;
        }
        let Some(wait_group) = current_wait_group() else { return };
        let Some(mut slot) = self.wait_group.try_lock() else {
            // The task has completed, and looks whether it must leave a wait group.
            return;
        };
        wait_group.add();
        *slot = Some(wait_group);
        drop(slot);
        fence(Ordering::SeqCst);
        if self.sequence().is_some() {
            self.leave_wait_group();
        }
    }

    /// Leaves the wait group. Both the task and its handle may call this, and one of them finds the group.
    fn leave_wait_group(&self) {
        let wait_group = self.wait_group.try_lock().and_then(|mut slot| slot.take());
        if let Some(wait_group) = wait_group {
            wait_group.done();
        }
    }

    /// Polls for the outcome and takes it.
    fn poll_outcome(&self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        if self.sequence().is_none() {
            self.handle_waker.register(cx.waker());
            if self.sequence().is_none() {
                return Poll::Pending;
            }
        }
        // The outcome is taken once. A task that is polled after that reports that it has stopped.
        Poll::Ready(self.take_outcome().unwrap_or(Outcome::Cancelled))
    }
}

impl<T> AnyTaskCell for TaskCell<T> {
    fn request_cancel(&self) {
        if self.sequence().is_none() {
            self.cancelled.store(true, Ordering::SeqCst);
            self.task_waker.wake();
        }
    }

    fn sequence(&self) -> Option<usize> {
        NonZeroUsize::new(self.sequence.load(Ordering::Acquire)).map(NonZeroUsize::get)
    }

    fn add_canceller(&self) {
        self.cancellers.fetch_add(1, Ordering::Relaxed);
    }

    fn remove_canceller(&self) {
        if self.sequence().is_none() && self.cancellers.fetch_sub(1, Ordering::SeqCst) == 1 {
            drop(self.task_waker.take());
        }
    }
}

/// The owner of a task, as the task sees it: the cell that it shares with its handle or its loop, or the group that it
/// is a child of.
pub(crate) trait Owner {
    /// What the task's future returns.
    type Output;

    /// An id that no other live owner has, unless they are one: a task does not wait for its own handle.
    fn id(&self) -> usize;

    /// What the task is to do at a poll. An owner has `cx` woken when that changes, from now on or from the next call of
    /// [`must_stop`](Self::must_stop) on.
    fn poll_request(&mut self, cx: &mut Context<'_>) -> Request;

    /// Whether a request was to run.
    fn was_polled(&self) -> bool;

    /// Whether the task is to stop, and not wait for the next poll. Called when its future was pending.
    fn must_stop(&mut self, cx: &mut Context<'_>) -> bool;

    /// The future is not polled any more, and will be dropped. Called once.
    fn on_last_poll(&self);

    /// The future has been dropped, and so has all that it had started. Called once.
    fn complete(self, outcome: Outcome<Self::Output>);
}

/// What a task is to do at a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Poll its future.
    Run,
    /// Drop its future.
    Stop,
    /// Neither: the owner will wake it.
    Wait,
}

impl<T> Owner for Arc<TaskCell<T>> {
    type Output = T;

    /// The address of the cell.
    fn id(&self) -> usize {
        Self::as_ptr(self).addr()
    }

    fn poll_request(&mut self, cx: &mut Context<'_>) -> Request {
        self.task_waker.register(cx.waker());
        if self.cancellers.load(Ordering::SeqCst) == 0 {
            drop(self.task_waker.take());
        }
        let is_cancelled = self.cancelled.load(Ordering::SeqCst);
        // A task that has expired is polled once.
        if is_cancelled || self.was_polled() && self.expired.load(Ordering::SeqCst) {
            Request::Stop
        } else {
            self.was_polled.store(true, Ordering::Relaxed);
            Request::Run
        }
    }

    fn was_polled(&self) -> bool {
        self.was_polled.load(Ordering::Relaxed)
    }

    fn must_stop(&mut self, _cx: &mut Context<'_>) -> bool {
        self.cancelled.load(Ordering::SeqCst) || self.expired.load(Ordering::SeqCst)
    }

    fn on_last_poll(&self) {}

    fn complete(self, outcome: Outcome<T>) {
        if let Some(mut slot) = self.outcome.try_lock() {
            *slot = Some(outcome);
        }
        self.sequence.store(next_sequence(), Ordering::Release);
        self.task_waker.take();
        self.handle_waker.wake();
        fence(Ordering::SeqCst);
        self.leave_wait_group();
        if self.abandoned.load(Ordering::SeqCst) {
            // No task receives the panic of a destructor here.
            drop(catch(|| drop(self.take_outcome())));
        }
    }
}

pin_project! {
    /// The future that a runtime polls for a task.
    ///
    /// A runtime has one for each task that is alive, and some round its size up. So it is as small as it can be: see
    /// [`InPlace`].
    pub(crate) struct Run<F, O = Arc<TaskCell<<F as Future>::Output>>>
    where
        F: Future,
        O: Owner,
    {
        #[pin]
        stage: InPlace<F, O, Option<Box<Completing<O>>>>,
    }

    impl<F, O> PinnedDrop for Run<F, O>
    where
        F: Future,
        O: Owner,
    {
        fn drop(this: Pin<&mut Self>) {
            // A runtime that shuts down drops its tasks. Their handles must not wait forever.
            let mut stage = this.project().stage;
            match stage.as_mut().get() {
                Ok((_, owner)) => {
                    owner.on_last_poll();
                    if let Some((owner, dropped)) = stage.drop_future() {
                        let outcome = after_drop(stopped(owner.was_polled()), dropped);
                        owner.complete(outcome);
                    }
                }
                Err(completing) => completing.take().into_iter().for_each(|task| task.complete()),
            }
        }
    }
}

/// A task that waits for the tasks that were dropped with its future. Boxed, because few do, and every task has the
/// room for it.
pub(crate) struct Completing<O: Owner> {
    owner: O,
    outcome: Outcome<O::Output>,
    wait_group: Arc<WaitGroup>,
}

impl<O: Owner> Completing<O> {
    fn complete(self) {
        self.owner.complete(self.outcome);
    }
}

/// Makes a task of `future` that nothing polls yet.
pub(crate) fn pair<F: Future>(future: F) -> (Task<F::Output>, Run<F>) {
    let cell = Arc::new(TaskCell::new());
    let task = Task { cell: cell.clone(), detached: false };
    (task, Run::new(future, cell))
}

/// The outcome of a task that was stopped.
fn stopped<T>(was_polled: bool) -> Outcome<T> {
    if was_polled { Outcome::Cancelled } else { Outcome::NotRun }
}

/// The outcome of a task whose future was dropped: a panic of its destructors takes precedence.
fn after_drop<T>(outcome: Outcome<T>, dropped: Result<(), Panic>) -> Outcome<T> {
    match dropped {
        Ok(()) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    }
}

impl<F: Future> Run<F> {
    /// Completes a task that was asked to stop before it was first polled. Returns the task if it must wait
    /// for tasks that were dropped with its future.
    pub(crate) fn stop_unpolled(mut self) -> Option<Self> {
        let owner = self.stage.owner()?;
        // A task that was cancelled has not run. One that has expired counts as polled.
        let outcome = stopped(!owner.cancelled.load(Ordering::SeqCst));
        let (dropped, wait_group) =
            with_wait_group(Some(owner.id()), || self.stage.drop_unpinned_future());
        let (owner, dropped) = dropped?;
        let outcome = after_drop(outcome, dropped);
        match wait_group {
            None => {
                owner.complete(outcome);
                None
            }
            Some(wait_group) => {
                let completing = Completing { owner, outcome, wait_group };
                self.stage = InPlace::ended(Some(Box::new(completing)));
                Some(self)
            }
        }
    }
}

impl<F: Future<Output = O::Output>, O: Owner> Run<F, O> {
    /// Makes the task of `owner` that runs `future`.
    pub(crate) fn new(future: F, owner: O) -> Self {
        Self { stage: InPlace::new(future, owner) }
    }

    /// Drops the future, waits for the tasks that are dropped with it, and completes the task.
    fn poll_complete(
        mut self: Pin<&mut Self>,
        outcome: Outcome<F::Output>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut stage = self.as_mut().project().stage;
        let Ok((_, owner)) = stage.as_mut().get() else { return Poll::Ready(()) };
        owner.on_last_poll();
        let id = owner.id();
        let (dropped, wait_group) = with_wait_group(Some(id), || stage.as_mut().drop_future());
        let Some((owner, dropped)) = dropped else { return Poll::Ready(()) };
        let outcome = after_drop(outcome, dropped);
        match wait_group {
            None => {
                owner.complete(outcome);
                Poll::Ready(())
            }
            Some(wait_group) => {
                if let Err(completing) = stage.get() {
                    *completing = Some(Box::new(Completing { owner, outcome, wait_group }));
                }
                self.poll_wait_group(cx)
            }
        }
    }

    fn poll_wait_group(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Err(completing) = self.project().stage.get()
            && let Some(task) = completing
        {
            ready!(task.wait_group.poll_wait(cx));
            completing.take().into_iter().for_each(|task| task.complete());
        }
        Poll::Ready(())
    }
}

impl<F: Future<Output = O::Output>, O: Owner> Future for Run<F, O> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Ok((future, owner)) = self.as_mut().project().stage.get() else {
            return self.poll_wait_group(cx);
        };
        match owner.poll_request(cx) {
            Request::Run => {}
            Request::Stop => {
                let outcome = stopped(owner.was_polled());
                return self.poll_complete(outcome, cx);
            }
            Request::Wait => return Poll::Pending,
        }
        match catch(|| future.poll(cx)) {
            Ok(Poll::Pending) if owner.must_stop(cx) => self.poll_complete(Outcome::Cancelled, cx),
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => self.poll_complete(Outcome::Ok(value), cx),
            Err(panic) => self.poll_complete(Outcome::Panicked(panic), cx),
        }
    }
}
