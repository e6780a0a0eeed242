//! Admission: which item begins next in a loop whose options have a say in that.
//!
//! Such a loop begins one body at a time. [`Drive::admit_one`] looks for the first of these:
//!
//! 1. an item whose back-off is over: it has kept its permit, so it needs none;
//! 2. a queued item, in input order, if there are permits for it; one that needs more permits than are free is
//!    not overtaken, or it would wait forever;
//! 3. the next item of the source, which either begins or is queued. No more items are queued than the limit, so
//!    memory is bounded by it.
//!
//! With results in input order there is an exception: completed results hold permits until they are taken, and
//! they may wait for an item that is queued. So when nothing runs, that item begins without a permit.

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::starting::StartEnd;
use super::{Drive, ROUND, Spawner};
use crate::admission::{AdmissionQueue, AttemptLog, Leftover, MaybeQueue};
use crate::body::Attempt;
use crate::engine::{Completion, JobHandle, Key};
use crate::options::{Event, ItemPolicy, OutcomePolicy};
use crate::outcome::{StopReason, catch};
use crate::simulation::beginning;
use crate::{Outcome, OutcomeKind, Panic};

/// Whether no item waits in the queue of this launcher.
pub(super) fn none_waits<I, J: JobHandle, A: Spawner<I, J>>(launcher: &Option<A>) -> bool {
    let admission = launcher.as_ref().and_then(|launcher| launcher.admission().admission_ref());
    admission.is_none_or(AdmissionQueue::is_empty)
}

/// Whether this is the latest attempt at its item.
pub(super) fn is_latest<I, R>(admission: Option<&AdmissionQueue<I, R>>, body: Key) -> bool {
    admission.is_none_or(|admission| admission.attempt(body.index) == body.attempt)
}

