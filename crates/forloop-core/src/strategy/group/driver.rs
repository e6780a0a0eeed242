//! What runs a group: a body, its children wherever they run, and the rule that all of them complete together.

use alloc::vec::Vec;
use core::mem;
use core::task::{Context, Poll, ready};

use forloop_budget::is_exhausted;

use super::children::{Children, Report};
use super::group_future::{GroupDriver, GroupResult};
use crate::budget::{BUDGET, Repolls, Turn, count_polls, end_turn, is_turn_over};
use crate::engine::{CapacityHint, FutureSet};
use crate::outcome::{Interruption, catch};
use crate::place::InlineJob;
use crate::strategy::failures::Failures;
use crate::{Cause, LoopError, Outcome, Panic};

/// Runs a group.
///
/// The driver works in passes. A pass does everything once, in this order:
///
/// 1. it starts the children that had arrived when the pass began, and polls those that were woken; or, if the children
///    are tasks, it takes the reports that they had left when the pass began;
/// 2. it polls the body, if it was woken.
///
/// A child that has failed is seen before the body is polled, and the body, which may be spawning children in a loop, is
/// polled only when those that it has spawned have started.
///
/// Between two passes the group returns to its executor. Some runtimes allow a task only so many operations until then,
/// and what is polled first may use them up each time. While that happens, or the body wakes itself, the body is polled
/// at the beginning of every other pass instead of at its end; and the children take turns in being first among
/// themselves. So none of them starves another.
///
/// The first failure, panic, interruption or [cancellation](super::Group::cancel) stops the group: in one step it
/// closes, drops its body and cancels its children, also those that have not started. If children run in the group's
/// own task and one fails, the group first polls those that were woken with it, so that each failure is returned that
/// happened together with it. Only when the group has stopped is the handle of a failed child completed, and on threads
/// only when no child is active: see `deferred_notify.rs`. So code behind the await of a failed child does not run. The
/// group completes when every child has stopped, and so have the tasks that their bodies had started.
pub(super) struct Driver<G, B, T, K: Children> {
    children: K,
    phase: GroupPhase,
    pass: Pass,
    body: Body<G, T>,
    /// The running body, and nothing else.
    body_job: FutureSet<InlineJob<B>>,
    failures: Failures<K::Error>,
    panic: Option<Panic>,
    /// The handles of the children that have failed in this pass.
    failed_handles: Vec<K::Handle>,
    /// What interrupted the group from outside.
    interruption: Option<Interruption>,
    /// The runtime has dropped a child of a group that was not stopping.
    has_lost_child: bool,
    /// A child's failure does not stop the group.
    is_supervisor: bool,
    /// This pass polls the body at its beginning.
    is_body_first: bool,
    repolls: Repolls,
    /// How often this poll of the group has polled a child or the body.
    polls: usize,
}

/// Where a group is on its way to completion. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupPhase {
    /// Body and children run.
    Running,
    /// The deadline has passed: the group finishes this pass, and then stops.
    LastPass,
    /// A child in the group's own task has failed: the group polls the children that were woken with it, and then stops.
    Failing,
    /// The group is closed. It has dropped its body, has cancelled its children, and waits for them to stop.
    Stopping,
}

/// What the next [step](Driver::step) of a pass does.
#[derive(Debug, Clone, Copy)]
enum Pass {
    Begin,
    Children,
    Body,
    End,
}

/// The body of a group.
enum Body<G, T> {
    /// The closure that makes it was not called yet.
    NotStarted(G),
    /// It is in the driver's `body_job`.
    Running,
    /// It returned this value.
    Returned(T),
    /// It failed, panicked or was cancelled.
    NoValue,
}

// Nothing in it is pinned in place.
impl<G, B, T, K: Children> Unpin for Driver<G, B, T, K> {}

