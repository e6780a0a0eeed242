//! A worker: a task of the runtime that polls the bodies it is given or pulls.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use super::batch_buffer::BatchBuffer;
use super::body_source::Exchange;
use super::completion_queue::{CompletionQueue, SourceFailure};
use super::delivery::{Delivery, DeliveryRule};
use super::worker_options::TimeLimits;
use crate::body::Body;
use crate::budget::{Nesting, budget, end_turn};
use crate::engine::{Completion, FutureSet};
use crate::outcome::catch;
use crate::pace::Pace;
use crate::place::inline::InlineJob;
use crate::wait_group::{WaitGroup, with_wait_group};
use crate::{Outcome, Panic};

/// Polls of bodies after which a worker checks whether the loop was cancelled.
const POLLS_PER_CHECK: usize = 32;

/// Where a worker's bodies come from: an [inbox](super::push_worker) or the
/// [shared source](super::pull_worker).
pub(super) trait Intake<B, T> {
    /// Whether the worker pulls its bodies. Such a worker calls
    /// [`start_bodies`](Self::start_bodies) once more before it sleeps, with `before_sleep`.
    const PULLS: bool;

    /// Whether completions are reported to a driver that the workers share, and not to the loop.
    const REPORTS: bool = false;

    /// Has `waker` woken when there may be new bodies, and when the loop is cancelled.
    fn register(&self, waker: &Waker);

    /// Starts new bodies and polls them, until `budget` polls are used.
    ///
    /// With `before_sleep`, the worker has nothing else to do: it is woken when there are bodies that
    /// it could not get now.
    fn start_bodies(
        &mut self,
        bodies: &mut WorkerBodies<B, T>,
        budget: usize,
        before_sleep: bool,
    ) -> Intaken;

    /// Stops the intake of all workers: a completion stops the loop.
    fn close(&mut self, bodies: &mut WorkerBodies<B, T>);

    /// Whether no more bodies will come.
    fn is_exhausted(&self) -> bool;

    /// Drops the bodies that came and were not started, and passes on their indices and outcomes. No more will
    /// come.
    fn drop_unstarted(&mut self, dropped: impl FnMut(usize, Outcome<T>));

    /// Returns the failure that the loop must handle if the runtime drops the worker now.
    fn failure_if_dropped(&self) -> Option<SourceFailure>;

    /// Notifies the dispatcher that the worker has sent all of its completions. May be called twice.
    fn finish(&mut self);
}

/// What [`Intake::start_bodies`] did.
pub(super) struct Intaken {
    /// Polls of bodies, each with its start or its time-out.
    pub(super) polls: usize,
    /// Nothing wakes the worker for what it could start next.
    pub(super) may_have_more: bool,
}

/// The bodies that run on a worker, and the way of their completions.
pub(super) struct WorkerBodies<B, T> {
    pub(super) set: FutureSet<InlineJob<B>>,
    pub(super) buffer: BatchBuffer<T>,
    pub(super) delivery: DeliveryRule<T>,
    pub(super) completions: Arc<CompletionQueue<T>>,
    /// The time limits of the bodies, where the worker pulls them.
    pub(super) time_limits: Option<Box<dyn TimeLimits + Send>>,
    /// What the worker and the driver in its source tell each other.
    pub(super) exchange: Exchange<T>,
}

/// A worker's task.
///
/// Each body that a worker gets has exactly one completion, also if the worker is cancelled, or dropped
/// by its runtime before it has polled the body.
pub(super) struct Worker<B: Body<Returns = T>, T, I: Intake<B, T>> {
    bodies: WorkerBodies<B, T>,
    intake: I,
    stop: Stop,
    pace: Pace,
    /// The last poll has ended because the budget was used.
    is_out_of_budget: bool,
    nesting: Nesting,
}

/// The stages of a worker's stop.
enum Stop {
    /// The loop runs.
    NotRequested,
    /// The bodies were dropped. The worker waits for the tasks that they have spawned.
    AwaitingTasks(Arc<WaitGroup>),
    /// The worker waits for bodies that had timed out before the loop stopped and whose tasks have not
    /// stopped.
    AwaitingBodies,
}

/// What a worker does next, within one poll of its task.
enum WorkerPhase {
    /// Poll the woken bodies of the current round.
    PollBodies,
    /// Start new bodies, if there are any; then start the next round.
    StartBodies,
    /// The same as the last step before `Sleep`: no body is woken.
    StartBodiesBeforeSleep,
    /// Nothing is left to do.
    Sleep,
    /// The budget is used: let the executor run other tasks, and then continue.
    OutOfBudget,
    /// A body has yielded: let the executor run other tasks, and then begin a round.
    Yield,
}

