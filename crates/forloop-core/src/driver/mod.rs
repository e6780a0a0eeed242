//! The driver: what every loop does, independent of its strategy. It pulls items, starts
//! bodies, polls those that were woken, and passes each completion on exactly once.
//!
//! # How a poll proceeds
//!
//! [`Drive::poll_completions`] repeats [one step](Drive::step) until the step says what the poll returns.
//! A step does the first of these that there is to do:
//!
//! 1. **Yield**, if this poll of the task has used up its [budget](crate::budget).
//! 2. **Continue the round**: poll the woken bodies in order, and pass on their completions. A round polls
//!    each body at most once, so a body that wakes itself cannot starve another.
//! 3. What the [phase](phase::Phase) asks for: start bodies while there is room ([`starting`],
//!    [`admitting`]), hand back items that will not be started, or begin the last round.
//! 4. **Idle**: begin the next round with the bodies woken meanwhile; cancel the bodies that have timed
//!    out; poll the options' signals, so that they wake this task; and sleep.
//!
//! At most [`ROUND`] bodies are started between two rounds, so that neither an endless source nor bodies
//! that are ready at once can starve a body that waits. A turn ends early when it has lasted long because items or bodies
//! take long to start: see [`crate::pace`].
//!
//! # Why no wake is lost
//!
//! The loop returns `Pending` from two places. [`Drive::yield_now`] has woken its own task before. `Idle`
//! sleeps only when the source, the options' signals and timers have all been polled with this waker and
//! were pending *after* the last thing that could have changed them, and when the engine has registered
//! the waker and found no body woken since: it says so in one step (see [`crate::engine`]). What was polled
//! too early is known as [`Signals::Outdated`], and is polled again before anything else starts.
//!
//! # Failures
//!
//! A strategy that stops at a failure stops after the round in which it happened, so that none is lost that happened
//! together with it. If it was a round of woken bodies, those that are left are polled first: see
//! [`Phase::LastRound`](phase::Phase::LastRound). If the body has failed at its first poll, the bodies that would have started
//! with it start first, as many as there were permits for: see [`Drive::start_left`].
//!
//! # Panics
//!
//! A panic, of a body, the source, an option or a destructor, stops the loop. The first one is kept until
//! every body has stopped, and [`Drive::finish`] resumes it. No strategy sees a panic before that, unless
//! the loop catches the panics of its bodies.
//!
//! # Stack
//!
//! The functions between a loop's poll and that of a body are inlined where the compiler optimises. Where it does not,
//! each has a frame of its own. Inlined there, the variables of all of them would be on the stack at once, and on that of
//! each loop around this one: no two share a place.

mod admitting;
mod delegated;
mod expiry;
mod phase;
mod set_up;
mod shared;
mod spawner;
mod start;
mod starting;
mod state;
mod step;
mod stopping;
mod worker_policy;
mod yielding;

pub(crate) use self::set_up::Receiver;
pub use self::shared::SharedPolicy;
pub use self::spawner::{BodySpawner, Spawner};
pub use self::worker_policy::{OnWorkers, WorkerPolicy};

use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use self::expiry::Expiry;
use self::phase::Phase;
use self::step::{Step, deliver};
use self::yielding::{YIELDS, must_yield};
use crate::admission::MaybeQueue;
use crate::budget::{Nesting, Turn, budget, end_turn};
use crate::engine::Completion;
use crate::options::{ItemPolicy, OutcomeRule};
use crate::outcome::{Interruption, catch};
use crate::pace::Pace;
use crate::place::BodySet;
use crate::simulation::Origin;
use crate::{Interrupted, Outcome, Panic};

/// Bodies started in a row before the woken ones are looked at again.
const ROUND: usize = 64;

