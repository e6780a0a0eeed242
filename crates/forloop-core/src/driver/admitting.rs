//! Admission: which item starts next in a loop whose options have a say in that.
//!
//! Such a loop starts one body at a time. [`Drive::admit_one`] looks for the first of these:
//!
//! 1. an item whose back-off is over: it has kept its permit, so it needs none;
//! 2. a queued item, in input order, if there are permits for it; one that needs more permits than are free is
//!    not overtaken, or it would wait forever;
//! 3. the next item of the source, which either starts or is queued. No more items are queued than [`LOOK_AHEAD`]
//!    for each permit of the limit, so memory is bounded by it.
//!
//! An option that spaces starts in time is asked last, when an item is there and has its permits. While it delays the
//! start, the item is queued, and nothing else is pulled. So one item is pulled ahead, and no more: the loop learns
//! at once that the source is exhausted or has failed, and not when another body could start.
//!
//! With results in input order there is an exception: completed results hold permits until they are taken, and
//! they may wait for an item that is queued. So when nothing runs, that item starts without a permit.

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::starting::{StartPause, next_item};
use super::{Drive, ROUND, Spawner};
use crate::admission::{AdmissionQueue, Leftover, MaybeQueue};
use crate::body::Attempt;
use crate::engine::Completion;
use crate::options::{Event, ItemPolicy, OutcomeRule};
use crate::outcome::{StopReason, catch};
use crate::place::BodySet;
use crate::simulation::beginning;
use crate::{Outcome, OutcomeKind, Panic};

/// How many items may be queued for each permit of the limit, while the loop looks for one whose key is not at its own
/// limit.
///
/// A source that is sorted by key needs it most: the items of the first keys are queued before those of the next are
/// found. In simulation, a thousand bodies of 100 ms over 20 keys in order, 50 at once and 8 per key, take 4.4 s with
/// one item per permit, 2.5 s with two, and 2.4 s from four on; in mixed order 2.0 s. Over five keys it is 9.7 s with
/// one, 5.3 s with four, and 2.5 s from sixteen on, as in mixed order.
const LOOK_AHEAD: usize = 16;

/// Whether there is another attempt at an item after a completion.
pub(super) enum Retry {
    /// No option wants one.
    None,
    /// After a back-off.
    Planned,
    /// An option wants one, but the loop drains and starts nothing. The failure is final.
    Prevented,
}

impl<S, A, J, Q, C, U> Drive<S, A, J, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
{
    /// The admission queue, if the loop has one.
    pub(super) fn admission(
        self: Pin<&mut Self>,
    ) -> Option<&mut AdmissionQueue<C::Item, J::Output>> {
        self.project().admission.queue_mut()
    }