/// What a worker has done within one poll of its task.
struct Progress {
    /// Polls of bodies, which count against the budget.
    polls: usize,
    has_had_round: bool,
    /// It continues the last turn, which was out of budget.
    is_continuation: bool,
}

impl<B: Body<Returns = T>, T, I: Intake<B, T>> Worker<B, T, I> {
    pub(super) fn new(
        intake: I,
        set: FutureSet<InlineJob<B>>,
        completions: Arc<CompletionQueue<T>>,
        delivery: DeliveryRule<T>,
    ) -> Self {
        let buffer = BatchBuffer::new(completions.clone(), delivery.holds_permits);
        let (time_limits, exchange) = (None, Exchange::new());
        let bodies = WorkerBodies { set, buffer, delivery, completions, time_limits, exchange };
        Self {
            bodies,
            intake,
            stop: Stop::NotRequested,
            pace: Pace::watched(),
            is_out_of_budget: false,
            nesting: Nesting::new(),
        }
    }

    /// Takes note of the size hint of the source that the worker pulls from.
    pub(super) fn with_size_hint(mut self, hint: (usize, Option<usize>)) -> Self {
        self.pace.set_size_hint(hint);
        self
    }

    /// Limits the time of the bodies.
    pub(super) fn with_time_limits(mut self, limits: Option<Box<dyn TimeLimits + Send>>) -> Self {
        self.bodies.time_limits = limits;
        self
    }

    /// Polls the woken bodies of this round, a part of them at a time.
    fn poll_bodies(&mut self, turn: &mut Progress) -> WorkerPhase {
        let WorkerBodies { set, buffer, delivery, exchange, .. } = &mut self.bodies;
        let most = budget().min(turn.polls + POLLS_PER_CHECK);
        // Two closures, so that each is inlined.
        let result = if I::REPORTS {
            set.poll_round(&mut turn.polls, most, |completion| {
                exchange.reports.push(completion);
                ControlFlow::Continue(())
            })
        } else {
            set.poll_round(&mut turn.polls, most, |completion| {
                report(buffer, *delivery, completion)
            })
        };
        if result.is_break() {
            self.intake.close(&mut self.bodies);
        }
        if turn.polls >= budget() {
            WorkerPhase::OutOfBudget
        } else if self.bodies.set.is_round_in_progress() {
            WorkerPhase::PollBodies
        } else {
            WorkerPhase::StartBodies
        }
    }

    /// Starts new bodies between two rounds, and begins the next round if a body was woken.
    fn start_bodies(
        &mut self,
        cx: &mut Context<'_>,
        turn: &mut Progress,
        before_sleep: bool,
    ) -> WorkerPhase {
        if self.pace.is_look_due() && self.pace.must_yield() {
            return WorkerPhase::Yield;
        }
        let left = self.pace.left().min(budget() - turn.polls);
        let intaken = self.intake.start_bodies(&mut self.bodies, left, before_sleep);
        turn.polls += intaken.polls;
        // Bodies that were pushed come in batches, which are not split.
        self.pace.count(intaken.polls.min(self.pace.left()));
        let has_expired = self.bodies.time_limits.is_some() && self.expire_bodies(cx, turn);
        if I::PULLS {
            self.bodies.buffer.flush_prompt();
        }
        if turn.polls >= budget() {
            return WorkerPhase::OutOfBudget;
        }
        if (turn.is_continuation || turn.has_had_round && !I::PULLS)
            && self.bodies.set.has_yielded()
        {
            return WorkerPhase::Yield;
        }
        turn.has_had_round = true;
        if self.bodies.set.next_round() {
            return WorkerPhase::PollBodies;
        }
        let has_started = intaken.polls > 0 || intaken.may_have_more || has_expired;
        match (I::PULLS, before_sleep) {
            (true, false) => WorkerPhase::StartBodiesBeforeSleep,
            (true, true) if has_started => WorkerPhase::StartBodiesBeforeSleep,
            (false, _) if has_started => WorkerPhase::StartBodies,
            (true, true) | (false, _) => WorkerPhase::Sleep,
        }
    }