pin_project! {
    /// A running loop: its source, its body, its options and the bodies that run.
    ///
    /// Its parts are parameters and no projections, so that a loop over borrowed items is `Send` inside a spawned
    /// task: the source `S`, the spawner `A`, the set `J` of running bodies, the admission queue `Q`, the policy `C`, and
    /// the error `U` of the source.
    pub(crate) struct Drive<S, A, J, Q, C, U> {
        // Dropped as soon as it is exhausted or nothing may start any more; never polled again.
        #[pin]
        source: Option<S>,
        // Dropped as soon as nothing may start any more.
        spawner: Option<A>,
        // The items that were pulled and do not run.
        admission: Q,
        limit: usize,
        running: J,
        // Dropped when the loop has finished, and after the bodies: it returns the permits that they have.
        policy: Option<C>,
        phase: Phase<U>,
        is_set_up: bool,
        handles_outcomes: bool, // of each body, also of one that was lost
        started: usize,
        started_this_round: usize,
        // If bodies poll loops, so many that one is left of the budget of the task.
        polls_this_turn: usize,
        nesting: Nesting,
        rounds_this_turn: usize,
        pace: Pace,
        // The receiver of the completions has stopped for a body that was ready at its first poll.
        has_completed_at_start: bool,
        // Bodies that share the parent's waker have not been polled in this poll of the loop.
        must_poll_all: bool,
        panic: Option<Panic>,
        // Only for simulations.
        origin: Origin,
    }
}

/// When the options' signals were last polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signals {
    /// Not since the last change.
    Unchecked,
    /// In this poll, and no body was polled or started since.
    Checked,
    /// In this poll, and what was polled or started since may have sent one, or may have taken long.
    Outdated,
}

impl Signals {
    #[inline]
    fn outdate(&mut self) {
        if *self == Self::Checked {
            *self = Self::Outdated;
        }
    }
}

impl<S, A, J, Q, C, U> Drive<S, A, J, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
{
    /// A loop that has not been polled. It has neither source nor spawner if workers pull the items.
    #[inline(always)] // so that it is constructed in place
    pub(crate) fn new(
        source: Option<S>,
        spawner: Option<A>,
        admission: Q,
        mut running: J,
        limit: usize,
        (policy, handles_outcomes): (Option<C>, bool),
        origin: Origin,
    ) -> Self {
        running.set_origin(origin);
        Self {
            source,
            spawner,
            admission,
            limit,
            policy,
            running,
            phase: Phase::Running,
            is_set_up: false,
            handles_outcomes,
            started: 0,
            started_this_round: 0,
            polls_this_turn: 0,
            nesting: Nesting::new(),
            rounds_this_turn: 0,
            pace: Pace::watched(),
            has_completed_at_start: false,
            must_poll_all: false,
            panic: None,
            origin,
        }
    }

    /// Ends a loop in which nothing runs any more: resumes the panic that stopped it, or returns what has
    /// interrupted it.
    pub(crate) fn finish(self: Pin<&mut Self>) -> Option<Interrupted<(), U>> {
        let this = self.project();
        // A destructor may panic, and this is the last chance to report it.
        let (policy, spawner, admission) = (this.policy, this.spawner, this.admission);
        let dropped = catch(|| {
            *policy = None;
            if C::HAS_RULES
                && let Some(admission) = admission.queue_mut()
            {
                *spawner = None;
                admission.clear();
            }
        });
        if let Err(panic) = dropped {
            this.panic.get_or_insert(panic);
        }
        let was_drained = matches!(this.phase, Phase::Draining(_));
        let mut interruption = this.phase.finish();
        if J::ON_POOL
            && was_drained
            && matches!(this.running.pulled(), Some((_, true)))
            && let Some(interruption) = &mut interruption
        {
            // Only now is it known that workers had pulled every item.
            interruption.record_all_started();
        }
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        interruption.and_then(Interruption::into_interrupted)
    }

    /// Notes that the loop is polled, before the first [`poll_completions`](Self::poll_completions) of that
    /// poll. Bodies that share the parent's waker are polled once in each: any of them may have been woken,
    /// and the waker may be another one.
    #[inline]
    pub(crate) fn begin_poll(self: Pin<&mut Self>) {
        if J::PARENT_WAKER {
            *self.project().must_poll_all = true;
        }
    }