impl<G, B, T, K> Driver<G, B, T, K>
where
    G: FnOnce() -> B,
    B: Future<Output = Result<T, K::Error>>,
    K: Children,
{
    #[inline(always)] // so that it is constructed in place
    pub(super) fn new(children: K, make_body: G) -> Self {
        Self {
            children,
            phase: GroupPhase::Running,
            pass: Pass::Begin,
            body: Body::NotStarted(make_body),
            body_job: FutureSet::with_capacity_hint(CapacityHint::ONE),
            failures: Failures::new(),
            panic: None,
            failed_handles: Vec::new(),
            interruption: None,
            has_lost_child: false,
            is_supervisor: false,
            is_body_first: false,
            repolls: Repolls::new(),
            polls: 0,
        }
    }

    /// Does one step of a pass: starts or polls one child or the body, or takes one report. Returns `false` at the end
    /// of the pass.
    fn step(&mut self) -> bool {
        match self.pass {
            Pass::Begin => {
                self.start_body();
                if self.is_body_first {
                    self.poll_body();
                }
                self.children.begin_pass();
                self.pass = Pass::Children;
            }
            Pass::Children => match self.children.step() {
                Some(report) => {
                    self.polls += 1;
                    if let Some(report) = report {
                        self.on_report(report);
                    }
                }
                None => {
                    if self.phase == GroupPhase::Failing {
                        self.stop();
                    }
                    self.pass = Pass::Body;
                }
            },
            Pass::Body => {
                if !self.is_body_first {
                    self.poll_body();
                }
                self.pass = Pass::End;
            }
            Pass::End => {
                self.pass = Pass::Begin;
                return false;
            }
        }
        true
    }

    /// Calls the closure that makes the body, at the first poll.
    fn start_body(&mut self) {
        let Body::NotStarted(_) = self.body else { return };
        let Body::NotStarted(make_body) = mem::replace(&mut self.body, Body::Running) else {
            return;
        };
        if let Err(panic) = catch(|| self.body_job.insert(0, || InlineJob::new(make_body()))) {
            self.body = Body::NoValue;
            self.count_body_as_completed();
            self.stop_for(panic);
        }
    }

    /// Polls the body if it was woken.
    fn poll_body(&mut self) {
        if !self.body_job.next_round() {
            return;
        }
        self.polls += 1;
        if let Some(completion) = self.body_job.poll_next_woken().flatten() {
            self.on_body_completion(completion.outcome);
        }
    }

    fn count_body_as_completed(&self) {
        self.children.on_last_poll_of_body();
        self.children.state().complete_body();
    }

    fn on_body_completion(&mut self, outcome: Outcome<Result<T, K::Error>>) {
        self.body = Body::NoValue;
        // First, if it fails: the group closes before a child can observe anything of it.
        match Outcome::from(outcome) {
            Outcome::Ok(value) => self.body = Body::Returned(value),
            Outcome::Err(error) => {
                self.failures.record(K::next_sequence(), None, error);
                self.stop();
            }
            Outcome::Panicked(panic) => self.stop_for(panic),
            Outcome::TimedOut | Outcome::Lost | Outcome::Cancelled | Outcome::NotRun => self.stop(),
        }
        self.count_body_as_completed();
    }

    fn on_report(&mut self, report: Report<K::Error, K::Handle>) {
        match report {
            Report::Failed { index, seq, error, handle } => {
                self.failures.record(seq, Some(index), error);
                if self.is_supervisor || self.phase == GroupPhase::Stopping {
                    self.complete_handle(handle);
                } else if K::ARE_INLINE {
                    self.phase = GroupPhase::Failing;
                    self.children.stop_starting();
                    self.failed_handles.extend(handle);
                } else {
                    self.stop();
                    self.complete_handle(handle);
                }
            }
            Report::Panicked { panic, handle } => {
                self.stop_for(panic);
                self.complete_handle(handle);
            }
            Report::Stopped { index } => {
                if let Some(interruption) = &mut self.interruption {
                    interruption.record_running(index);
                }
            }
            Report::Lost => {
                self.has_lost_child |= self.phase != GroupPhase::Stopping;
                self.stop();
            }
        }
    }

    /// Completes the handle of a child that has failed: now, or if the group stops, once neither the body nor a child is active.
    fn complete_handle(&self, handle: Option<K::Handle>) {
        match self.phase {
            GroupPhase::Stopping => {
                handle.into_iter().for_each(|handle| self.children.defer(handle));
            }
            GroupPhase::Running | GroupPhase::LastPass | GroupPhase::Failing => drop(handle),
        }
    }

    /// Closes the group, drops the body and cancels every child.
    fn stop(&mut self) {
        if self.phase == GroupPhase::Stopping {
            return;
        }
        self.phase = GroupPhase::Stopping;
        self.children.state().close();
        let panic = &mut self.panic;
        let mut panicked = |caught| {
            panic.get_or_insert(caught);
        };
        match mem::replace(&mut self.body, Body::NoValue) {
            Body::NotStarted(make_body) => {
                self.children.on_last_poll_of_body();
                if let Err(panic) = catch(|| drop(make_body)) {
                    panicked(panic);
                }
                self.children.state().complete_body();
            }
            Body::Running => {
                self.children.on_last_poll_of_body();
                self.body_job.cancel(&mut panicked);
                self.children.state().complete_body();
            }
            Body::Returned(value) => self.body = Body::Returned(value),
            Body::NoValue => {}
        }
        self.children.stop(panicked);
        self.failed_handles.clear();
    }

    fn stop_because(&mut self, cause: Cause) {
        if self.phase != GroupPhase::Stopping {
            // The body may spawn children until it has completed.
            let all_started = matches!(self.body, Body::Returned(_) | Body::NoValue);
            self.interruption =
                Some(Interruption::new(cause, self.children.indices(), all_started));
            self.stop();
        }
    }

    /// Has everything that is still to happen wake the group; `false` if something has happened already.
    fn sleep(&mut self, cx: &mut Context<'_>) -> bool {
        let state = self.children.state();
        state.register(cx.waker());
        // Read after the waker was registered: what happens later wakes it.
        let has_news = state.is_cancelled() && self.phase != GroupPhase::Stopping;
        !has_news && self.children.sleep(cx) && self.body_job.sleep(cx)
    }

    /// Completes when the tasks have stopped that cancelled children and body had started.
    fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.body_job.poll_wait_groups(cx));
        self.children.poll_wait_groups(cx)
    }
}

