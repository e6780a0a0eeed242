//! The children of a task group: tasks of a runtime.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering, fence};
use core::task::{Context, Poll, RawWakerVTable, Waker};

use concurrent_queue::ConcurrentQueue;
use try_lock::TryLock;

use super::child::{ChildCell, ChildOutput, Erased, HandleGuard};
use super::children::{Children, Report};
use super::deferred_notify::DeferredNotify;
use super::group_state::GroupState;
use super::running_children::RunningChildren;
use crate::outcome::catch;
use crate::task::{Owner, Request, Run, next_sequence};
use crate::wait_group::{WaitGroup, current_wait_group};
use crate::{Closed, Outcome, Panic};

/// What the children of a task group share with its handles and its driver.
///
/// A child owns itself. When it completes, on its own thread, it gives its value to its handle, removes itself from the
/// set of running children, and counts itself as completed. Only of a failure, a panic or a stop does it leave a
/// report for the driver. So nothing is kept of a child that has completed, whether the driver is polled or not, and
/// the driver is woken only by a failure and by the last child. And a child whose handle was dropped keeps no cell.
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
    /// The vtable of the first waker that was added to `running`: most likely that of all wakers of the runtime's tasks.
    vtable: AtomicPtr<RawWakerVTable>,
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
            vtable: AtomicPtr::new(ptr::null_mut()),
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
        let link = Link::Handle { index: Index::new(index), was_polled: false, cell: cell.clone() };
        let task = ChildTask { link, group: self.clone(), output: PhantomData };
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

    /// Whether this is the vtable of the first waker, perhaps of this one.
    fn is_usual_vtable(&self, vtable: &'static RawWakerVTable) -> bool {
        let vtable = ptr::from_ref(vtable).cast_mut();
        let (none, relaxed) = (ptr::null_mut(), Ordering::Relaxed);
        let first = match self.vtable.load(relaxed) {
            first if first.is_null() => {
                self.vtable.compare_exchange(none, vtable, relaxed, relaxed)
            }
            first => Err(first),
        };
        first.map_or_else(|first| ptr::eq(first, vtable), |_| true)
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

/// The owner of a child's task: the group, and what the child shares with its handle.
pub(super) struct ChildTask<O, T, E> {
    link: Link<T>,
    group: Arc<TaskGroup<E>>,
    output: PhantomData<fn(O)>,
}

/// What a child knows of itself and of its handle.
///
/// In both variants, index and flag are beside the tag of the enum. A runtime may round the size of a task up: with eight
/// bytes more, tokio needs 128 more for a child that sleeps.
enum Link<T> {
    /// The handle may take the child's value, or cancel it alone.
    Handle { index: Index, was_polled: bool, cell: Arc<ChildCell<T>> },
    /// The handle was dropped, and so was the cell. `added` is that of the cell.
    Dropped { index: Index, was_polled: bool, added: usize },
}

/// The index of a child. A group has no more children than fit in 48 bits.
#[derive(Clone, Copy)]
struct Index([u16; 3]);

impl Index {
    fn new(index: usize) -> Self {
        let [.., high, middle, low] = [32, 16, 0].map(|shift| (index as u64 >> shift) as u16);
        Self([high, middle, low])
    }

    fn get(self) -> usize {
        self.0.iter().fold(0_u64, |index, &part| index << 16 | u64::from(part)) as usize
    }
}

impl<T> Link<T> {
    fn index(&self) -> usize {
        let (Self::Handle { index, .. } | Self::Dropped { index, .. }) = self;
        index.get()
    }

    fn was_polled(&self) -> bool {
        let (Self::Handle { was_polled, .. } | Self::Dropped { was_polled, .. }) = *self;
        was_polled
    }

    fn set_polled(&mut self) {
        let (Self::Handle { was_polled, .. } | Self::Dropped { was_polled, .. }) = self;
        *was_polled = true;
    }

    /// The cell, if the handle was not dropped.
    fn cell(&self) -> Option<&Arc<ChildCell<T>>> {
        match self {
            // The handle has the only other reference.
            Self::Handle { cell, .. } if Arc::strong_count(cell) > 1 => Some(cell),
            Self::Handle { .. } | Self::Dropped { .. } => None,
        }
    }

    fn is_cancelled(&self) -> bool {
        match self {
            Self::Handle { cell, .. } => cell.is_cancelled(),
            Self::Dropped { .. } => false,
        }
    }

    /// Drops the cell if the handle was dropped, and has not cancelled the child before.
    fn drop_unshared_cell(&mut self) {
        if self.cell().is_some() {
            return;
        }
        // What the handle did before its drop.
        fence(Ordering::Acquire);
        if let Self::Handle { index, was_polled, cell } = self
            && !cell.is_cancelled()
        {
            let (index, was_polled, added) = (*index, *was_polled, cell.added());
            *self = Self::Dropped { index, was_polled, added };
        }
    }
}

impl<O, T, E> ChildTask<O, T, E> {
    /// Has `waker` woken when the group is closed.
    fn add_waker(&mut self, waker: &Waker) {
        let added = match &self.link {
            Link::Handle { cell, .. } => cell.added(),
            Link::Dropped { added, .. } => *added,
        };
        let is_usual = self.group.is_usual_vtable(waker.vtable());
        let data = if is_usual { waker.data().addr() } else { 0 };
        if data != 0 && data == added {
            return;
        }
        self.group.running.add(self.link.index(), waker.clone());
        match &mut self.link {
            Link::Handle { cell, .. } => cell.set_added(data),
            Link::Dropped { added, .. } => *added = data,
        }
    }
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

    fn poll_request(&mut self, cx: &mut Context<'_>) -> Request {
        self.link.drop_unshared_cell();
        if let Link::Handle { cell, .. } = &self.link {
            cell.register_child(cx);
        }
        self.add_waker(cx.waker());
        if self.must_stop(cx) {
            Request::Stop
        } else if !self.was_polled() && self.group.is_failing.load(Ordering::SeqCst) {
            Request::Wait
        } else {
            self.link.set_polled();
            Request::Run
        }
    }

    fn was_polled(&self) -> bool {
        self.link.was_polled()
    }

    fn must_stop(&mut self, _cx: &mut Context<'_>) -> bool {
        self.group.state.is_closed() || self.link.is_cancelled()
    }

    fn on_last_poll(&self) {
        self.group.deferred.deactivate_one();
    }

    fn complete(self, outcome: Outcome<O>) {
        let (group, index, cell) = (&self.group, self.link.index(), self.link.cell());
        // Completes the handle without a value, if it is dropped here.
        let handle = cell.map(|cell| HandleGuard::new(cell.clone() as Arc<Erased>));
        match outcome {
            Outcome::Ok(output) => match (output.into_result(), cell) {
                (Some(Ok(value)), Some(cell)) => cell.complete(Some(value)),
                (Some(Ok(value)), None) => {
                    if let Err(panic) = catch(|| drop(value)) {
                        group.report(Report::Panicked { panic, handle: None });
                    }
                }
                (Some(Err(error)), _) => {
                    group.report(Report::Failed { index, seq: next_sequence(), error, handle });
                }
                (None, _) => {}
            },
            Outcome::Err(never) => match never {},
            Outcome::Panicked(panic) => {
                group.report(Report::Panicked { panic, handle });
            }
            Outcome::TimedOut | Outcome::Lost | Outcome::Cancelled | Outcome::NotRun => {
                if group.state.is_closed() {
                    group.report(Report::Stopped { index });
                    handle.into_iter().for_each(|handle| group.deferred.defer(handle));
                } else if !self.link.is_cancelled() {
                    group.report(Report::Lost);
                    handle.into_iter().for_each(|handle| group.deferred.defer(handle));
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