    /// Begins a poll of the loop, as a part of the turn of its task.
    ///
    /// The loop may be polled [beside](Turn::enter_beside) something else.
    ///
    /// This and [`leave_turn`](Self::leave_turn) are not in the function that has most of a loop, because the registers are few
    /// there.
    #[inline]
    pub(crate) fn enter_turn(self: Pin<&mut Self>, is_beside: bool) -> Turn {
        let this = self.project();
        this.nesting.enter(this.polls_this_turn, is_beside)
    }

    /// Ends a poll of the loop.
    #[inline]
    pub(crate) fn leave_turn(self: Pin<&mut Self>, turn: Turn) {
        let this = self.project();
        this.nesting.leave(turn, this.polls_this_turn);
    }

    /// Whether a turn is over in which this loop has used up its budget. It is not if bodies poll loops, and the task has
    /// polls left. If it is over, yields.
    #[cold]
    fn ends_turn(mut self: Pin<&mut Self>, cx: &Context<'_>) -> bool {
        let this = self.as_mut().project();
        if this.nesting.grant(this.polls_this_turn) {
            return false;
        }
        self.yield_now(cx, false);
        true
    }

    /// Drives the loop and passes each completion to `on_complete`, until that breaks. Returns `Continue`
    /// when the source is exhausted, or the loop has stopped, and no body runs. `held` counts the results
    /// that were passed on and still hold a permit. `None` if a completion that is passed on holds none.
    ///
    /// `on_complete(None)` marks the end of a batch: the next completion requires waiting, starting more bodies,
    /// or polling the options' signals. A batch is what one round completes, or one run of starts.
    ///
    /// `may_fail` says whether the receiver may call [`stop_after_round`](Self::stop_after_round). It is a constant: where
    /// it is false, and options ask for no last round either, the compiler removes the code for it.
    #[inline]
    pub(crate) fn poll_completions<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: Option<usize>,
        may_fail: bool,
        mut on_complete: impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Poll<ControlFlow<B>> {
        if J::ON_POOL {
            self.as_mut().project().running.set_held_permits(held.unwrap_or(0));
        }
        let mut signals = Signals::Unchecked;
        loop {
            match self.as_mut().step(cx, held, may_fail, &mut signals, &mut on_complete) {
                Step::Progress => {}
                Step::Break(value) => return Poll::Ready(ControlFlow::Break(value)),
                Step::OutOfBudget => {
                    if self.as_mut().ends_turn(cx) {
                        return Poll::Pending;
                    }
                }
                Step::Yield => {
                    self.yield_now(cx, true);
                    return Poll::Pending;
                }
                Step::Sleep => return Poll::Pending,
                Step::Complete => {
                    let stopped = self.project().running.poll_wait_groups(cx);
                    return stopped.map(|()| ControlFlow::Continue(()));
                }
            }
        }
    }

    /// Does the first thing that there is to do: see [the module](self).
    #[cfg_attr(not(debug_assertions), inline(always))] // in one place, and most of what a loop does
    fn step<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: Option<usize>,
        may_fail: bool,
        signals: &mut Signals,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Step<B> {
        if self.polls_this_turn >= budget() {
            return Step::OutOfBudget;
        }
        if C::HAS_SIGNALS && *signals == Signals::Unchecked {
            *signals = Signals::Checked;
            self.as_mut().poll_signals(cx, true);
        }
        if J::PARENT_WAKER && core::mem::take(self.as_mut().project().must_poll_all) {
            self.as_mut().project().running.mark_all_due();
        }
        if !self.running.is_round_in_progress() {
            let done = match self.phase {
                Phase::Running => self.as_mut().step_running(cx, held, signals, on_complete),
                Phase::LastRound { .. }
                | Phase::Delegated(_)
                | Phase::Draining(_)
                | Phase::Stopping(_)
                | Phase::Finished => self.as_mut().step_later(cx, may_fail, on_complete),
            };
            let done = done.or_else(|| self.as_mut().idle(cx, on_complete));
            if let Some(step) = done {
                return step;
            }
        }
        signals.outdate();
        self.poll_round(cx, on_complete).into()
    }

