//! What every group is: a body, its children wherever they run, and the rule that all of them end
//! together.

use alloc::sync::Arc;
use core::fmt;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use core::task::{Context, Poll, ready};

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;

use super::child::{ChildEnd, HandleGuard, Settle};
use super::deferred_notify::DeferredNotify;
use super::grouped::{Completed, GroupDriver};
use crate::budget::BUDGET;
use crate::engine::{CapacityHint, Completion, FutureSet, JobHandle};
use crate::outcome::{Cut, catch};
use crate::place::InlineJob;
use crate::strategy::try_gather::Failures;
use crate::{Cause, Closed, LoopError, Outcome, Panic};

/// Set in the count of those alive: no more may come.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// What a group's handles and its driver share.
pub(super) struct GroupState<J> {
    /// Children that were admitted and that the driver has not seen yet.
    arrivals: ConcurrentQueue<(usize, J)>,
    /// The body and the children that were admitted and have not ended. At zero the group is over,
    /// and nobody is admitted any more.
    alive: AtomicUsize,
    admitted: AtomicUsize,
    cancelled: AtomicBool,
    /// The driver was dropped: nobody will see the arrivals.
    gone: AtomicBool,
    driver: AtomicWaker,
}

impl<J> GroupState<J> {
    pub(super) fn new() -> Self {
        Self {
            arrivals: ConcurrentQueue::unbounded(),
            alive: AtomicUsize::new(1),
            admitted: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            driver: AtomicWaker::new(),
        }
    }

    /// Gives a child its place, if the group still takes children.
    pub(super) fn admit(&self) -> Result<usize, Closed> {
        let admitted = self.alive.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |alive| {
            (alive != 0 && alive & CLOSED == 0).then_some(alive + 1)
        });
        match admitted {
            Ok(_) => Ok(self.admitted.fetch_add(1, Ordering::Relaxed)),
            Err(_) => Err(Closed),
        }
    }

    /// Brings a child that was admitted.
    pub(super) fn arrive(&self, place: usize, child: J) {
        let is_open = self.arrivals.push((place, child)).is_ok();
        debug_assert!(is_open, "the line of arrivals is never closed");
        fence(Ordering::SeqCst);
        if self.gone.load(Ordering::SeqCst)
            && let Some(panic) = self.turn_away()
        {
            panic.resume_unless_panicking();
        }
        self.driver.wake();
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.close();
        self.driver.wake();
    }

    fn close(&self) {
        self.alive.fetch_or(CLOSED, Ordering::SeqCst);
    }

    fn retire(&self, ended: usize) {
        self.alive.fetch_sub(ended, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.alive.load(Ordering::SeqCst) & !CLOSED == 0
    }

    /// Drops the arrivals that nobody will see, each by itself. A child may hold a handle to its
    /// group, so they would keep each other alive.
    fn turn_away(&self) -> Option<Panic> {
        let mut first = None;
        while let Ok(arrival) = self.arrivals.pop() {
            if let Err(panic) = catch(|| drop(arrival)) {
                first.get_or_insert(panic);
            }
        }
        first
    }
}

impl<J> fmt::Debug for GroupState<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alive = self.alive.load(Ordering::Relaxed);
        f.debug_struct("Nursery")
            .field("alive", &(alive & !CLOSED))
            .field("closed", &(alive & CLOSED != 0 || alive == 0))
            .finish_non_exhaustive()
    }
}

/// What runs a group.
///
/// A turn is one pass over everything, in this order: the children that have arrived by its
/// beginning, the children that were woken, the body. So none of them starves another, a child
/// that has failed is seen before the body goes on, and the body, which may be feeding children
/// in, goes on only when those it fed in last have begun.
pub(super) struct Driver<G, B, T, E, C: Settle + ?Sized, J: JobHandle> {
    group_state: Arc<GroupState<J>>,
    /// Only where children take their steps beside each other.
    deferred_notify: Option<Arc<DeferredNotify<C>>>,
    /// Called at the first poll.
    begin: Option<G>,
    /// One body, polled only when it is woken.
    body: FutureSet<InlineJob<B>>,
    children: FutureSet<J>,
    pass: Pass,
    value: Option<T>,
    failures: Failures<E>,
    panic: Option<Panic>,
    /// The body was cut off, or a runtime has dropped a child.
    cut_off: bool,
    stopping: bool,
    /// What has cut the group short from outside.
    cut: Option<Cut>,
    /// The deadline has passed: what was woken by then has its turn, and nothing after.
    last_turn: bool,
    /// A child's failure stops nobody.
    supervises: bool,
}

/// How far a turn has come.
#[derive(Debug, Clone, Copy)]
enum Pass {
    Begin,
    Arrivals { left: usize },
    Children,
    Body,
    Completion,
}