/// What begins next.
enum Admitted<I, R> {
    /// This item.
    Item(usize, I),
    /// Nothing for now.
    None,
    /// Nothing for now, because this item was queued.
    Queued,
    /// Nothing: the back-off of an item is over, and it is too late for another attempt.
    Failed(Completion<R>),
    /// Nothing: the source is exhausted.
    Exhausted,
    /// Nothing: the source gave an error.
    SourceFailed,
}

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
{
    /// The admission queue, if the loop has one.
    pub(super) fn admission(
        self: Pin<&mut Self>,
    ) -> Option<&mut AdmissionQueue<C::Item, J::Output>> {
        self.project().launcher.as_mut()?.admission_mut().admission()
    }

    fn admission_ref(&self) -> Option<&AdmissionQueue<C::Item, J::Output>> {
        self.launcher.as_ref()?.admission().admission_ref()
    }

    /// Sets whose attempts are logged, for [`tried`](Self::tried).
    pub(crate) fn note(self: Pin<&mut Self>, log: AttemptLog) {
        if C::HAS_RULES
            && let Some(admission) = self.admission()
        {
            admission.note(log);
        }
    }

    /// Index and attempts of the logged items that were tried more than once, in ascending order.
    pub(crate) fn tried(self: Pin<&mut Self>) -> Vec<(usize, u32)> {
        if C::HAS_RULES {
            self.admission().map(AdmissionQueue::tried).unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// Notes that results are given in input order, so that those of later items wait for those of earlier
    /// ones.
    pub(crate) fn is_ordered(self: Pin<&mut Self>) {
        if C::HAS_RULES
            && let Some(admission) = self.admission()
        {
            admission.is_ordered = true;
        }
    }

    /// How many permits are taken: by bodies that run, by results that were passed on and are `held`, and by
    /// items that back off.
    fn permits_taken(&self, held: usize) -> usize {
        let extra = self.policy.as_ref().map_or(0, C::extras);
        let backing_off = self.admission_ref().map_or(0, AdmissionQueue::backing_off);
        self.running.len().saturating_add(held).saturating_add(backing_off).saturating_add(extra)
    }

    /// Whether an item may begin or be pulled now, as far as that is known without polling options and source.
    pub(super) fn may_admit(&self, held: usize) -> bool {
        let Some(admission) = self.admission_ref() else { return false };
        if self.started_this_round >= ROUND {
            return false;
        }
        let has_items = self.source.is_some() || admission.unstarted() > 0;
        let has_permit = has_items && self.permits_taken(held) < self.limit;
        let is_awaited = admission.is_ordered && admission.unstarted() > 0;
        has_permit || admission.backing_off() > 0 || is_awaited
    }

    /// Begins one body, or queues one item.
    pub(super) fn admit_one<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
    ) -> StartEnd<B, J::Output> {
        let mut stop = None;
        let next = self.as_mut().next_admitted(cx, held, &mut stop);
        if let Some(reason) = stop {
            self.as_mut().heed(Ok(Some(reason)));
        }
        match next {
            Ok(Admitted::Item(index, item)) => self.begin_body(cx, index, item),
            Ok(Admitted::None) => StartEnd::NoItem,
            Ok(Admitted::Queued) => StartEnd::Quota,
            Ok(Admitted::Failed(end)) => StartEnd::Completed(end),
            Ok(Admitted::Exhausted) => StartEnd::Exhausted,
            Ok(Admitted::SourceFailed) => StartEnd::SourceFailed,
            Err(panic) => StartEnd::Panicked(panic),
        }
    }

    /// Finds the item that begins next. An option may want to `stop` the loop for what has happened.
    fn next_admitted(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        stop: &mut Option<StopReason>,
    ) -> Result<Admitted<C::Item, J::Output>, Panic> {
        let taken = self.permits_taken(held);
        let runs_nothing = self.running.is_empty()
            && self.admission_ref().is_none_or(|admission| admission.backing_off() == 0);
        let this = self.as_mut().project();
        let limit = *this.limit;
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else {
            return Ok(Admitted::None);
        };
        let Some(admission) = launcher.admission_mut().admission() else {
            return Ok(Admitted::None);
        };
        let (mut source, started) = (this.source, this.started);
        let has_permits = |policy: &C, index| {
            let permits = policy.extra(index).saturating_add(1);
            taken == 0 || taken.saturating_add(permits) <= limit
        };
        catch(|| {
            if !core::mem::replace(&mut admission.has_announced_start, true) {
                let hint =
                    source.as_ref().as_pin_ref().map_or((0, Some(0)), |source| source.size_hint());
                *stop = policy.on_event(&Event::LoopStarted { least: hint.0, most: hint.1 });
                if stop.is_some() {
                    return Admitted::Queued;
                }
            }
            while let Poll::Ready(index) = policy.poll_again(cx) {
                admission.back_off_is_over(index);
            }
            while let Some(index) = policy.released() {
                admission.release(index);
            }
            if policy.poll_begin(cx).is_pending() {
                return Admitted::None;
            }
            if let Some((index, item, failure)) = admission.take_due() {
                if let Some(item) = item.filter(|_| !policy.is_too_late(index)) {
                    // Before the body is made: this may panic.
                    drop(failure);
                    return Admitted::Item(index, item);
                }
                admission.give_up(index);
                return Admitted::Failed(failure);
            }
            let is_awaited = admission.is_ordered && runs_nothing;
            if let Some(index) = admission.next_queued().filter(|_| taken < limit || is_awaited) {
                let may_begin = is_awaited || has_permits(policy, index);
                let next = if may_begin { admission.take_queued() } else { None };
                return next.map_or(Admitted::None, |(index, item)| Admitted::Item(index, item));
            }
            if taken >= limit || admission.unstarted() >= limit {
                return Admitted::None;
            }
            let Some(source) = source.as_mut().as_pin_mut() else { return Admitted::None };
            let given = match source.poll_next(cx) {
                Poll::Ready(Some(given)) => given,
                Poll::Ready(None) => return Admitted::Exhausted,
                Poll::Pending => return Admitted::None,
            };
            let Some(item) = policy.admit(given) else { return Admitted::SourceFailed };
            let index = *started;
            *started += 1;
            *stop = policy.on_event(&Event::Received { index });
            let is_held = !policy.arrive(index, &item);
            if !is_held && stop.is_none() && has_permits(policy, index) {
                return Admitted::Item(index, item);
            }
            admission.receive(index, item, is_held);
            Admitted::Queued
        })
    }

    /// Calls the body with this item.
    fn begin_body<B>(
        mut self: Pin<&mut Self>,
        cx: &Context<'_>,
        index: usize,
        item: C::Item,
    ) -> StartEnd<B, J::Output> {
        let this = self.as_mut().project();
        let origin = *this.origin;
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else {
            return StartEnd::NoItem;
        };
        *this.started_this_round += 1;
        *this.polls_this_turn += 1;
        let Some(admission) = launcher.admission_mut().admission() else { return StartEnd::NoItem };
        let attempt = Attempt { index, attempt: admission.attempt(index) };
        let stop = catch(|| {
            if let Some(retained) = policy.keep(&item) {
                admission.retain(index, retained);
            }
            policy.on_event(&Event::Started { index, attempt: attempt.attempt })
        });
        let stop = match stop {
            Ok(stop) => stop,
            Err(panic) => return StartEnd::Panicked(panic),
        };
        let mut job = match catch(|| beginning(origin, index, || launcher.launch(attempt, item))) {
            Ok(job) => Some((index, job)),
            Err(panic) => {
                let outcome = Outcome::Panicked(panic);
                return StartEnd::Completed(Completion { index, seq: J::next_sequence(), outcome });
            }
        };
        let next = || job.take().map_or(ControlFlow::Break(StartEnd::Quota), ControlFlow::Continue);
        let on_complete = |end| ControlFlow::Break(StartEnd::Completed(end));
        let result = match this.running.start(cx.waker(), 1, next, on_complete) {
            ControlFlow::Continue(key) => {
                let key = Key { attempt: attempt.attempt, ..key };
                let (running, admission) = (&*this.running, launcher.admission().admission_ref());
                let alive = |body: Key| running.runs(body) && is_latest(admission, body);
                match catch(|| policy.begun(key, alive)) {
                    Ok(()) => StartEnd::Quota,
                    Err(panic) => StartEnd::Panicked(panic),
                }
            }
            ControlFlow::Break(result) => result,
        };
        if stop.is_some() {
            self.heed(Ok(stop));
        }
        result
    }

    /// Whether the item is retried after this completion.
    pub(super) fn schedules_retry(mut self: Pin<&mut Self>, end: &Completion<J::Output>) -> bool {
        let this = self.as_mut().project();
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else { return false };
        let (Some(admission), false) =
            (launcher.admission_mut().admission(), this.phase.is_stopping())
        else {
            return false;
        };
        let (index, attempt) = (end.index, admission.attempt(end.index));
        let (is_closed, phase) = (this.phase.is_closed(), this.phase);
        let retry = catch(|| {
            let Some(after) = policy.again(index, attempt, &end.outcome) else {
                return (false, None);
            };
            if is_closed {
                // Draining has kept this item from its next attempt.
                if let Some(cut) = phase.cut_mut() {
                    cut.more_was_left();
                }
                return (false, None);
            }
            (true, policy.on_event(&Event::Retried { index, attempt, after }))
        });
        match retry {
            Ok((is_retried, None)) => is_retried,
            // The loop stops before the next attempt: this was the last.
            Ok((_, stop)) => {
                self.heed(Ok(stop));
                false
            }
            Err(panic) => {
                self.stop_for(panic);
                false
            }
        }
    }

    /// Reports the completion of an item to the options.
    pub(super) fn complete_item(mut self: Pin<&mut Self>, end: &Completion<J::Output>) {
        let this = self.as_mut().project();
        let policy = this.policy.as_ref();
        let admission =
            this.launcher.as_mut().and_then(|launcher| launcher.admission_mut().admission());
        let kind = OutcomeKind::of(&end.outcome, |returned| {
            admission.is_some_and(|admission| admission.is_error(returned))
                || policy.is_some_and(|policy| policy.is_error(returned))
        });
        let was_stopping = self.phase.is_stopping();
        self.as_mut().report_completed(end.index, kind);
        // A loop that was stopping has its reason already.
        if !was_stopping && let Some(policy) = self.as_mut().project().policy {
            let stop = catch(|| policy.on_outcome(end.index, &end.outcome));
            self.heed(stop);
        }
    }

    /// Reports that the item with this index has completed.
    pub(super) fn report_completed(mut self: Pin<&mut Self>, index: usize, how: OutcomeKind) {
        let admission = self.as_mut().admission();
        // This drops what was retained for another attempt.
        let attempts = admission
            .map_or(Ok(1), |admission| catch(|| admission.forget(index, how.is_failure())));
        match attempts {
            Ok(attempts) => self.report(&Event::Completed { index, attempts, how }),
            Err(panic) => self.stop_for(panic),
        }
    }

    fn report(mut self: Pin<&mut Self>, event: &Event) {
        let Some(policy) = self.as_mut().project().policy else { return };
        let stop = catch(|| policy.on_event(event));
        self.heed(stop);
    }

    /// Stops the loop if an option wants that.
    fn heed(self: Pin<&mut Self>, stop: Result<Option<StopReason>, Panic>) {
        match stop {
            Ok(Some(reason)) => {
                self.interrupt(reason);
            }
            Ok(None) => {}
            Err(panic) => self.stop_for(panic),
        }
    }

    /// The completion of the next item that waited when the loop was closed.
    pub(super) fn take_unstarted(mut self: Pin<&mut Self>) -> Option<Completion<J::Output>> {
        match self.as_mut().admission()?.take_leftover()? {
            // Its failure counts only now: what has stopped the loop came first.
            (_, Leftover::Failed(end)) => {
                self.complete_item(&end);
                Some(Completion { seq: J::next_sequence(), ..end })
            }
            (index, Leftover::Unstarted(item)) => {
                if let Err(panic) = catch(|| drop(item)) {
                    self.as_mut().stop_for(panic);
                }
                self.report(&Event::Completed { index, attempts: 0, how: OutcomeKind::NotRun });
                Some(Completion { index, seq: J::next_sequence(), outcome: Outcome::NotRun })
            }
        }
    }
}