    /// Starts bodies while there is room for them. `None` if none can be started.
    #[cfg_attr(not(debug_assertions), inline(always))] // in one place
    fn step_running<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: Option<usize>,
        signals: &mut Signals,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Option<Step<B>> {
        let may_start = if C::HAS_RULES {
            self.may_admit(held.unwrap_or(0))
        } else {
            self.source.is_some() && self.has_room(held.unwrap_or(0))
        };
        if !may_start {
            return None;
        }
        if C::HAS_SIGNALS && *signals == Signals::Outdated {
            *signals = Signals::Unchecked;
            return Some(Step::Progress);
        }
        if self.pace.is_look_due() && self.as_mut().project().pace.must_yield() {
            *self.project().started_this_round = ROUND;
            return Some(Step::Yield);
        }
        match self.as_mut().poll_starts(cx, held, on_complete) {
            Poll::Ready(flow) => {
                signals.outdate();
                Some(flow.into())
            }
            Poll::Pending => None,
        }
    }

    /// In the phases after the first one: begins the last round, or hands back the items that were pulled and will
    /// not be started. `None` if there is neither.
    #[cfg_attr(not(debug_assertions), inline(always))] // in one place, and `may_fail` is a constant
    fn step_later<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        may_fail: bool,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Option<Step<B>> {
        // A last round is asked for at a failure, by a signal or, in a loop with rules, at an event.
        if !may_fail && !C::HAS_SIGNALS && !C::HAS_RULES {
            return None;
        }
        if let Phase::LastRound { has_started, .. } = self.phase {
            // Those that have timed out by now have done so together with the one that has failed.
            if C::HAS_SIGNALS && has_started && self.phase.is_failing() {
                match self.as_mut().expire(cx) {
                    Expiry::Completed(completion) => {
                        return Some(deliver(completion, on_complete).into());
                    }
                    Expiry::Progress => return Some(Step::Progress),
                    Expiry::None => {}
                }
            }
            self.step_last_round();
            return Some(Step::Progress);
        }
        // Only rules queue items.
        if !C::HAS_RULES {
            return None;
        }
        // An item that was not started, or is not retried, may stop the strategy: first the bodies that run complete.
        if matches!(self.phase, Phase::Draining(_)) && !self.running.is_empty() {
            return None;
        }
        let completion = self.as_mut().take_unstarted()?;
        Some(deliver(completion, on_complete).into())
    }

    /// Begins the last round; after it, the loop stops.
    #[cold]
    fn step_last_round(mut self: Pin<&mut Self>) {
        let this = self.as_mut().project();
        let Phase::LastRound { reason, has_started, .. } = this.phase else { return };
        let reason = *reason;
        // Only a signal or a rule asks for a round that has not started.
        if (C::HAS_SIGNALS || C::HAS_RULES) && !*has_started && this.running.next_round() {
            *has_started = true;
            return;
        }
        match reason {
            Some(reason) => self.interrupt(reason.into(), None),
            None => self.stop(),
        }
    }

    /// Nothing can be started now: begins a round of the bodies that were woken, cancels those that have timed
    /// out, and sleeps when there are none. `None` if a round has begun.
    #[cfg_attr(not(debug_assertions), inline(always))] // in one place
    fn idle<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Option<Step<B>> {
        let this = self.as_mut().project();
        let may_start_more = core::mem::take(this.started_this_round) >= ROUND;
        let is_exhausted = this.source.is_none() && this.admission.is_empty();
        if is_exhausted && this.running.is_empty() {
            return Some(Step::Complete);
        }
        let is_turn_over =
            this.running.has_yielded() && must_yield(*this.rounds_this_turn, C::HAS_SIGNALS);
        if !is_turn_over {
            *this.rounds_this_turn += 1;
            if this.running.next_round() {
                return None;
            }
        }
        if C::HAS_SIGNALS {
            match self.as_mut().expire(cx) {
                Expiry::Completed(completion) => {
                    return Some(deliver(completion, on_complete).into());
                }
                Expiry::Progress => return Some(Step::Progress),
                Expiry::None => {}
            }
            // With a full look: a loop that sleeps has registered its waker everywhere.
            if !may_start_more && self.as_mut().poll_signals(cx, false) {
                return Some(Step::Progress);
            }
        }
        if is_turn_over {
            return Some(Step::Yield);
        }
        if may_start_more {
            return Some(Step::Progress);
        }
        let this = self.project();
        if !this.running.sleep(cx) {
            return Some(Step::Yield);
        }
        this.nesting.reset(this.polls_this_turn);
        *this.rounds_this_turn = 0;
        this.pace.end_turn();
        if this.running.must_begin_with_round() {
            *this.started_this_round = ROUND;
        }
        Some(Step::Sleep)
    }

