//! What every loop does, whatever becomes of the results: pull items, start bodies, poll the
//! woken ones, tell each end once.

use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::engine::{End, Set};
use crate::panic::catch;
use crate::place::{Launch, Started};
use crate::policy::Admit;
use crate::{Cause, Interrupted, Outcome, Panic, Ticket};

/// Body polls after which the executor gets a turn.
pub(crate) const TURN: usize = 256;

/// Bodies started in a row before the woken ones are looked at again, so that a source that never
/// runs dry and bodies that are ready at once cannot starve a body that waits.
const ROUND: usize = 64;

pin_project! {
    /// A loop on its way: source, body, place and the bodies that run.
    ///
    /// A panic, of a body or of the source, stops the loop and is kept until every body has
    /// stopped; `raise` then goes on with it. So nobody behind this sees one, unless it catches
    /// them.
    pub(crate) struct Drive<S, A, J, C> {
        // Gone once it has run dry or the loop was stopped; never asked again.
        #[pin]
        source: Option<S>,
        launcher: Option<A>,
        limit: usize,
        policy: C,
        running: Set<J>,
        // The deadline has passed: what was woken by then has its turn, and nothing after.
        last_round: bool,
        // The bodies that have no time left and were asked to stop.
        overdue: Vec<usize>,
        interrupted: Option<Interrupted<(), ()>>,
        started: usize,
        started_this_round: usize,
        polls_this_turn: usize,
        had_its_round: bool,
        stopping: bool,
        panic: Option<Panic>,
    }
}

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Launch<C::Item, J>,
    J: Started,
    C: Admit<S::Item>,
{
    pub(crate) fn new(source: S, launcher: A, limit: usize, policy: C) -> Self {
        Self {
            source: Some(source),
            launcher: Some(launcher),
            limit,
            policy,
            running: Set::new(),
            last_round: false,
            overdue: Vec::new(),
            interrupted: None,
            started: 0,
            started_this_round: 0,
            polls_this_turn: 0,
            had_its_round: false,
            stopping: false,
            panic: None,
        }
    }

    /// Goes on with the panic that stopped the loop, if one did, and tells what has cut it short:
    /// for when nothing runs any more.
    pub(crate) fn ending(self: Pin<&mut Self>) -> Option<Interrupted<(), C::SourceError>> {
        let this = self.project();
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        let Interrupted { cause, pending, ready } = this.interrupted.take()?;
        let cause = match (cause, this.policy.source_error()) {
            (Cause::Source { index, .. }, Some(error)) => Cause::Source { index, error },
            (Cause::TimedOut, _) => Cause::TimedOut,
            _ => Cause::Cancelled,
        };
        Some(Interrupted { cause, pending, ready })
    }

    /// Whether the loop was stopped by something that `ending` will tell.
    pub(crate) fn was_cut_short(&self) -> bool {
        self.panic.is_some() || self.interrupted.is_some()
    }

    /// How many bodies may run at once.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many bodies were started so far.
    pub(crate) fn started(&self) -> usize {
        self.started
    }

    /// Goes on until a body ends, and tells its end; `None` once every body has ended and the
    /// source has run dry or the loop was stopped. `held` are ends told that still count against
    /// the limit.
    pub(crate) fn poll_end(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
    ) -> Poll<Option<End<J::Output>>> {
        self.as_mut().look_out(cx);
        loop {
            let this = self.as_mut().project();
            if *this.polls_this_turn >= TURN {
                return self.next_turn(cx);
            }
            if let Some(polled) = this.running.poll_next_woken() {
                *this.polls_this_turn += 1;
                if let Some(end) = polled.and_then(|end| self.as_mut().sift(end)) {
                    return Poll::Ready(Some(end));
                }
                continue;
            }
            if *this.last_round && !*this.stopping {
                if !core::mem::replace(this.had_its_round, true) && this.running.next_round() {
                    continue;
                }
                // Unless what was woken by then was all that was left to do.
                match this.source.is_none() && this.running.is_empty() {
                    true => *this.last_round = false,
                    false => self.as_mut().cut_short(Cause::TimedOut, None),
                }
                continue;
            }
            let has_room = this.running.len().saturating_add(held) < *this.limit;
            if has_room
                && *this.started_this_round < ROUND
                && let Poll::Ready(end) = self.as_mut().poll_start(cx)
            {
                match end {
                    Some(end) => return Poll::Ready(Some(end)),
                    None => continue,
                }
            }
            let this = self.as_mut().project();
            let round_was_full = *this.started_this_round >= ROUND;
            *this.started_this_round = 0;
            if this.running.is_empty() && this.source.is_none() {
                return this.running.poll_orphans(cx).map(|()| None);
            }
            if !*this.had_its_round {
                *this.had_its_round = true;
                if this.running.next_round() {
                    continue;
                }
            }
            if let Some(end) = self.as_mut().expire(cx) {
                return Poll::Ready(Some(end));
            }
            if round_was_full {
                continue;
            }
            let this = self.as_mut().project();
            if this.running.sleep(cx) {
                *this.polls_this_turn = 0;
                *this.had_its_round = false;
                return Poll::Pending;
            }
            return self.next_turn(cx);
        }
    }

    /// Gives the executor a turn. After one round at the latest: so a body that yields has
    /// yielded to the executor, and not only to its siblings.
    fn next_turn(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<End<J::Output>>> {
        let this = self.project();
        *this.polls_this_turn = 0;
        *this.had_its_round = false;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Starts the next body, if the source has an item. `Ready(None)` when something happened but
    /// no body ended, `Pending` when nothing can be started now.
    fn poll_start(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<End<J::Output>>> {
        let mut this = self.as_mut().project();
        let (Some(source), Some(launcher)) = (this.source.as_mut().as_pin_mut(), this.launcher)
        else {
            return Poll::Pending;
        };
        let given = match catch(|| source.poll_next(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Some(given))) => given,
            Ok(Poll::Ready(None)) => {
                self.close();
                return Poll::Ready(None);
            }
            Err(panic) => {
                self.stop_for(panic);
                return Poll::Ready(None);
            }
        };
        let index = *this.started;
        let Some(item) = this.policy.admit(given) else {
            self.cut_short(Cause::Source { index, error: () }, None);
            return Poll::Ready(None);
        };
        *this.started += 1;
        *this.started_this_round += 1;
        *this.polls_this_turn += 1;
        let started = match catch(|| launcher.launch(item)) {
            Ok(job) => this.running.start(index, job),
            Err(panic) => Err(End { index, at: J::end_now(), outcome: Outcome::Panicked(panic) }),
        };
        Poll::Ready(match started {
            Ok(slot) => {
                let (policy, running) = (this.policy, &*this.running);
                let body = Ticket { slot, index };
                if let Err(panic) = catch(|| policy.begun(body, |body| running.runs(body))) {
                    self.stop_for(panic);
                }
                None
            }
            Err(end) => self.sift(end),
        })
    }

    /// Stops the loop if something wants it to be cut short. Once its work is done, nothing can.
    fn look_out(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.as_mut().project();
        let is_done = this.source.is_none() && this.running.is_empty();
        if *this.stopping || *this.last_round || is_done {
            return;
        }
        match catch(|| this.policy.poll_interrupt(cx)) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(Cause::TimedOut)) => *this.last_round = true,
            Ok(Poll::Ready(_)) => self.cut_short(Cause::Cancelled, None),
            Err(panic) => self.stop_for(panic),
        }
    }

    /// Asks the bodies that have no time left to stop; tells the end of the first that has stopped.
    fn expire(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<End<J::Output>> {
        while !self.stopping {
            let this = self.as_mut().project();
            let running = &*this.running;
            let policy = this.policy;
            let body = match catch(|| policy.poll_overdue(cx, |body| running.runs(body))) {
                Ok(Poll::Ready(body)) => body,
                Ok(Poll::Pending) => return None,
                Err(panic) => {
                    self.stop_for(panic);
                    return None;
                }
            };
            match this.running.expire(body) {
                Some(end) => {
                    if let Some(end) = self.as_mut().sift(end) {
                        return Some(end);
                    }
                }
                None => this.overdue.push(body.index),
            }
        }
        None
    }

    /// Passes on an end; keeps back a panic, to raise it when the loop has stopped. A body that
    /// nobody has stopped and that yet came to no end was dropped by its runtime.
    fn sift(mut self: Pin<&mut Self>, mut end: End<J::Output>) -> Option<End<J::Output>> {
        let this = self.as_mut().project();
        let was_overdue = match this.overdue.iter().position(|&index| index == end.index) {
            Some(place) => {
                this.overdue.swap_remove(place);
                true
            }
            None => false,
        };
        match end.outcome {
            Outcome::Panicked(panic) if !C::CATCHES => {
                self.stop_for(panic);
                return None;
            }
            Outcome::Cancelled | Outcome::NotRun if was_overdue => end.outcome = Outcome::TimedOut,
            Outcome::Cancelled | Outcome::NotRun if !*this.stopping => {
                self.cut_short(Cause::Cancelled, Some(end.index));
            }
            _ => {}
        }
        Some(end)
    }

    /// Stops the loop before its end. `lost` is a body that does not run any more.
    fn cut_short(mut self: Pin<&mut Self>, cause: Cause<()>, lost: Option<usize>) {
        let this = self.as_mut().project();
        let mut pending = this.running.indices();
        if let Some(index) = lost {
            pending.insert(pending.partition_point(|&running| running < index), index);
        }
        this.interrupted.get_or_insert(Interrupted { cause, pending, ready: () });
        self.stop();
    }

    fn stop_for(mut self: Pin<&mut Self>, panic: Panic) {
        // The first is the one to show: the others came of the stop, or at the same time.
        self.as_mut().project().panic.get_or_insert(panic);
        self.stop();
    }

    /// Starts no more bodies and asks those that run to stop; their ends are still told.
    pub(crate) fn stop(mut self: Pin<&mut Self>) {
        if self.stopping {
            return;
        }
        *self.as_mut().project().stopping = true;
        self.as_mut().close();
        let this = self.project();
        let panic = this.panic;
        this.running.cancel(|caught| {
            panic.get_or_insert(caught);
        });
    }

    /// Lets go of the source and the launcher: no item is pulled and no body is called any more.
    fn close(self: Pin<&mut Self>) {
        let mut this = self.project();
        let closed = catch(|| {
            this.source.set(None);
            *this.launcher = None;
        });
        if let Err(panic) = closed {
            this.panic.get_or_insert(panic);
        }
    }
}

impl<S, A, J, C> fmt::Debug for Drive<S, A, J, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("limit", &self.limit)
            .field("started", &self.started)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
