//! The children of a scope: futures in the task that polls the group.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering, fence};
use core::task::{Context, Poll, ready};

use concurrent_queue::ConcurrentQueue;
use pin_project_lite::pin_project;

use super::child::{AnyChild, Child, ChildCell, ChildOutput, HandleGuard};
use super::children::{Children, Report};
use super::group_state::GroupState;
use crate::engine::{Completion, FutureSet, JobHandle};
use crate::outcome::catch;
use crate::wait_group::{WaitGroup, with_wait_group};
use crate::{Closed, Outcome, Panic};

/// What the handles of a scope share with its driver.
pub(super) struct ScopeState<J> {
    pub(super) state: GroupState,
    /// Children that were admitted and that the driver has not taken yet.
    arrivals: ConcurrentQueue<(usize, J)>,
    /// The driver was dropped, and takes no arrivals any more.
    driver_is_gone: AtomicBool,
}

impl<J> ScopeState<J> {
    #[inline(never)] // its temporary must not be on the stack of the task that polls the scope
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: GroupState::new(),
            arrivals: ConcurrentQueue::unbounded(),
            driver_is_gone: AtomicBool::new(false),
        })
    }

    /// Admits a child, unless the scope is closed. `make` makes it.
    pub(super) fn admit<T>(
        &self,
        make: impl FnOnce() -> (Child<T>, J),
    ) -> Result<Child<T>, Closed> {
        let index = self.state.admit()?;
        let (child, job) = make();
        let is_open = self.arrivals.push((index, job)).is_ok();
        debug_assert!(is_open, "the queue of arrivals is never closed");
        // Either the dropped driver sees this arrival, or this load sees that the driver was dropped.
        fence(Ordering::SeqCst);
        if self.driver_is_gone.load(Ordering::SeqCst)
            && let Some(panic) = self.drop_arrivals()
        {
            panic.resume_unless_panicking();
        }
        self.state.wake();
        Ok(child)
    }

    /// Drops the arrivals one by one, and returns the first panic.
    ///
    /// A child may hold a handle to its group, and so an arrival would keep the group alive that holds it.
    fn drop_arrivals(&self) -> Option<Panic> {
        let mut first = None;
        while let Ok(arrival) = self.arrivals.pop() {
            if let Err(panic) = catch(|| drop(arrival)) {
                first.get_or_insert(panic);
            }
        }
        first
    }
}

impl<J> fmt::Debug for ScopeState<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

/// How a child has completed, for its scope.
pub(super) enum ChildCompletion<E, C: AnyChild + ?Sized> {
    /// The scope has nothing to do: the value went to the handle, the child was cancelled alone, or its result
    /// went to the task that started it.
    Completed,
    /// The child failed. Its handle completes when the guard is dropped.
    Failed { error: E, handle: HandleGuard<C> },
    /// The child panicked. Its handle completes when the guard is dropped.
    Panicked { panic: Panic, handle: HandleGuard<C> },
}

pin_project! {
    /// The future that a scope runs for a child.
    pub(super) struct RunChild<F, T, C>
    where
        C: AnyChild,
        C: ?Sized,
    {
        // Before the handle, and so dropped before it completes.
        #[pin]
        future: Option<F>,
        cell: Arc<ChildCell<T>>,
        // Completes the child's own handle, also if the child is dropped.
        handle: Option<HandleGuard<C>>,
        // Set while a child that was cancelled alone waits for the tasks that were dropped with its future.
        stopping: Option<Stopping>,
    }

    impl<F, T, C> PinnedDrop for RunChild<F, T, C>
    where
        C: AnyChild,
        C: ?Sized,
    {
        fn drop(this: Pin<&mut Self>) {
            if let Some(Stopping { wait_group, panic }) = this.project().stopping.take() {
                wait_group.join_current();
                // The group resumes it, and waits for the tasks.
                if let Some(panic) = panic {
                    panic.resume_unless_panicking();
                }
            }
        }
    }
}

