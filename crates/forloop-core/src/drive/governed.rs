//! A loop whose policy has a say in when each item begins: items may wait between source and body, and between
//! two attempts.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::{Drive, Pause, ROUND};
use crate::engine::End;
use crate::interrupted::Cut;
use crate::lobby::{Keeps, Lobby, Notes};
use crate::panic::catch;
use crate::place::{Attempt, Launch, Started};
use crate::policy::{Admit, Review, Ticket};
use crate::simulation::beginning;
use crate::{Cause, Event, How, Outcome, Panic};

/// Whether no item waits in the lobby of this launcher.
pub(super) fn nobody_waits<I, J: Started, A: Launch<I, J>>(launcher: &Option<A>) -> bool {
    let lobby = launcher.as_ref().and_then(|launcher| launcher.lobby().lobby_ref());
    lobby.is_none_or(Lobby::is_empty)
}

/// Whether this is the latest attempt at its item.
pub(super) fn is_latest<I, R>(lobby: Option<&Lobby<I, R>>, body: Ticket) -> bool {
    lobby.is_none_or(|lobby| lobby.attempt(body.index) == body.attempt)
}

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Launch<C::Item, J>,
    J: Started,
    C: Admit<S::Item> + Review<J::Output>,
{
    /// Where items wait, if any ever does.
    pub(super) fn lobby(self: Pin<&mut Self>) -> Option<&mut Lobby<C::Item, J::Output>> {
        self.project().launcher.as_mut()?.lobby_mut().lobby()
    }

    fn lobby_ref(&self) -> Option<&Lobby<C::Item, J::Output>> {
        self.launcher.as_ref()?.lobby().lobby_ref()
    }

    /// Says whose attempts are to be kept, for [`tried`](Self::tried).
    pub(crate) fn note(self: Pin<&mut Self>, notes: Notes) {
        if C::GOVERNS
            && let Some(lobby) = self.lobby()
        {
            lobby.note(notes);
        }
    }

    /// Index and attempts of those items, of which more than one was needed; ascending.
    pub(crate) fn tried(self: Pin<&mut Self>) -> Vec<(usize, u32)> {
        if C::GOVERNS { self.lobby().map(Lobby::tried).unwrap_or_default() } else { Vec::new() }
    }

    /// How many items wait for another attempt.
    pub(super) fn waiting(&self) -> usize {
        if C::GOVERNS { self.lobby_ref().map_or(0, Lobby::failed) } else { 0 }
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
        let Some(lobby) = self.lobby_ref() else { return false };
        let is_closed = self.stopping || lobby.is_closed;
        let has_items = self.source.is_some() || lobby.waiting() > 0;
        let has_room = has_items && self.taken(held) < self.limit;
        let is_awaited = lobby.is_ordered && lobby.waiting() > 0;
        let may_be = has_room || lobby.failed() > 0 || is_awaited;
        !is_closed && self.started_this_round < ROUND && may_be
    }

    /// Hears that results are given in input order, so that those of later items wait for those of earlier ones.
    pub(crate) fn is_ordered(self: Pin<&mut Self>) {
        if C::GOVERNS
            && let Some(lobby) = self.lobby()
        {
            lobby.is_ordered = true;
        }
    }

    /// Pulls an item, or begins a body.
    pub(super) fn start_governed(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
    ) -> Pause<Infallible, J::Output> {
        let taken = self.taken(held);
        let is_idle = self.running.is_empty() && self.waiting() == 0;
        let this = self.as_mut().project();
        let (limit, started) = (*this.limit, this.started);
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else {
            return Pause::NoItem;
        };
        let Some(lobby) = launcher.lobby_mut().lobby() else { return Pause::NoItem };
        let mut source = this.source;
        let fits = |policy: &C, index| {
            let places = policy.extra(index).saturating_add(1);
            taken == 0 || taken.saturating_add(places) <= limit
        };
        let found = catch(|| {
            if !core::mem::replace(&mut lobby.has_told, true) {
                let hint =
                    source.as_ref().as_pin_ref().map_or((0, Some(0)), |source| source.size_hint());
                policy.hear(&Event::Began { least: hint.0, most: hint.1 });
            }
            while let Poll::Ready(index) = policy.poll_again(cx) {
                lobby.is_due(index);
            }
            while let Some(index) = policy.released() {
                lobby.release(index);
            }
            if policy.poll_begin(cx).is_pending() {
                return Err(Pause::NoItem);
            }
            // What is due has kept its place.
            while lobby.has_due() {
                let Some((index, item, end)) = lobby.take_due() else { continue };
                if policy.is_too_late(index) {
                    lobby.give_up(index);
                    return Err(Pause::Ended(end));
                }
                // Before what is returned is made: this may panic.
                drop(end);
                return Ok((index, item));
            }
            // Where results wait for that of an item that has not begun, and nothing runs, its turn has come.
            let is_awaited = lobby.is_ordered && is_idle;
            if let Some(index) = lobby.next_free().filter(|_| taken < limit || is_awaited) {
                // Nobody overtakes the one that is too heavy for now.
                let may_begin = is_awaited || fits(policy, index);
                let next = if may_begin { lobby.take_free() } else { None };
                return next.ok_or(Pause::NoItem);
            }
            if taken >= limit {
                return Err(Pause::NoItem);
            }
            if lobby.waiting() >= limit {
                return Err(Pause::NoItem);
            }
            let Some(source) = source.as_mut().as_pin_mut() else { return Err(Pause::NoItem) };
            let given = match source.poll_next(cx) {
                Poll::Ready(Some(given)) => given,
                Poll::Ready(None) => return Err(Pause::Dry),
                Poll::Pending => return Err(Pause::NoItem),
            };
            let Some(item) = policy.admit(given) else { return Err(Pause::SourceFailed) };
            let index = *started;
            *started += 1;
            policy.hear(&Event::Queued { index });
            let is_free = policy.arrive(index, &item);
            if is_free && fits(policy, index) {
                return Ok((index, item));
            }
            lobby.arrive(index, item, is_free);
            Err(Pause::Quota)
        });
        match found {
            Ok(Ok((index, item))) => self.begin_body(cx, index, item),
            Ok(Err(pause)) => pause,
            Err(panic) => Pause::Panicked(panic),
        }
    }

    /// Calls the body with this item.
    fn begin_body(
        self: Pin<&mut Self>,
        cx: &Context<'_>,
        index: usize,
        item: C::Item,
    ) -> Pause<Infallible, J::Output> {
        let this = self.project();
        let origin = *this.origin;
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else {
            return Pause::NoItem;
        };
        *this.started_this_round += 1;
        *this.polls_this_turn += 1;
        let Some(lobby) = launcher.lobby_mut().lobby() else { return Pause::NoItem };
        let attempt = Attempt { index, attempt: lobby.attempt(index) };
        let heard = catch(|| {
            if let Some(kept) = policy.keep(&item) {
                lobby.keep(index, kept);
            }
            policy.hear(&Event::Started { index, attempt: attempt.attempt });
        });
        if let Err(panic) = heard {
            return Pause::Panicked(panic);
        }
        let mut job = match catch(|| beginning(origin, index, || launcher.launch(attempt, item))) {
            Ok(job) => Some((index, job)),
            Err(panic) => {
                let outcome = Outcome::Panicked(panic);
                return Pause::Ended(End { index, at: J::end_now(), outcome });
            }
        };
        let next = || job.take().map_or(ControlFlow::Break(Pause::Quota), ControlFlow::Continue);
        let ended = |end| ControlFlow::Break(Pause::Ended(end));
        match this.running.start(cx.waker(), 1, next, ended) {
            ControlFlow::Continue(ticket) => {
                let ticket = Ticket { attempt: attempt.attempt, ..ticket };
                let (running, lobby) = (&*this.running, launcher.lobby().lobby_ref());
                let alive = |body: Ticket| running.runs(body) && is_latest(lobby, body);
                match catch(|| policy.begun(ticket, alive)) {
                    Ok(()) => Pause::Quota,
                    Err(panic) => Pause::Panicked(panic),
                }
            }
            ControlFlow::Break(pause) => pause,
        }
    }

    /// Whether there will be another attempt after this end of one.
    pub(super) fn tries_again(mut self: Pin<&mut Self>, end: &End<J::Output>) -> bool {
        let this = self.as_mut().project();
        let (Some(launcher), Some(policy)) = (this.launcher, this.policy) else { return false };
        let (Some(lobby), false) = (launcher.lobby_mut().lobby(), *this.stopping) else {
            return false;
        };
        let (index, attempt) = (end.index, lobby.attempt(end.index));
        let (is_closed, cut) = (lobby.is_closed, this.cut);
        let again = catch(|| {
            let after = policy.again(index, attempt, &end.outcome)?;
            if is_closed {
                // Whoever has asked the loop to finish has kept this item from its next attempt.
                cut.iter_mut().for_each(Cut::more_was_left);
                return None;
            }
            policy.hear(&Event::Retried { index, attempt, after });
            Some(())
        });
        again.map(|again| again.is_some()).unwrap_or_else(|panic| {
            self.stop_for(panic);
            false
        })
    }

    /// An item is done with.
    pub(super) fn has_ended(mut self: Pin<&mut Self>, end: &End<J::Output>) {
        let this = self.as_mut().project();
        let policy = this.policy.as_ref();
        let lobby = this.launcher.as_mut().and_then(|launcher| launcher.lobby_mut().lobby());
        let how = How::of(&end.outcome, |returned| {
            lobby.is_some_and(|lobby| lobby.is_error(returned))
                || policy.is_some_and(|policy| policy.is_error(returned))
        });
        // Who has decided already does not look again.
        let looks = !self.stopping;
        self.as_mut().hear_ended(end.index, how);
        if looks {
            self.judge(end);
        }
    }

    /// Has the policy look at the outcome of an item that is done with.
    fn judge(mut self: Pin<&mut Self>, end: &End<J::Output>) {
        let Some(policy) = self.as_mut().project().policy else { return };
        let judged = catch(|| policy.judge(end.index, &end.outcome));
        self.heed(judged);
    }

    /// The item with this index is done with.
    pub(super) fn hear_ended(mut self: Pin<&mut Self>, index: usize, how: How) {
        let lobby = self.as_mut().lobby();
        // It lets go of what was kept for another attempt.
        let attempts = lobby.map_or(Ok(1), |lobby| catch(|| lobby.forget(index, how.is_failure())));
        match attempts {
            Ok(attempts) => self.hear(&Event::Ended { index, attempts, how }),
            Err(panic) => self.stop_for(panic),
        }
    }

    fn hear(mut self: Pin<&mut Self>, event: &Event) {
        let Some(policy) = self.as_mut().project().policy else { return };
        let heard = catch(|| policy.hear(event));
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
    pub(super) fn left(mut self: Pin<&mut Self>) -> Option<End<J::Output>> {
        if !self.lobby_ref()?.is_closed {
            return None;
        }
        match self.as_mut().lobby()?.take_left()? {
            // It has failed for good only now: what has stopped the loop came first.
            (_, Some(end)) => {
                self.has_ended(&end);
                Some(End { at: J::end_now(), ..end })
            }
            (index, None) => {
                self.hear(&Event::Ended { index, attempts: 0, how: How::NotRun });
                Some(End { index, at: J::end_now(), outcome: Outcome::NotRun })
            }
        }
    }
}