impl<G, B, T, K> GroupDriver for Driver<G, B, T, K>
where
    G: FnOnce() -> B,
    B: Future<Output = Result<T, K::Error>>,
    K: Children,
{
    type Value = T;
    type Error = K::Error;

    fn supervise(&mut self) {
        self.is_supervisor = true;
        self.children.supervise();
    }

    fn is_running(&self) -> bool {
        self.phase == GroupPhase::Running && !self.children.state().is_complete()
    }

    fn interrupt(&mut self, cause: Cause) {
        // A deadline of zero passes before the body is started, and then nothing is polled.
        let has_started = !matches!(self.body, Body::NotStarted(_));
        if cause == Cause::TimedOut && has_started {
            self.phase = GroupPhase::LastPass;
        } else {
            self.stop_because(cause);
        }
    }

    fn stop_for(&mut self, panic: Panic) {
        // The first is resumed. Later ones followed from the stop, or happened at the same time.
        self.panic.get_or_insert(panic);
        self.stop();
    }

    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What arrives during this poll need not wake it.
        self.children.state().unregister();
        let mut polls_this_turn = 0;
        let turn = Turn::enter(&mut polls_this_turn, &mut self.repolls);
        self.polls = 0;
        // Of a pass that the last poll has left, there may be only an end in which nothing is polled.
        let mut is_end = !matches!(self.pass, Pass::Begin);
        for _ in 0..BUDGET {
            if self.polls > 0 && is_turn_over() {
                break;
            }
            if self.children.state().is_cancelled() {
                self.stop();
            }
            let before = self.polls;
            let has_more = self.step();
            count_polls(&mut polls_this_turn, self.polls - before);
            if has_more {
                continue;
            }
            // In this order: a child leaves its report before it completes.
            if self.children.state().is_complete() {
                if self.children.has_reports() {
                    continue;
                }
                return self.poll_wait_groups(cx);
            }
            if self.phase == GroupPhase::LastPass {
                self.stop_because(Cause::TimedOut);
                continue;
            }
            let is_turn_used_up = is_exhausted() || self.body_job.has_yielded();
            self.is_body_first = !self.is_body_first && is_turn_used_up;
            if self.sleep(cx) {
                return Poll::Pending;
            }
            if self.polls > 0 || !mem::take(&mut is_end) {
                break;
            }
        }
        drop(turn);
        end_turn();
        self.children.end_turn();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn finish(&mut self) -> GroupResult<T, K::Error> {
        if let Some(panic) = self.panic.take() {
            panic.resume();
        }
        let failures = mem::replace(&mut self.failures, Failures::new());
        let interrupted = self.interruption.take().and_then(Interruption::into_interrupted);
        let body = mem::replace(&mut self.body, Body::NoValue);
        match (body, interrupted) {
            (Body::Returned(value), None)
                if !self.has_lost_child && (self.is_supervisor || failures.is_empty()) =>
            {
                Ok((value, failures.into_vec()))
            }
            (_, interrupted) => {
                failures.into_result(interrupted)?;
                Err(LoopError::Cancelled)
            }
        }
    }
}

impl<G, B, T, K: Children> Drop for Driver<G, B, T, K> {
    fn drop(&mut self) {
        let state = self.children.state();
        state.close();
        if let Body::NotStarted(_) | Body::Running = self.body {
            // It is dropped with the driver.
            state.complete_body();
        }
        if let Some(panic) = self.children.abandon() {
            panic.resume_unless_panicking();
        }
    }
}