// Nothing in it is pinned in place.
impl<G, B, T, E, C: Settle + ?Sized, J: JobHandle> Unpin for Driver<G, B, T, E, C, J> {}

impl<G, B, T, E, C, J> Driver<G, B, T, E, C, J>
where
    G: FnOnce() -> B,
    B: Future<Output = Result<T, E>>,
    C: Settle + ?Sized,
    J: JobHandle<Output = ChildEnd<E, C>>,
{
    pub(super) fn new(
        group_state: Arc<GroupState<J>>,
        deferred_notify: Option<Arc<DeferredNotify<C>>>,
        begin: G,
    ) -> Self {
        Self {
            group_state,
            deferred_notify,
            begin: Some(begin),
            body: FutureSet::with_capacity_hint(CapacityHint::ONE),
            children: FutureSet::new(),
            pass: Pass::Begin,
            value: None,
            failures: Failures::new(),
            panic: None,
            cut_off: false,
            stopping: false,
            cut: None,
            last_turn: false,
            supervises: false,
        }
    }

    fn begin(&mut self) {
        let Some(begin) = self.begin.take() else { return };
        match catch(begin) {
            Ok(body) => self.body.insert(0, InlineJob::new(body)),
            Err(panic) => {
                self.group_state.retire(1);
                self.stop_for(panic);
            }
        }
    }

    /// Does the next thing of this turn; `false` when the turn is over.
    fn step(&mut self) -> bool {
        match self.pass {
            Pass::Begin => {
                self.begin();
                self.pass = Pass::Arrivals { left: self.group_state.arrivals.len() };
            }
            Pass::Arrivals { left } => {
                if left > 0 && self.welcome() {
                    self.pass = Pass::Arrivals { left: left - 1 };
                } else {
                    self.children.next_round();
                    self.pass = Pass::Children;
                }
            }
            Pass::Children => match self.children.poll_next_woken() {
                Some(Some(end)) => self.child_ended(end),
                Some(None) => {}
                None => self.pass = Pass::Body,
            },
            Pass::Body => {
                if self.body.next_round()
                    && let Some(end) = self.body.poll_next_woken().flatten()
                {
                    self.body_ended(end.outcome);
                }
                self.pass = Pass::Completion;
            }
            Pass::Completion => return false,
        }
        true
    }

    /// Takes the next child that has arrived; `false` if there is none.
    fn welcome(&mut self) -> bool {
        let Ok((place, child)) = self.group_state.arrivals.pop() else { return false };
        if self.stopping {
            // Admitted before the group was closed, and too late to begin.
            self.cut.iter_mut().for_each(|cut| cut.one_more(place));
            let alive = self.children.len();
            if let Err(panic) = self.children.insert_cancelled(place, child) {
                self.panic.get_or_insert(panic);
            }
            self.group_state.retire(alive + 1 - self.children.len());
        } else {
            let mut child = Some(child);
            let next = || match child.take() {
                Some(child) => ControlFlow::Continue((place, child)),
                None => ControlFlow::Break(None),
            };
            let begun = self.children.start(None, 1, next, |end| ControlFlow::Break(Some(end)));
            if let ControlFlow::Break(Some(end)) = begun {
                self.child_ended(end);
            }
        }
        true
    }

    fn body_ended(&mut self, outcome: Outcome<Result<T, E>>) {
        self.group_state.retire(1);
        match Outcome::from(outcome) {
            Outcome::Ok(value) => self.value = Some(value),
            Outcome::Err(error) => {
                self.failures.push(J::next_sequence(), None, error);
                self.stop();
            }
            Outcome::Panicked(panic) => self.stop_for(panic),
            Outcome::TimedOut | Outcome::Cancelled | Outcome::NotRun => self.stop(),
        }
    }

    fn child_ended(&mut self, end: Completion<ChildEnd<E, C>>) {
        self.group_state.retire(1);
        if let (Some(cut), Outcome::Ok(_)) = (&mut self.cut, &end.outcome) {
            cut.ended(end.index);
        }
        match end.outcome {
            Outcome::Ok(ChildEnd::Completed) => {}
            Outcome::Ok(ChildEnd::Failed { error, handle }) => {
                self.failures.push(end.seq, Some(end.index), error);
                if !self.supervises {
                    self.stop();
                }
                self.tell(handle);
            }
            Outcome::Ok(ChildEnd::Panicked { panic, handle }) => {
                self.stop_for(panic);
                self.tell(handle);
            }
            Outcome::Panicked(panic) => self.stop_for(panic),
            Outcome::Err(never) => match never {},
            Outcome::TimedOut | Outcome::Cancelled | Outcome::NotRun => {
                // Nobody but the group or its runtime cancels a child in this way.
                self.cut_off |= !self.stopping;
                self.stop();
            }
        }
    }

    /// Tells whoever awaits a child that has failed, behind the stop if there is one.
    fn tell(&self, handle: HandleGuard<C>) {
        // Otherwise it is dropped here, and told by that.
        if self.stopping
            && let Some(deferred_notify) = &self.deferred_notify
        {
            deferred_notify.defer(handle);
        }
    }

    /// Closes the group, drops the body and asks every child to stop.
    fn stop(&mut self) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        self.group_state.close();
        if let Some(begin) = self.begin.take() {
            // Stopped before it has begun: it never will.
            self.cut_off = true;
            if let Err(panic) = catch(|| drop(begin)) {
                self.panic.get_or_insert(panic);
            }
            self.group_state.retire(1);
        }
        if !self.body.is_empty() {
            self.cut_off = true;
            let panic = &mut self.panic;
            self.body.cancel(|caught| {
                panic.get_or_insert(caught);
            });
            self.group_state.retire(1);
        }
        self.cancel_children();
    }

    fn cut_short(&mut self, cause: Cause) {
        if !self.stopping {
            // The body may begin children until it has ended.
            let all_begun = self.begin.is_none() && self.body.is_empty();
            self.cut = Some(Cut::new(cause, self.children.indices(), all_begun));
            self.stop();
        }
    }

    fn cancel_children(&mut self) {
        let alive = self.children.len();
        let panic = &mut self.panic;
        self.children.cancel(|caught| {
            panic.get_or_insert(caught);
        });
        self.group_state.retire(alive - self.children.len());
    }
}

