//! The children of a task group: tasks of a runtime.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, Ordering, fence};
use core::task::{Context, Poll};

use concurrent_queue::ConcurrentQueue;
use try_lock::TryLock;

use super::child::{ChildCell, ChildOutput, HandleGuard};
use super::children::{Children, Report};
use super::deferred_notify::DeferredNotify;
use super::group_state::GroupState;
use super::running_children::{Erased, RunningChildren};
use crate::outcome::catch;
use crate::task::{Owner, Request, Run, next_sequence};
use crate::wait_group::{WaitGroup, current_wait_group};
use crate::{Closed, Outcome, Panic};

/// What the children of a task group share with its handles and its driver.
///
/// A child owns itself. When it completes, on its own thread, it gives its value to its handle, removes itself from the
/// set of running children, and counts itself as completed. Only of a failure, a panic or a stop does it leave a
/// report for the driver. So nothing is kept of a child that has completed, whether the driver is polled or not, and
/// the driver is woken only by a failure and by the last child.
///
/// When the group is closed, each child that is polled sees that before, and once more after a poll that was pending,
/// and stops by itself; the driver wakes those that wait.
///
/// A child that fails does not close the group: it is the driver that closes it, and siblings that fail meanwhile are
/// reported, too. But from then on no child is polled for the first time. Such a child waits for the driver and does not
/// stop by itself: its handle must not complete before the driver has stopped the body.
pub(super) struct TaskGroup<E> {
    pub(super) state: GroupState,
    running: RunningChildren,
    reports: ConcurrentQueue<Report<E, HandleGuard<Erased>>>,
    deferred: DeferredNotify<Erased>,
    is_supervised: AtomicBool,
    /// A report is on its way that will make the driver close the group.
    is_failing: AtomicBool,
    /// The wait group of a group whose driver was dropped.
    wait_group: TryLock<Option<Arc<WaitGroup>>>,
}

/// The task of a child.
pub(super) type RunChild<F, T, E> = Run<F, ChildTask<<F as Future>::Output, T, E>>;

impl<E> TaskGroup<E> {
    #[inline(never)] // its temporary must not be on the stack of the task that polls the group
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: GroupState::new(),
            running: RunningChildren::new(),
            reports: ConcurrentQueue::unbounded(),
            deferred: DeferredNotify::new(),
            is_supervised: AtomicBool::new(false),
            is_failing: AtomicBool::new(false),
            wait_group: TryLock::new(None),
        })
    }

    /// Admits a child that runs `future`, unless the group is closed. Returns what it shares with its handle, its index,
    /// and the task that the caller must spawn.
    pub(super) fn admit<F, T>(
        self: &Arc<Self>,
        future: F,
    ) -> Result<(Arc<ChildCell<T>>, usize, RunChild<F, T, E>), Closed>
    where
        F: Future<Output: ChildOutput<Value = T, Error = E>>,
        T: Send + 'static,
    {
        // Active before it is admitted: the runtime may poll it while the group stops.
        self.deferred.activate_one();
        let index = self.state.admit().inspect_err(|Closed| self.deferred.deactivate_one())?;
        let cell = Arc::new(ChildCell::new());
        // Before it is spawned: the runtime may run it before `spawn` has returned.
        let erased: Arc<Erased> = cell.clone();
        self.running.add(index, Arc::downgrade(&erased));
        let task =
            ChildTask { cell: cell.clone(), group: self.clone(), index, output: PhantomData };
        Ok((cell, index, Run::new(future, task)))
    }

    fn report(&self, report: Report<E, HandleGuard<Erased>>) {
        let stops_group = match report {
            Report::Failed { .. } => !self.is_supervised.load(Ordering::SeqCst),
            Report::Panicked { .. } => true,
            Report::Stopped { .. } | Report::Lost => false,
        };
        let must_wake = !matches!(report, Report::Stopped { .. });
        if let Err(refused) = self.reports.push(report) {
            // The driver is gone, and no task receives it.
            drop(catch(|| drop(refused)));
            return;
        }
        // After the report: a child that sees this relies on the driver to see that.
        if stops_group {
            self.is_failing.store(true, Ordering::SeqCst);
        }
        if must_wake {
            self.state.wake();
        }
    }

    /// Counts a child as completed.
    fn complete_one(&self) {
        if self.state.complete(1) {
            self.state.wake();
            fence(Ordering::SeqCst);
            self.leave_wait_group();
        }
    }

    /// Has the body that drops the driver wait for the children: as a dropped handle of a task does.
    fn join_wait_group(&self) {
        if self.state.is_complete() {
            return;
        }
        let Some(wait_group) = current_wait_group(self.id()) else { return };
        let Some(mut slot) = self.wait_group.try_lock() else {
            // The last child has completed, and looks whether it must leave a wait group.
            return;
        };
        wait_group.add();
        *slot = Some(wait_group);
        drop(slot);
        fence(Ordering::SeqCst);
        if self.state.is_complete() {
            self.leave_wait_group();
        }
    }

    fn leave_wait_group(&self) {
        let wait_group = self.wait_group.try_lock().and_then(|mut slot| slot.take());
        if let Some(wait_group) = wait_group {
            wait_group.done();
        }
    }

    /// The id of the group and of all its children, as owners of tasks: a child that drops its own group does not wait
    /// for itself.
    fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}