/// A child whose future was dropped, until its tasks have stopped.
struct Stopping {
    wait_group: Arc<WaitGroup>,
    /// That of a destructor.
    panic: Option<Panic>,
}

/// Makes a child of `future`, which the caller has yet to run. `erase` erases the type of its value.
pub(super) fn run_child<F, T, C>(
    future: F,
    erase: impl FnOnce(Arc<ChildCell<T>>) -> Arc<C>,
) -> (Child<T>, RunChild<F, T, C>)
where
    F: Future<Output: ChildOutput<Value = T>>,
    C: AnyChild + ?Sized,
{
    let cell = Arc::new(ChildCell::new());
    let handle = Some(HandleGuard::new(erase(cell.clone())));
    (Child::new(cell.clone()), RunChild { future: Some(future), cell, handle, stopping: None })
}

impl<F, T, E, C> Future for RunChild<F, T, C>
where
    F: Future<Output: ChildOutput<Value = T, Error = E>>,
    C: AnyChild + ?Sized,
{
    type Output = ChildCompletion<E, C>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        if let Some(stopping) = this.stopping {
            ready!(stopping.wait_group.poll_wait(cx));
            let panic = this.stopping.take().and_then(|stopping| stopping.panic);
            let handle = this.handle.take();
            return Poll::Ready(match (panic, handle) {
                (Some(panic), Some(handle)) => ChildCompletion::Panicked { panic, handle },
                (Some(_), None) | (None, _) => ChildCompletion::Completed,
            });
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(ChildCompletion::Completed);
        };
        this.cell.register_child(cx);
        // The destructors run before anything is notified that the child has completed.
        let (polled, dropped) = if this.cell.is_cancelled() {
            let (dropped, wait_group) = with_wait_group(None, || catch(|| this.future.set(None)));
            if let Some(wait_group) = wait_group {
                *this.stopping = Some(Stopping { wait_group, panic: dropped.err() });
                return self.poll(cx);
            }
            (Ok(None), dropped)
        } else {
            let polled = match catch(|| future.poll(cx)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Ok(output.into_result()),
                Err(panic) => Err(panic),
            };
            (polled, catch(|| this.future.set(None)))
        };
        let handle = this.handle.take().expect("a child completes once");
        Poll::Ready(match (polled, dropped) {
            (Err(panic), _) | (_, Err(panic)) => ChildCompletion::Panicked { panic, handle },
            (Ok(Some(Err(error))), Ok(())) => ChildCompletion::Failed { error, handle },
            (Ok(Some(Ok(value))), Ok(())) => {
                this.cell.complete(Some(value));
                ChildCompletion::Completed
            }
            (Ok(None), Ok(())) => ChildCompletion::Completed,
        })
    }
}

/// The driver's part in a scope.
pub(super) struct InlineChildren<J> {
    scope: Arc<ScopeState<J>>,
    started: FutureSet<J>,
    pass: Pass,
    /// A child has failed. Those that have arrived are dropped when the group stops, and not polled.
    starts_no_more: bool,
}

/// What the next step of a pass does.
#[derive(Debug, Clone, Copy)]
enum Pass {
    Arrivals { left: usize },
    Started,
}

impl<J: JobHandle> InlineChildren<J> {
    #[inline(always)] // so that it is constructed in place
    pub(super) fn new(scope: Arc<ScopeState<J>>) -> Self {
        Self { scope, started: FutureSet::new(), pass: Pass::Started, starts_no_more: false }
    }

    /// Moves what has arrived into the set, without polling it.
    fn take_arrivals(&mut self) {
        while let Ok((index, child)) = self.scope.arrivals.pop() {
            self.started.insert(index, || child);
        }
    }
}