    /// Index and attempts of the logged items that were tried more than once, in ascending order.
    pub(crate) fn logged_attempts(self: Pin<&mut Self>) -> Vec<(usize, u32)> {
        if C::HAS_RULES {
            self.admission().map(AdmissionQueue::logged_attempts).unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// How many permits are taken: by bodies that run, by results that were passed on and are `held`, and by
    /// items that back off.
    fn permits_taken(&self, held: usize) -> usize {
        let extra = self.policy.as_ref().map_or(0, C::extra_permits_in_use);
        let backing_off = self.admission.queue().map_or(0, AdmissionQueue::backing_off);
        self.running.len().saturating_add(held).saturating_add(backing_off).saturating_add(extra)
    }

    /// Whether an item may start or be pulled now, as far as that is known without polling options and source.
    pub(super) fn may_admit(&self, held: usize) -> bool {
        let Some(admission) = self.admission.queue() else { return false };
        if self.started_this_round >= ROUND {
            return false;
        }
        let has_items = self.source.is_some() || admission.unstarted() > 0;
        let has_permit = has_items && self.permits_taken(held) < self.limit;
        let is_awaited = admission.is_ordered && admission.unstarted() > 0;
        has_permit || admission.backing_off() > 0 || is_awaited
    }

    /// Starts one body, or queues one item.
    pub(super) fn admit_one<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
    ) -> StartPause<B, J::Output, U> {
        if self.as_mut().is_stopped_at_start() {
            return StartPause::Quota;
        }
        let mut stop = None;
        let next = self.as_mut().next_admitted(cx, held, &mut stop);
        if let Some(reason) = stop {
            self.as_mut().stop_if_asked(Ok(Some(reason)));
        }
        match next {
            Ok((index, item)) => self.start_body(cx, index, item),
            Err(pause) => pause,
        }
    }

    /// Reports the start of the loop, once. `true` if an option stops the loop for it.
    fn is_stopped_at_start(mut self: Pin<&mut Self>) -> bool {
        let this = self.as_mut().project();
        let (Some(admission), Some(policy)) = (this.admission.queue_mut(), this.policy) else {
            return false;
        };
        if core::mem::replace(&mut admission.has_announced_start, true) {
            return false;
        }
        let source = this.source.as_ref().as_pin_ref();
        let stop = catch(|| {
            let (lower, upper) = source.map_or((0, Some(0)), |source| source.size_hint());
            policy.on_event(&Event::LoopStarted { lower, upper })
        });
        let is_stopped = !matches!(stop, Ok(None));
        self.stop_if_asked(stop);
        is_stopped
    }

    /// Finds the item that starts next. An option may want to `stop` the loop for what has happened.
    ///
    /// # Errors
    ///
    /// Why none starts: with `Quota`, because one was queued instead.
    fn next_admitted<B>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        stop: &mut Option<StopReason>,
    ) -> Result<(usize, C::Item), StartPause<B, J::Output, U>> {
        let taken = self.permits_taken(held);
        let runs_nothing = self.running.is_empty()
            && self.admission.queue().is_none_or(|admission| admission.backing_off() == 0);
        let this = self.project();
        let (Some(admission), Some(policy)) = (this.admission.queue_mut(), this.policy) else {
            return Err(StartPause::NoItem);
        };
        let (source, started, limit) = (this.source.as_pin_mut(), this.started, *this.limit);
        let has_permits = |policy: &C, index| {
            let permits = policy.extra_permits(index).saturating_add(1);
            taken == 0 || taken.saturating_add(permits) <= limit
        };
        catch(|| {
            // For a first attempt: a retry has kept its permits.
            let may_start_first = |policy: &mut C, cx: &mut Context<'_>| {
                if policy.poll_start(cx).is_pending() {
                    // Other loops may have the permit meanwhile.
                    policy.cancel_permit();
                    return false;
                }
                policy.poll_permit(cx).is_ready()
            };
            while let Poll::Ready(index) = policy.poll_retry(cx) {
                admission.back_off_is_over(index);
            }
            while let Some(index) = policy.take_released() {
                admission.release(index);
            }
            if let Some(index) = admission.next_due() {
                return Self::next_retried(policy, admission, cx, index);
            }
            // The consumer takes results in input order. Where it has taken those of all items before, it waits for this one.
            let taken_results = started.saturating_sub(admission.unstarted()).saturating_sub(held);
            let is_awaited = |index| admission.is_ordered && runs_nothing && index <= taken_results;
            let next = admission.next_queued().map(|index| (index, is_awaited(index)));
            if let Some((index, is_awaited)) = next.filter(|next| taken < limit || next.1) {
                let has_permits = is_awaited || has_permits(policy, index);
                let may_start = has_permits && may_start_first(policy, cx);
                let next = if may_start { admission.take_queued() } else { None };
                return next.ok_or(StartPause::NoItem);
            }
            if taken >= limit || admission.unstarted() >= limit.saturating_mul(LOOK_AHEAD) {
                return Err(StartPause::NoItem);
            }
            let Some(source) = source else { return Err(StartPause::NoItem) };
            let (index, item) = next_item::<_, _, C, _, _>(source, cx, started)?;
            *stop = policy.on_event(&Event::Received { index });
            let is_held = !policy.receive(index, &item);
            let is_next = !is_held && stop.is_none() && has_permits(policy, index);
            if is_next && may_start_first(policy, cx) {
                return Ok((index, item));
            }
            admission.receive(index, item, is_held);
            Err(StartPause::Quota)
        })
        .unwrap_or_else(|panic| Err(StartPause::Panicked(panic)))
    }

    /// Takes out an item whose back-off is over, so that it starts again. It has kept its permits.
    ///
    /// # Errors
    ///
    /// Why it does not start: its last failure, if its time limit is over.
    fn next_retried<B>(
        policy: &mut C,
        admission: &mut AdmissionQueue<C::Item, J::Output>,
        cx: &mut Context<'_>,
        index: usize,
    ) -> Result<(usize, C::Item), StartPause<B, J::Output, U>> {
        policy.cancel_permit();
        let has_expired = policy.poll_retry_expired(index, cx).is_ready();
        if has_expired {
            policy.cancel_start();
        } else if policy.poll_start(cx).is_pending() {
            return Err(StartPause::NoItem);
        }
        let (item, failure) = admission.take_due(index);
        match item.filter(|_| !has_expired) {
            Some(item) => {
                // Before the body is made: this may panic.
                drop(failure);
                Ok((index, item))
            }
            None => {
                admission.give_up(index);
                Err(StartPause::Completed(failure))
            }
        }
    }

    /// Calls the body with this item.
    fn start_body<B>(
        mut self: Pin<&mut Self>,
        cx: &Context<'_>,
        index: usize,
        item: C::Item,
    ) -> StartPause<B, J::Output, U> {
        let this = self.as_mut().project();
        let origin = *this.origin;
        let (Some(spawner), Some(admission), Some(policy)) =
            (this.spawner, this.admission.queue_mut(), this.policy)
        else {
            return StartPause::NoItem;
        };
        *this.started_this_round += 1;
        *this.polls_this_turn += 1;
        let attempt = Attempt { index, attempt: admission.attempt(index) };
        let stop = catch(|| {
            if let Some(retained) = policy.clone_for_retry(&item) {
                admission.retain(index, retained);
            }
            policy.on_event(&Event::Started { index, attempt: attempt.attempt })
        });
        let stop = match stop {
            Ok(stop) => stop,
            Err(panic) => return StartPause::Panicked(panic),
        };
        let mut item = Some((index, item));
        let next =
            || item.take().map_or(ControlFlow::Break(StartPause::Quota), ControlFlow::Continue);
        let make = |index, item, completer| {
            let _starting = beginning(origin, index);
            spawner.launch(attempt, item, completer)
        };
        let on_complete = |completion| ControlFlow::Break(StartPause::Completed(completion));
        let result = match this.running.start(cx.waker(), 1, next, make, on_complete) {
            ControlFlow::Continue(_) if !J::TIMES_BODIES => StartPause::Quota,
            ControlFlow::Continue(key) => {
                let (running, admission) = (&*this.running, &*this.admission);
                let alive =
                    |body, attempt| running.runs(body) && admission.is_latest(body, attempt);
                match catch(|| policy.on_start(key, attempt.attempt, alive)) {
                    Ok(()) => StartPause::Quota,
                    Err(panic) => StartPause::Panicked(panic),
                }
            }
            ControlFlow::Break(result) => result,
        };
        if stop.is_some() {
            self.stop_if_asked(Ok(stop));
        }
        result
    }

    /// Plans another attempt at the item after this completion, if an option wants one.
    pub(super) fn plan_retry(
        mut self: Pin<&mut Self>,
        completion: &Completion<J::Output>,
    ) -> Retry {
        let this = self.as_mut().project();
        let (Some(admission), Some(policy), false) = (
            this.admission.queue_mut(),
            this.policy,
            this.phase.is_stopping() || this.phase.is_failing(),
        ) else {
            return Retry::None;
        };
        let (index, attempt) = (completion.index, admission.attempt(completion.index));
        let (is_closed, phase) = (this.phase.is_closed(), this.phase);
        let planned = catch(|| {
            let Some(after) = policy.retry_after(index, attempt, &completion.outcome) else {
                return (Retry::None, None);
            };
            if is_closed {
                if let Some(interruption) = phase.interruption_mut() {
                    interruption.record_unstarted();
                }
                return (Retry::Prevented, None);
            }
            policy.on_failure(index, attempt, &completion.outcome, Some(after));
            // An option wants a retry after an error or a time-out, and after nothing else.
            let kind = completion.outcome.kind_by(|_| true);
            (Retry::Planned, policy.on_event(&Event::Retried { index, attempt, kind, after }))
        });
        match planned {
            Ok((retry, None)) => retry,
            // The loop stops before the next attempt: this was the last.
            Ok((_, stop)) => {
                self.stop_if_asked(Ok(stop));
                Retry::None
            }
            Err(panic) => {
                self.stop_for(panic);
                Retry::None
            }
        }
    }

    /// Reports the completion of an item to the options.
    #[inline]
    pub(super) fn complete_item(mut self: Pin<&mut Self>, completion: &Completion<J::Output>) {
        let this = self.as_mut().project();
        let policy = this.policy.as_ref();
        let admission = this.admission.queue();
        let kind = completion.outcome.kind_by(|returned| {
            admission.is_some_and(|admission| admission.is_error(returned))
                || policy.is_some_and(|policy| policy.is_error(returned))
        });
        let was_stopping = self.phase.is_stopping();
        if kind.is_failure() {
            self.as_mut().report_failure(completion);
        }
        self.as_mut().report_completed(completion.index, kind);
        // A loop that was stopping has its reason already.
        if !was_stopping && let Some(policy) = self.as_mut().project().policy {
            let stop = catch(|| policy.on_outcome(completion.index, &completion.outcome));
            self.stop_if_asked(stop);
        }
    }

    /// Reports the final failure of an item.
    #[cold]
    pub(super) fn report_failure(mut self: Pin<&mut Self>, completion: &Completion<J::Output>) {
        let this = self.as_mut().project();
        let Some(policy) = this.policy else { return };
        let index = completion.index;
        let attempt = this.admission.queue().map_or(1, |admission| admission.attempt(index));
        if let Err(panic) = catch(|| policy.on_failure(index, attempt, &completion.outcome, None)) {
            self.stop_for(panic);
        }
    }

    /// Reports that the item with this index has completed.
    pub(super) fn report_completed(mut self: Pin<&mut Self>, index: usize, kind: OutcomeKind) {
        let admission = self.as_mut().admission();
        // This drops what was retained for another attempt.
        let attempts = admission
            .map_or(Ok(1), |admission| catch(|| admission.forget(index, kind.is_failure())));
        match attempts {
            Ok(attempts) => self.report(&Event::Completed { index, attempts, kind }),
            Err(panic) => self.stop_for(panic),
        }
    }

    fn report(mut self: Pin<&mut Self>, event: &Event) {
        let Some(policy) = self.as_mut().project().policy else { return };
        let stop = catch(|| policy.on_event(event));
        self.stop_if_asked(stop);
    }

    /// Stops the loop if an option wants that.
    fn stop_if_asked(self: Pin<&mut Self>, stop: Result<Option<StopReason>, Panic>) {
        match stop {
            Ok(Some(reason)) => {
                self.stop_for_reason(reason);
            }
            Ok(None) => {}
            Err(panic) => self.stop_for(panic),
        }
    }

    /// The completion of the next item that waited when the loop was closed.
    pub(super) fn take_unstarted(mut self: Pin<&mut Self>) -> Option<Completion<J::Output>> {
        match self.as_mut().admission()?.take_leftover()? {
            // Its failure counts only now: what has stopped the loop came first.
            (_, Leftover::Failed(completion)) => {
                self.complete_item(&completion);
                Some(Completion { seq: J::next_sequence(), ..completion })
            }
            (index, Leftover::Unstarted(item)) => {
                if let Err(panic) = catch(|| drop(item)) {
                    self.as_mut().stop_for(panic);
                }
                self.report(&Event::Completed { index, attempts: 0, kind: OutcomeKind::NotRun });
                Some(Completion { index, seq: J::next_sequence(), outcome: Outcome::NotRun })
            }
        }
    }
}