impl<G, B, T, E, C, J> GroupDriver for Driver<G, B, T, E, C, J>
where
    G: FnOnce() -> B,
    B: Future<Output = Result<T, E>>,
    C: Settle + ?Sized,
    J: JobHandle<Output = ChildEnd<E, C>>,
{
    type Value = T;
    type Error = E;

    fn supervise(&mut self) {
        self.supervises = true;
    }

    fn is_under_way(&self) -> bool {
        !self.stopping && !self.last_turn && !self.group_state.is_over()
    }

    fn interrupt(&mut self, cause: Cause) {
        // No time at all is over before anything begins.
        if cause == Cause::TimedOut && self.begin.is_none() {
            self.last_turn = true;
        } else {
            self.cut_short(cause);
        }
    }

    fn stop_for(&mut self, panic: Panic) {
        // The first is the one to show: the others came of the stop, or at the same time.
        self.panic.get_or_insert(panic);
        self.stop();
    }

    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Whoever arrives during this poll is seen by it.
        drop(self.group_state.driver.take());
        for _ in 0..BUDGET {
            if self.group_state.cancelled.load(Ordering::SeqCst) {
                self.stop();
            }
            if self.step() {
                continue;
            }
            self.pass = Pass::Begin;
            if self.group_state.is_over() {
                ready!(self.children.poll_wait_groups(cx));
                ready!(self.body.poll_wait_groups(cx));
                self.deferred_notify
                    .iter()
                    .for_each(|deferred_notify| deferred_notify.tell_from_now_on());
                return Poll::Ready(());
            }
            if core::mem::take(&mut self.last_turn) {
                self.cut_short(Cause::TimedOut);
                continue;
            }
            self.group_state.driver.register(cx.waker());
            let news = !self.group_state.arrivals.is_empty()
                || self.group_state.cancelled.load(Ordering::SeqCst) && !self.stopping;
            if news || !self.children.sleep(cx) || !self.body.sleep(cx) {
                break;
            }
            return Poll::Pending;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn end(&mut self) -> Completed<T, E> {
        if let Some(panic) = self.panic.take() {
            panic.resume();
        }
        let failures = core::mem::replace(&mut self.failures, Failures::new());
        let interrupted = self.cut.take().and_then(Cut::into_interrupted);
        match (self.value.take(), interrupted) {
            (Some(value), None) if !self.cut_off && (self.supervises || failures.is_empty()) => {
                Ok((value, failures.into_vec()))
            }
            (_, interrupted) => {
                failures.into_result(interrupted)?;
                Err(LoopError::Cancelled)
            }
        }
    }
}

impl<G, B, T, E, C: Settle + ?Sized, J: JobHandle> Drop for Driver<G, B, T, E, C, J> {
    fn drop(&mut self) {
        self.group_state.close();
        self.deferred_notify.iter().for_each(|deferred_notify| deferred_notify.tell_from_now_on());
        self.group_state.gone.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(panic) = self.group_state.turn_away() {
            panic.resume_unless_panicking();
        }
    }
}