    /// Stops the bodies that have timed out. `false` if there are none: then the worker is woken when the next one has.
    #[cold]
    fn expire_bodies(&mut self, cx: &mut Context<'_>, turn: &mut Progress) -> bool {
        let WorkerBodies { set, buffer, delivery, time_limits, exchange, .. } = &mut self.bodies;
        let Some(time_limits) = time_limits else { return false };
        let before = turn.polls;
        let mut flow = ControlFlow::Continue(());
        while turn.polls < budget() && flow.is_continue() {
            let timed_out = match time_limits.poll_timed_out(cx, &|body| set.runs(body)) {
                Poll::Ready(timed_out) => timed_out,
                Poll::Pending => break,
            };
            turn.polls += 1;
            match timed_out {
                Ok(body) => match set.expire(None, body) {
                    Some(completion) if I::REPORTS => exchange.reports.push(completion),
                    Some(completion) => flow = report(buffer, *delivery, completion),
                    None => {}
                },
                Err(panic) => {
                    buffer.push_source_failure(SourceFailure::Panicked(panic));
                    flow = ControlFlow::Break(());
                }
            }
        }
        if flow.is_break() {
            self.intake.close(&mut self.bodies);
        }
        turn.polls > before
    }

    /// Sleeps until a body is woken or new ones come. The worker completes if neither can happen.
    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.intake.is_exhausted() && self.bodies.set.is_empty() {
            self.finish();
            return Poll::Ready(());
        }
        self.bodies.buffer.end_turn(true);
        if self.bodies.set.sleep(cx) {
            return Poll::Pending;
        }
        self.bodies.set.end_turn();
        self.poll_yield(cx)
    }

    fn poll_yield(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.bodies.buffer.end_turn(false);
        end_turn();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Drops all bodies and waits for the tasks that they leave behind. The completions are sent after
    /// that: a body counts as stopped only when its tasks have stopped.
    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Stop::NotRequested = self.stop {
            self.bodies.buffer.cork();
            let ((), wait_group) = with_wait_group(None, || self.drop_bodies());
            self.stop = wait_group.map_or(Stop::AwaitingBodies, Stop::AwaitingTasks);
        }
        if let Stop::AwaitingTasks(wait_group) = &self.stop {
            ready!(wait_group.poll_wait(cx));
            self.stop = Stop::AwaitingBodies;
        }
        let WorkerBodies { set, buffer, delivery, .. } = &mut self.bodies;
        while set.is_round_in_progress() || set.next_round() {
            while let Some(polled) = set.poll_next_woken() {
                if let Some(completion) = polled {
                    // The loop stops already.
                    let _: ControlFlow<()> = report(buffer, *delivery, completion);
                }
            }
        }
        if !set.is_empty() {
            if !set.sleep(cx) {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        self.finish();
        Poll::Ready(())
    }

    fn finish(&mut self) {
        self.bodies.buffer.flush();
        self.intake.finish();
    }

    /// Drops every body, also those that were not started, and reports each.
    fn drop_bodies(&mut self) {
        let WorkerBodies { set, buffer, delivery, exchange, .. } = &mut self.bodies;
        // The loop has stopped: the driver that they were for is gone.
        for completion in exchange.reports.drain(..) {
            let _: ControlFlow<()> = report(buffer, *delivery, completion);
        }
        set.cancel_each(|index, dropped| {
            buffer.push_prompt(index, outcome_of(dropped, Outcome::Cancelled));
        });
        self.intake.drop_unstarted(|index, outcome| buffer.push_prompt(index, outcome));
    }
}

/// Adds the completion of a body to the buffer. `Break` if it stops the loop.
#[inline(always)] // so that a completion whose output is dropped is never in memory
pub(super) fn report<T>(
    buffer: &mut BatchBuffer<T>,
    delivery: DeliveryRule<T>,
    Completion { index, outcome, .. }: Completion<T>,
) -> ControlFlow<()> {
    let delivery = delivery.of(&outcome);
    match (delivery, outcome) {
        (Delivery::Discard, Outcome::Ok(output)) => drop(output),
        (Delivery::Batched, Outcome::Ok(output)) => buffer.push_batched(index, output),
        (Delivery::Terminal, outcome) => buffer.push_terminal(index, outcome),
        (_, outcome) => buffer.push_prompt(index, outcome),
    }
    delivery.control_flow()
}

/// Drops the next of these bodies, which was never polled, and returns its outcome.
pub(super) fn drop_next<T>(bodies: &mut impl Iterator) -> Outcome<T> {
    // A body may be large, so it is dropped where it is and not passed on.
    let dropped = catch(|| {
        bodies.next();
    });
    outcome_of(dropped, Outcome::NotRun)
}

/// The outcome of a body that was dropped: its destructor's panic, if it has one.
fn outcome_of<T>(dropped: Result<(), Panic>, outcome: Outcome<T>) -> Outcome<T> {
    match dropped {
        Ok(()) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    }
}

// The set pins the bodies in memory of its own.
impl<B: Body<Returns = T>, T, I: Intake<B, T>> Unpin for Worker<B, T, I> {}

impl<B: Body<Returns = T>, T, I: Intake<B, T>> Future for Worker<B, T, I> {
    type Output = ();

    // One poll of a worker alternates between two phases: it polls each woken body once, which is a
    // round, and between rounds it starts new bodies. It does so until one of these ends the poll:
    //
    // - The loop is cancelled. That is checked before each phase and after POLLS_PER_CHECK polls within
    //   a round, so a worker with many busy bodies stops soon. From then on every poll is poll_stop.
    // - The budget is used. The worker wakes itself and returns `Pending`, so the executor runs other
    //   tasks. The next poll continues where this one stopped.
    // - A body yields to the executor, by waking itself while it is polled. Where bodies are pushed, the
    //   worker returns after each round in which one has, as a loop in the caller's task does: the
    //   dispatcher may be the task that the body yields to. A worker that pulls keeps polling until the
    //   budget is used, because it needs no other task to get bodies; it returns after the round that it
    //   has continued. The next poll begins with a round, so that bodies that wait for the operations which a
    //   runtime allows a task in a turn get them before new ones.
    // - The turn has lasted long, because items or bodies take long to start: see crate::pace.
    // - Nothing is left to do. A worker that pulls starts bodies once more with `before_sleep`, which
    //   registers it with the source's sleepers: the first attempt may have failed only because another
    //   worker held the source. If that attempt gets bodies, another one follows, because nothing
    //   would wake the worker for bodies that are there already. Otherwise the worker sleeps until a body,
    //   the inbox or the sleepers wake it.
    //
    // No wake is lost. The worker registers its waker before it looks into its inbox or at the source,
    // so what comes after the look wakes the task. The set's `sleep` returns false if a body was woken
    // since the last round.
    //
    // Prompt completions are sent at the end of a round and before the worker returns. So a round of
    // bodies causes one wake of the dispatcher and not one for each body.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.intake.register(cx.waker());
        this.pace.end_turn();
        let set = &mut this.bodies.set;
        let is_continuation = core::mem::take(&mut this.is_out_of_budget);
        let has_had_round =
            set.is_round_in_progress() || set.must_begin_with_round() && set.next_round();
        let mut turn = Progress { polls: 0, has_had_round, is_continuation };
        let outer = this.nesting.enter(&mut turn.polls, false);
        let mut phase =
            if has_had_round { WorkerPhase::PollBodies } else { WorkerPhase::StartBodies };
        while !this.bodies.completions.is_cancelled() {
            phase = match phase {
                WorkerPhase::PollBodies => this.poll_bodies(&mut turn),
                WorkerPhase::StartBodies => this.start_bodies(cx, &mut turn, false),
                WorkerPhase::StartBodiesBeforeSleep => this.start_bodies(cx, &mut turn, true),
                WorkerPhase::OutOfBudget if this.nesting.grant(&mut turn.polls) => {
                    match this.bodies.set.is_round_in_progress() {
                        true => WorkerPhase::PollBodies,
                        false => WorkerPhase::StartBodies,
                    }
                }
                WorkerPhase::OutOfBudget | WorkerPhase::Yield | WorkerPhase::Sleep => break,
            };
        }
        this.nesting.leave(outer, &mut turn.polls);
        match phase {
            _ if this.bodies.completions.is_cancelled() => this.poll_stop(cx),
            WorkerPhase::OutOfBudget => {
                this.is_out_of_budget = true;
                this.poll_yield(cx)
            }
            WorkerPhase::Yield => {
                this.bodies.set.end_turn();
                this.poll_yield(cx)
            }
            WorkerPhase::PollBodies
            | WorkerPhase::StartBodies
            | WorkerPhase::StartBodiesBeforeSleep
            | WorkerPhase::Sleep => this.poll_sleep(cx),
        }
    }
}

impl<B: Body<Returns = T>, T, I: Intake<B, T>> Drop for Worker<B, T, I> {
    fn drop(&mut self) {
        self.drop_bodies();
        if !self.bodies.completions.is_cancelled()
            && let Some(failure) = self.intake.failure_if_dropped()
        {
            self.bodies.buffer.push_source_failure(failure);
        }
        self.finish();
    }
}