    /// Whether one more body may run.
    #[inline]
    fn has_room(&self, held: usize) -> bool {
        self.room(held) > 0 && self.started_this_round < ROUND
    }

    /// How many permits are free.
    #[inline]
    fn room(&self, held: usize) -> usize {
        self.limit.saturating_sub(self.running.len().saturating_add(held))
    }

    /// Polls the woken bodies of this round and passes on their completions, until the round or the budget
    /// is used up.
    #[cfg_attr(not(debug_assertions), inline(always))] // in one place
    fn poll_round<B>(
        mut self: Pin<&mut Self>,
        cx: &Context<'_>,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if J::ON_POOL && C::HAS_RULES && self.phase.is_delegated() {
            return self.deliver_round(on_complete);
        }
        let this = self.as_mut().project();
        let is_running = this.phase.is_running();
        let pass_on = |completion: Completion<_>| match completion.outcome {
            // The common case: only the strategy depends on it.
            Outcome::Ok(_) if is_running && C::HAS_SIGNALS && !C::HAS_RULES => {
                deliver(completion, on_complete).map_break(Ok)
            }
            Outcome::Ok(_) if is_running && !C::HAS_RULES => {
                on_complete(Some(completion)).map_break(Ok)
            }
            _ => ControlFlow::Break(Err(completion)),
        };
        let round = if J::PARENT_WAKER {
            // All of them, regardless of the budget: one that is not polled now might have lost its wake.
            this.running.poll_due(cx.waker(), pass_on)
        } else {
            this.running.poll_round(this.polls_this_turn, budget(), pass_on)
        };
        match round {
            ControlFlow::Continue(()) => {
                if J::ON_POOL {
                    self.check_source();
                }
                on_complete(None)
            }
            ControlFlow::Break(Ok(value)) => ControlFlow::Break(value),
            ControlFlow::Break(Err(completion)) => match self.handle_completion(completion) {
                Some(completion) => deliver(completion, on_complete),
                None => on_complete(None),
            },
        }
    }

    /// Wakes the task, which then returns to the executor.
    ///
    /// A turn that `is_over`, or in which bodies have used up what the runtime allows, is followed by a new one. Otherwise
    /// the next poll continues the turn, which is over once everything has had its part of the two polls.
    fn yield_now(self: Pin<&mut Self>, cx: &Context<'_>, is_over: bool) {
        let this = self.project();
        // Where no body waits, none was refused.
        let is_over = is_over || !this.running.is_empty() && forloop_budget::is_exhausted();
        // The turn in which a round that the budget has split is completed ends with it. Where bodies can time out, so does the turn
        // after a round that took the whole budget: otherwise that many bodies would keep the loop from its look at the clocks.
        let ends_next = C::HAS_SIGNALS || this.running.is_round_in_progress();
        *this.rounds_this_turn = if is_over || !ends_next { 0 } else { YIELDS };
        this.pace.end_turn();
        if is_over {
            this.running.end_turn();
            if this.running.must_begin_with_round() {
                *this.started_this_round = ROUND;
            }
        }
        *this.polls_this_turn = 0;
        end_turn();
        cx.waker().wake_by_ref();
    }
}

impl<S, A, J: fmt::Debug, Q, C, U> fmt::Debug for Drive<S, A, J, Q, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("limit", &self.limit)
            .field("started", &self.started)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
