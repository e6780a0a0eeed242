//! A loop whose policy has a say in when each item begins: items may wait between source and body, and between
//! two attempts.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::{Drive, ROUND, StartEnd};
use crate::admission::{AdmissionQueue, AttemptLog, MaybeQueue};
use crate::body::Attempt;
use crate::driver::Spawner;
use crate::engine::{Completion, JobHandle, Key};
use crate::options::{ItemPolicy, OutcomePolicy};
use crate::outcome::{Cut, catch};
use crate::simulation::beginning;
use crate::{Cause, Event, Outcome, OutcomeKind, Panic};

/// Whether no item waits in the lobby of this launcher.
pub(super) fn nobody_waits<I, J: JobHandle, A: Spawner<I, J>>(launcher: &Option<A>) -> bool {
    let admission = launcher.as_ref().and_then(|launcher| launcher.admission().admission_ref());
    admission.is_none_or(AdmissionQueue::is_empty)
}

/// Whether this is the latest attempt at its item.
pub(super) fn is_latest<I, R>(admission: Option<&AdmissionQueue<I, R>>, body: Key) -> bool {
    admission.is_none_or(|admission| admission.attempt(body.index) == body.attempt)
}

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
{
    /// Where items wait, if any ever does.
    pub(super) fn admission(
        self: Pin<&mut Self>,
    ) -> Option<&mut AdmissionQueue<C::Item, J::Output>> {
        self.project().launcher.as_mut()?.admission_mut().admission()
    }

    fn admission_ref(&self) -> Option<&AdmissionQueue<C::Item, J::Output>> {
        self.launcher.as_ref()?.admission().admission_ref()
    }

    /// Says whose attempts are to be kept, for [`tried`](Self::tried).
    pub(crate) fn note(self: Pin<&mut Self>, notes: AttemptLog) {
        if C::HAS_RULES
            && let Some(admission) = self.admission()
        {
            admission.note(notes);
        }
    }

    /// Index and attempts of those items, of which more than one was needed; ascending.
    pub(crate) fn tried(self: Pin<&mut Self>) -> Vec<(usize, u32)> {
        if C::HAS_RULES {
            self.admission().map(AdmissionQueue::tried).unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// How many items wait for another attempt.
    pub(super) fn waiting(&self) -> usize {
        if C::HAS_RULES { self.admission_ref().map_or(0, AdmissionQueue::failed) } else { 0 }
    }

    /// How many places are taken: by bodies that run, by ends that were told and by items that wait for another
    /// attempt.
    fn taken(&self, held: usize) -> usize {
        let extras = self.policy.as_ref().map_or(0, C::extras);
        let bodies = self.running.len().saturating_add(held);
        bodies.saturating_add(self.waiting()).saturating_add(extras)
    }

    /// Whether a body may begin now, as far as that is known without a look at policy and source.
    pub(super) fn may_begin(&self, held: usize) -> bool {
        let Some(admission) = self.admission_ref() else { return false };
        let is_closed = self.stopping || admission.is_closed;
        let has_items = self.source.is_some() || admission.waiting() > 0;
        let has_room = has_items && self.taken(held) < self.limit;
        let is_awaited = admission.is_ordered && admission.waiting() > 0;
        let may_be = has_room || admission.failed() > 0 || is_awaited;
        !is_closed && self.started_this_round < ROUND && may_be
    }

    /// Hears that results are given in input order, so that those of later items wait for those of earlier ones.
    pub(crate) fn is_ordered(self: Pin<&mut Self>) {
        if C::HAS_RULES
            && let Some(admission) = self.admission()
        {
            admission.is_ordered = true;
        }
    }

    /// Pulls an item, or begins a body.
    pub(super) fn start_governed(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
    ) -> StartEnd<Infallible, J::Output> {
        let taken = self.taken(held);
        let is_idle = self.running.is_empty() && self.waiting() == 0;
        let this = self.as_mut().project();
        let (limit, started) = (*this.limit, this.started);
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else {
            return StartEnd::NoItem;
        };
        let Some(admission) = launcher.admission_mut().admission() else { return StartEnd::NoItem };
        let mut source = this.source;
        let fits = |policy: &C, index| {
            let ordered = policy.extra(index).saturating_add(1);
            taken == 0 || taken.saturating_add(ordered) <= limit
        };
        let found = catch(|| {
            if !core::mem::replace(&mut admission.has_told, true) {
                let hint =
                    source.as_ref().as_pin_ref().map_or((0, Some(0)), |source| source.size_hint());
                policy.on_event(&Event::LoopStarted { least: hint.0, most: hint.1 });
            }
            while let Poll::Ready(index) = policy.poll_again(cx) {
                admission.is_due(index);
            }
            while let Some(index) = policy.released() {
                admission.release(index);
            }
            if policy.poll_begin(cx).is_pending() {
                return Err(StartEnd::NoItem);
            }
            // What is due has kept its place.
            while admission.has_due() {
                let Some((index, item, end)) = admission.take_due() else { continue };
                if policy.is_too_late(index) {
                    admission.give_up(index);
                    return Err(StartEnd::Ended(end));
                }
                // Before what is returned is made: this may panic.
                drop(end);
                return Ok((index, item));
            }
            // Where results wait for that of an item that has not begun, and nothing runs, its turn has come.
            let is_awaited = admission.is_ordered && is_idle;
            if let Some(index) = admission.next_free().filter(|_| taken < limit || is_awaited) {
                // Nobody overtakes the one that is too heavy for now.
                let may_begin = is_awaited || fits(policy, index);
                let next = if may_begin { admission.take_free() } else { None };
                return next.ok_or(StartEnd::NoItem);
            }
            if taken >= limit {
                return Err(StartEnd::NoItem);
            }
            if admission.waiting() >= limit {
                return Err(StartEnd::NoItem);
            }
            let Some(source) = source.as_mut().as_pin_mut() else { return Err(StartEnd::NoItem) };
            let given = match source.poll_next(cx) {
                Poll::Ready(Some(given)) => given,
                Poll::Ready(None) => return Err(StartEnd::Dry),
                Poll::Pending => return Err(StartEnd::NoItem),
            };
            let Some(item) = policy.admit(given) else { return Err(StartEnd::SourceFailed) };
            let index = *started;
            *started += 1;
            policy.on_event(&Event::Received { index });
            let is_free = policy.arrive(index, &item);
            if is_free && fits(policy, index) {
                return Ok((index, item));
            }
            admission.arrive(index, item, is_free);
            Err(StartEnd::Quota)
        });
        match found {
            Ok(Ok((index, item))) => self.begin_body(cx, index, item),
            Ok(Err(pause)) => pause,
            Err(panic) => StartEnd::Panicked(panic),
        }
    }

    /// Calls the body with this item.
    fn begin_body(
        self: Pin<&mut Self>,
        cx: &Context<'_>,
        index: usize,
        item: C::Item,
    ) -> StartEnd<Infallible, J::Output> {
        let this = self.project();
        let origin = *this.origin;
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else {
            return StartEnd::NoItem;
        };
        *this.started_this_round += 1;
        *this.polls_this_turn += 1;
        let Some(admission) = launcher.admission_mut().admission() else { return StartEnd::NoItem };
        let attempt = Attempt { index, attempt: admission.attempt(index) };
        let heard = catch(|| {
            if let Some(kept) = policy.keep(&item) {
                admission.keep(index, kept);
            }
            policy.on_event(&Event::Started { index, attempt: attempt.attempt });
        });
        if let Err(panic) = heard {
            return StartEnd::Panicked(panic);
        }
        let mut job = match catch(|| beginning(origin, index, || launcher.launch(attempt, item))) {
            Ok(job) => Some((index, job)),
            Err(panic) => {
                let outcome = Outcome::Panicked(panic);
                return StartEnd::Ended(Completion { index, seq: J::next_sequence(), outcome });
            }
        };
        let next = || job.take().map_or(ControlFlow::Break(StartEnd::Quota), ControlFlow::Continue);
        let on_complete = |end| ControlFlow::Break(StartEnd::Ended(end));
        match this.running.start(cx.waker(), 1, next, on_complete) {
            ControlFlow::Continue(ticket) => {
                let ticket = Key { attempt: attempt.attempt, ..ticket };
                let (running, admission) = (&*this.running, launcher.admission().admission_ref());
                let alive = |body: Key| running.runs(body) && is_latest(admission, body);
                match catch(|| policy.begun(ticket, alive)) {
                    Ok(()) => StartEnd::Quota,
                    Err(panic) => StartEnd::Panicked(panic),
                }
            }
            ControlFlow::Break(pause) => pause,
        }
    }

    /// Whether there will be another attempt after this end of one.
    pub(super) fn tries_again(mut self: Pin<&mut Self>, end: &Completion<J::Output>) -> bool {
        let this = self.as_mut().project();
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else { return false };
        let (Some(admission), false) = (launcher.admission_mut().admission(), *this.stopping)
        else {
            return false;
        };
        let (index, attempt) = (end.index, admission.attempt(end.index));
        let (is_closed, cut) = (admission.is_closed, this.cut);
        let again = catch(|| {
            let after = policy.again(index, attempt, &end.outcome)?;
            if is_closed {
                // Whoever has asked the loop to finish has kept this item from its next attempt.
                cut.iter_mut().for_each(Cut::more_was_left);
                return None;
            }
            policy.on_event(&Event::Retried { index, attempt, after });
            Some(())
        });
        again.map(|again| again.is_some()).unwrap_or_else(|panic| {
            self.stop_for(panic);
            false
        })
    }

    /// An item is done with.
    pub(super) fn has_ended(mut self: Pin<&mut Self>, end: &Completion<J::Output>) {
        let this = self.as_mut().project();
        let policy = this.policy.as_ref();
        let admission =
            this.launcher.as_mut().and_then(|launcher| launcher.admission_mut().admission());
        let how = OutcomeKind::of(&end.outcome, |returned| {
            admission.is_some_and(|admission| admission.is_error(returned))
                || policy.is_some_and(|policy| policy.is_error(returned))
        });
        // Who has decided already does not look again.
        let looks = !self.stopping;
        self.as_mut().hear_ended(end.index, how);
        if looks {
            self.on_outcome(end);
        }
    }

    /// Has the policy look at the outcome of an item that is done with.
    fn on_outcome(mut self: Pin<&mut Self>, end: &Completion<J::Output>) {
        let Some(policy) = self.as_mut().project().policy else { return };
        let judged = catch(|| policy.on_outcome(end.index, &end.outcome));
        self.heed(judged);
    }

    /// The item with this index is done with.
    pub(super) fn hear_ended(mut self: Pin<&mut Self>, index: usize, how: OutcomeKind) {
        let admission = self.as_mut().admission();
        // It lets go of what was kept for another attempt.
        let attempts = admission
            .map_or(Ok(1), |admission| catch(|| admission.forget(index, how.is_failure())));
        match attempts {
            Ok(attempts) => self.on_event(&Event::Completed { index, attempts, how }),
            Err(panic) => self.stop_for(panic),
        }
    }

    fn on_event(mut self: Pin<&mut Self>, event: &Event) {
        let Some(policy) = self.as_mut().project().policy else { return };
        let heard = catch(|| policy.on_event(event));
        self.heed(heard);
    }

    /// Does what the policy wants.
    fn heed(self: Pin<&mut Self>, wanted: Result<Option<Cause>, Panic>) {
        match wanted {
            Ok(Some(cause)) if !self.stopping => self.cut_short(cause.widen(), None),
            Ok(_) => {}
            Err(panic) => self.stop_for(panic),
        }
    }

    /// The end of the next item that waits and will not begin, if nothing does any more.
    pub(super) fn left(mut self: Pin<&mut Self>) -> Option<Completion<J::Output>> {
        if !self.admission_ref()?.is_closed {
            return None;
        }
        match self.as_mut().admission()?.take_left()? {
            // It has failed for good only now: what has stopped the loop came first.
            (_, Some(end)) => {
                self.has_ended(&end);
                Some(Completion { seq: J::next_sequence(), ..end })
            }
            (index, None) => {
                self.on_event(&Event::Completed { index, attempts: 0, how: OutcomeKind::NotRun });
                Some(Completion { index, seq: J::next_sequence(), outcome: Outcome::NotRun })
            }
        }
    }
}