/// The owner of a child's task: the group, and the cell that the child shares with its handle.
pub(super) struct ChildTask<O, T, E> {
    cell: Arc<ChildCell<T>>,
    group: Arc<TaskGroup<E>>,
    index: usize,
    output: PhantomData<fn(O)>,
}

impl<O, T, E> Owner for ChildTask<O, T, E>
where
    O: ChildOutput<Value = T, Error = E>,
    T: Send + 'static,
{
    type Output = O;

    fn id(&self) -> usize {
        self.group.id()
    }

    fn poll_request(&self, was_polled: bool, cx: &mut Context<'_>) -> Request {
        self.cell.register_child(cx);
        if self.has_stopped() {
            Request::Stop
        } else if !was_polled && self.group.is_failing.load(Ordering::SeqCst) {
            Request::Wait
        } else {
            Request::Run
        }
    }

    fn has_stopped(&self) -> bool {
        self.group.state.is_closed() || self.cell.is_cancelled()
    }

    fn on_last_poll(&self) {
        self.group.deferred.deactivate_one();
    }

    fn complete(&self, outcome: Outcome<O>) {
        let Self { cell, group, index, .. } = self;
        let index = *index;
        // Completes the handle without a value, if it is dropped here.
        let handle = HandleGuard::new(cell.clone() as Arc<Erased>);
        match outcome {
            Outcome::Ok(output) => match output.into_result() {
                Some(Ok(value)) => cell.complete(Some(value)),
                Some(Err(error)) => {
                    group.report(Report::Failed { index, seq: next_sequence(), error, handle });
                }
                None => {}
            },
            Outcome::Err(never) => match never {},
            Outcome::Panicked(panic) => {
                group.report(Report::Panicked { panic, handle: Some(handle) });
            }
            Outcome::TimedOut | Outcome::Cancelled | Outcome::NotRun => {
                if group.state.is_closed() {
                    group.report(Report::Stopped { index });
                    group.deferred.defer(handle);
                } else if !cell.is_cancelled() {
                    group.report(Report::Lost);
                    group.deferred.defer(handle);
                }
            }
        }
        group.running.remove(index);
        group.complete_one();
    }
}

/// The driver's part in a [`TaskGroup`].
pub(super) struct TaskChildren<E> {
    group: Arc<TaskGroup<E>>,
    /// How many reports this pass has yet to take.
    left: usize,
}

impl<E> TaskChildren<E> {
    #[inline(always)] // so that it is constructed in place
    pub(super) fn new(group: Arc<TaskGroup<E>>) -> Self {
        Self { group, left: 0 }
    }
}

impl<E> Children for TaskChildren<E> {
    type Error = E;
    type Handle = HandleGuard<Erased>;

    const ARE_INLINE: bool = false;

    fn state(&self) -> &GroupState {
        &self.group.state
    }

    fn supervise(&mut self) {
        self.group.is_supervised.store(true, Ordering::SeqCst);
    }

    fn begin_pass(&mut self) {
        self.left = self.group.reports.len();
    }

    fn step(&mut self) -> Option<Option<Report<E, Self::Handle>>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.group.reports.pop().ok())
    }

    fn has_reports(&self) -> bool {
        !self.group.reports.is_empty()
    }

    fn on_last_poll_of_body(&self) {
        self.group.deferred.deactivate_one();
    }

    fn indices(&mut self) -> Vec<usize> {
        Vec::new()
    }

    fn stop(&mut self, _panicked: impl FnMut(Panic)) {
        self.group.running.wake_all();
    }

    fn defer(&self, handle: Self::Handle) {
        self.group.deferred.defer(handle);
    }

    fn stop_starting(&mut self) {}

    fn end_turn(&mut self) {}

    fn sleep(&mut self, _cx: &mut Context<'_>) -> bool {
        !self.has_reports() && !self.group.state.is_complete()
    }

    fn poll_wait_groups(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        // Each child has waited for its own.
        self.group.deferred.close();
        Poll::Ready(())
    }

    fn abandon(&mut self) -> Option<Panic> {
        let group = &self.group;
        group.deferred.close();
        group.reports.close();
        let mut first = None;
        while let Ok(report) = group.reports.pop() {
            if let Err(panic) = catch(|| drop(report)) {
                first.get_or_insert(panic);
            }
        }
        group.join_wait_group();
        group.running.wake_all();
        first
    }

    fn next_sequence() -> usize {
        next_sequence()
    }
}
