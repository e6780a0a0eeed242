//! What every loop does, whatever becomes of the results: pull items, start bodies, poll the
//! woken ones, tell each end once.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::engine::{End, Set};
use crate::interrupted::Cut;
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
        // Gone once the loop has ended.
        policy: Option<C>,
        running: Set<J>,
        last_round: LastRound,
        cut: Option<Cut<()>>,
        started: usize,
        started_this_round: usize,
        polls_this_turn: usize,
        had_its_round: bool,
        stopping: bool,
        panic: Option<Panic>,
    }
}

/// The deadline has passed: what was woken by then has its turn, and nothing after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastRound {
    No,
    Due,
    Begun,
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
            policy: Some(policy),
            running: Set::new(),
            last_round: LastRound::No,
            cut: None,
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
        let source_error = this.policy.as_mut().and_then(C::source_error);
        // What it holds may panic when it is dropped, and later might be too late to say so.
        if let Err(panic) = catch(|| *this.policy = None) {
            this.panic.get_or_insert(panic);
        }
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        let interrupted = this.cut.take().and_then(Cut::into_interrupted)?;
        let Interrupted { cause, pending, ready } = interrupted;
        let cause = match (cause, source_error) {
            (Cause::Source { index, .. }, Some(error)) => Cause::Source { index, error },
            (Cause::TimedOut, _) => Cause::TimedOut,
            _ => Cause::Cancelled,
        };
        Some(Interrupted { cause, pending, ready })
    }

    /// Whether the loop was stopped by something that `ending` will tell.
    pub(crate) fn was_cut_short(&self) -> bool {
        self.panic.is_some() || self.cut.is_some()
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
        let mut has_looked_out = false;
        // Whatever was polled since may have said stop, or taken its time.
        let mut must_look_again = false;
        loop {
            let this = self.as_mut().project();
            if *this.polls_this_turn >= TURN {
                return self.next_turn(cx);
            }
            if !core::mem::replace(&mut has_looked_out, true) {
                self.as_mut().look_out(cx, true);
            }
            let this = self.as_mut().project();
            if let Some(polled) = this.running.poll_next_woken() {
                *this.polls_this_turn += 1;
                must_look_again = true;
                if let Some(end) = polled.and_then(|end| self.as_mut().sift(end)) {
                    return Poll::Ready(Some(end));
                }
                continue;
            }
            if *this.last_round != LastRound::No && !*this.stopping {
                if *this.last_round == LastRound::Due && this.running.next_round() {
                    *this.last_round = LastRound::Begun;
                } else {
                    self.as_mut().cut_short(Cause::TimedOut, None);
                }
                continue;
            }
            let has_room = this.running.len().saturating_add(held) < *this.limit;
            let may_start = has_room && *this.started_this_round < ROUND && this.source.is_some();
            if may_start && core::mem::take(&mut must_look_again) {
                has_looked_out = false;
                continue;
            }
            if may_start && let Poll::Ready(end) = self.as_mut().poll_start(cx) {
                must_look_again = true;
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
            let before = (*this.stopping, *this.last_round);
            if let Some(end) = self.as_mut().expire(cx) {
                return Poll::Ready(Some(end));
            }
            if round_was_full {
                continue;
            }
            // Whoever sleeps has said whom to wake.
            self.as_mut().look_out(cx, false);
            if (self.stopping, self.last_round) != before {
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
        // A round of more bodies than a turn has polls goes on, and is the next turn's.
        *this.had_its_round = this.running.is_amid_round();
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
        let policy = this.policy.as_mut();
        let Some(item) = policy.and_then(|policy| policy.admit(given)) else {
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
                let (policy, running) = (this.policy.as_mut(), &*this.running);
                let begun = policy.map_or(Ok(()), |policy| {
                    let body = Ticket { slot, index };
                    catch(|| policy.begun(body, |body| running.runs(body)))
                });
                if let Err(panic) = begun {
                    self.stop_for(panic);
                }
                None
            }
            Err(end) => self.sift(end),
        })
    }

    /// Stops the loop if something wants it to be cut short. Once its work is done, nothing can.
    /// `again` if a glance will do.
    fn look_out(mut self: Pin<&mut Self>, cx: &mut Context<'_>, again: bool) {
        let this = self.as_mut().project();
        let is_done = this.source.is_none() && this.running.is_empty();
        let is_stopping = *this.stopping || *this.last_round != LastRound::No;
        let Some(policy) = this.policy.as_mut().filter(|_| !is_done && !is_stopping) else {
            return;
        };
        match catch(|| policy.poll_interrupt(cx, again)) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(Cause::TimedOut)) => *this.last_round = LastRound::Due,
            Ok(Poll::Ready(_)) => self.cut_short(Cause::Cancelled, None),
            Err(panic) => self.stop_for(panic),
        }
    }

    /// Asks the bodies that have no time left to stop; tells the end of the first that has stopped.
    fn expire(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<End<J::Output>> {
        while !self.stopping {
            let this = self.as_mut().project();
            let (policy, running) = (this.policy.as_mut()?, &*this.running);
            let body = match catch(|| policy.poll_overdue(cx, |body| running.runs(body))) {
                Ok(Poll::Ready(body)) => body,
                Ok(Poll::Pending) => return None,
                Err(panic) => {
                    self.stop_for(panic);
                    return None;
                }
            };
            *this.polls_this_turn += 1;
            if let Some(end) = this.running.expire(body)
                && let Some(end) = self.as_mut().sift(end)
            {
                return Some(end);
            }
        }
        None
    }

    /// Passes on an end; keeps back a panic, to raise it when the loop has stopped. A body that
    /// nobody has stopped and that yet came to no end was dropped by its runtime.
    fn sift(mut self: Pin<&mut Self>, end: End<J::Output>) -> Option<End<J::Output>> {
        let this = self.as_mut().project();
        match end.outcome {
            Outcome::Panicked(panic) if !C::CATCHES => {
                self.stop_for(panic);
                return None;
            }
            Outcome::Cancelled | Outcome::NotRun if *this.stopping => {}
            Outcome::Cancelled | Outcome::NotRun => {
                self.cut_short(Cause::Cancelled, Some(end.index));
            }
            _ => this.cut.iter_mut().for_each(|cut| cut.ended(end.index)),
        }
        Some(end)
    }

    /// Stops the loop before its end. `lost` is a body that does not run any more.
    fn cut_short(mut self: Pin<&mut Self>, cause: Cause<()>, lost: Option<usize>) {
        let this = self.as_mut().project();
        // A source that says it is at its end need not be asked once more.
        let is_dry = |source: Pin<&mut S>| catch(|| source.size_hint().1 == Some(0));
        let has_failed = matches!(cause, Cause::Source { .. });
        let all_begun = !has_failed
            && this.source.as_pin_mut().is_none_or(|source| is_dry(source).unwrap_or(false));
        let mut cut = Cut::new(cause, this.running.indices(), all_begun);
        lost.into_iter().for_each(|index| cut.one_more(index));
        this.cut.get_or_insert(cut);
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