impl<E, C, J> InlineChildren<J>
where
    C: AnyChild + ?Sized,
    J: JobHandle<Output = ChildCompletion<E, C>>,
{
    /// Starts the next child that has arrived: polls it once. `None` if there is none.
    fn start_arrival(&mut self) -> Option<Option<Report<E, HandleGuard<C>>>> {
        let (index, child) = self.scope.arrivals.pop().ok()?;
        if self.scope.state.is_closed() {
            return Some(Some(self.refuse(index, child)));
        }
        let mut child = Some(child);
        let next = || match child.take() {
            Some(child) => ControlFlow::Continue((index, child)),
            None => ControlFlow::Break(None),
        };
        let on_complete = |completion| ControlFlow::Break(Some(completion));
        let started = self.started.start(None, 1, next, |_index, child| child, on_complete);
        let completion = started.break_value().flatten();
        Some(completion.and_then(|completion| self.complete(completion)))
    }

    /// Drops a child that was admitted before the scope closed, and has arrived too late to start.
    fn refuse(&mut self, index: usize, child: J) -> Report<E, HandleGuard<C>> {
        let dropped = self.started.insert_cancelled(index, child);
        self.scope.state.complete(1);
        match dropped {
            Ok(()) => Report::Stopped { index },
            Err(panic) => Report::Panicked { panic, handle: None },
        }
    }

    fn complete(
        &self,
        completion: Completion<ChildCompletion<E, C>>,
    ) -> Option<Report<E, HandleGuard<C>>> {
        self.scope.state.complete(1);
        let Completion { index, seq, outcome } = completion;
        Some(match outcome {
            Outcome::Ok(ChildCompletion::Completed) => return None,
            Outcome::Ok(ChildCompletion::Failed { error, handle }) => {
                Report::Failed { index, seq, error, handle: Some(handle) }
            }
            Outcome::Ok(ChildCompletion::Panicked { panic, handle }) => {
                Report::Panicked { panic, handle: Some(handle) }
            }
            Outcome::Panicked(panic) => Report::Panicked { panic, handle: None },
            Outcome::Err(never) => match never {},
            Outcome::TimedOut | Outcome::Lost | Outcome::Cancelled | Outcome::NotRun => {
                Report::Lost
            }
        })
    }
}

impl<E, C, J> Children for InlineChildren<J>
where
    C: AnyChild + ?Sized,
    J: JobHandle<Output = ChildCompletion<E, C>>,
{
    type Error = E;
    type Handle = HandleGuard<C>;

    const ARE_INLINE: bool = true;

    fn state(&self) -> &GroupState {
        &self.scope.state
    }

    fn supervise(&mut self) {}

    fn begin_pass(&mut self) {
        self.pass = Pass::Arrivals { left: self.scope.arrivals.len() };
    }

    fn step(&mut self) -> Option<Option<Report<E, HandleGuard<C>>>> {
        if let Pass::Arrivals { left } = self.pass {
            if left > 0
                && !self.starts_no_more
                && let Some(report) = self.start_arrival()
            {
                self.pass = Pass::Arrivals { left: left - 1 };
                return Some(report);
            }
            self.started.next_round();
            self.pass = Pass::Started;
        }
        let polled = self.started.poll_next_woken()?;
        Some(polled.and_then(|completion| self.complete(completion)))
    }

    fn has_reports(&self) -> bool {
        false
    }

    fn on_last_poll_of_body(&self) {}

    fn indices(&mut self) -> Vec<usize> {
        self.take_arrivals();
        self.started.indices()
    }

    fn stop(&mut self, panicked: impl FnMut(Panic)) {
        self.take_arrivals();
        let before = self.started.len();
        self.started.cancel(panicked);
        self.scope.state.complete(before - self.started.len());
    }

    fn defer(&self, handle: HandleGuard<C>) {
        // No child is polled any more.
        drop(handle);
    }

    fn stop_starting(&mut self) {
        self.starts_no_more = true;
    }

    fn end_turn(&mut self) {
        self.started.end_turn();
    }

    fn sleep(&mut self, cx: &mut Context<'_>) -> bool {
        self.scope.arrivals.is_empty() && self.started.sleep(cx)
    }

    fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.started.poll_wait_groups(cx));
        Poll::Ready(())
    }

    fn abandon(&mut self) -> Option<Panic> {
        self.scope.driver_is_gone.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.scope.drop_arrivals()
    }

    fn next_sequence() -> usize {
        J::next_sequence()
    }
}
