//! What every loop does, whatever becomes of the results: pull items, start bodies, poll the
//! woken ones, tell each end once.

mod counter;
mod governed;
mod spawner;
mod start;
mod stopping;

use core::convert::Infallible;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use self::counter::Counter;
use self::governed::nobody_waits;
pub use self::spawner::{BodySpawner, Spawner};
use crate::body::Attempt;
use crate::budget::{BUDGET, budget};
use crate::engine::{CapacityHint, Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy};
use crate::outcome::{Cut, catch};
use crate::place::{BodySet, Delivery, DeliveryRule, PoolHandle, PullConfig};
use crate::simulation::{Origin, beginning};
use crate::{Cause, Interrupted, Outcome, Panic};

/// Rounds after which the executor gets a turn if a body has yielded in one of them: a turn of a runtime
/// costs as much as many polls.
const YIELDS: usize = 16;

/// Bodies started in a row before the woken ones are looked at again, so that a source that never
/// runs dry and bodies that are ready at once cannot starve a body that waits.
const ROUND: usize = 64;

/// Why no more bodies are started for now.
enum StartEnd<B, T> {
    /// The source has no item yet.
    NoItem,
    /// The source has run dry.
    Dry,
    /// As many run as may.
    NoRoom,
    /// As many were started in a row as may be.
    Quota,
    /// Whoever is told the ends has had enough.
    ConditionMet(B),
    /// A body had an end that must be looked at.
    Ended(Completion<T>),
    /// The source gave an error.
    SourceFailed,
    /// The source, or the timer that a body's time is measured with.
    Panicked(Panic),
}

impl<T> StartEnd<Infallible, T> {
    /// The same, where whoever is told the ends could have had enough.
    fn widen<B>(self) -> StartEnd<B, T> {
        match self {
            Self::NoItem => StartEnd::NoItem,
            Self::Dry => StartEnd::Dry,
            Self::NoRoom => StartEnd::NoRoom,
            Self::Quota => StartEnd::Quota,
            Self::ConditionMet(never) => match never {},
            Self::Ended(end) => StartEnd::Ended(end),
            Self::SourceFailed => StartEnd::SourceFailed,
            Self::Panicked(panic) => StartEnd::Panicked(panic),
        }
    }
}

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
        running: BodySet<J>,
        last_round: LastRound,
        cut: Option<Cut<()>>,
        started: usize,
        started_this_round: usize,
        polls_this_turn: usize,
        rounds_this_turn: usize,
        has_begun: bool,
        stopping: bool,
        // Bodies without wakers of their own have not had their turn in this poll.
        round_is_owed: bool,
        panic: Option<Panic>,
        // Only for simulations.
        origin: Origin,
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
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
{
    #[inline]
    pub(crate) fn new(
        source: S,
        launcher: A,
        pool: Option<PoolHandle<J>>,
        limit: usize,
        policy: C,
    ) -> Self {
        Self::of((Some(source), Some(launcher)), pool, limit, policy)
    }

    /// A loop whose workers draw their bodies.
    pub(crate) fn of_crew(pool: Option<PoolHandle<J>>, limit: usize, policy: C) -> Self {
        Self::of((None, None), pool, limit, policy)
    }

    #[inline(always)] // so that it is made where it is to be
    fn of(
        (source, launcher): (Option<S>, Option<A>),
        pool: Option<PoolHandle<J>>,
        limit: usize,
        policy: C,
    ) -> Self {
        Self {
            source,
            launcher,
            limit,
            policy: Some(policy),
            running: BodySet::new(pool),
            last_round: LastRound::No,
            cut: None,
            started: 0,
            started_this_round: 0,
            polls_this_turn: 0,
            rounds_this_turn: 0,
            has_begun: false,
            stopping: false,
            round_is_owed: false,
            panic: None,
            origin: Origin::unknown(),
        }
    }

    /// Says where the loop was written.
    #[inline]
    pub(crate) fn written_at(self, origin: Origin) -> Self {
        Self { running: self.running.written_at(origin), origin, ..self }
    }

    /// Makes ready for the bodies, before the first poll. Tells once how many there will be at least,
    /// if the source tells the truth. `weight_by` says how much an output tells if it is not light; and unless
    /// they `are_judged`, ends count against the limit until they are taken.
    pub(crate) fn begin(
        self: Pin<&mut Self>,
        are_judged: bool,
        weight_by: Option<fn(&J::Output) -> Delivery>,
    ) -> Option<usize> {
        let this = self.project();
        if core::mem::replace(this.has_begun, true) {
            return None;
        }
        let limit = *this.limit;
        let pulled = this.running.begin(|| PullConfig {
            limit,
            are_held: !are_judged,
            catches: C::CATCHES_PANICS,
            delivery: DeliveryRule {
                output: weight_by,
                panic: if C::CATCHES_PANICS { Delivery::Prompt } else { Delivery::Terminal },
            },
        });
        if let Some((least, _)) = pulled {
            return Some(least);
        }
        let source = this.source.as_ref().as_pin_ref()?;
        let hint = catch(|| source.size_hint()).unwrap_or_default();
        this.running.expect(CapacityHint::of(limit, hint));
        Some(hint.0)
    }

    /// Goes on with the panic that stopped the loop, if one did, and tells what has cut it short:
    /// for when nothing runs any more.
    pub(crate) fn ending(self: Pin<&mut Self>) -> Option<Interrupted<(), C::SourceError>> {
        let this = self.project();
        let source_error = this.policy.as_mut().and_then(C::source_error);
        // What it holds may panic when it is dropped, and later might be too late to say so.
        let policy = this.policy;
        let launcher = this.launcher;
        let left = catch(|| {
            *policy = None;
            if C::HAS_RULES {
                *launcher = None;
            }
        });
        if let Err(panic) = left {
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
            (Cause::Drained, _) => Cause::Drained,
            (Cause::ConditionMet, _) => Cause::ConditionMet,
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
        self.running.pulled().map_or(self.started, |(pulled, _)| pulled)
    }

    /// Hears that a new poll of the loop has begun, before any of its `poll_completions`. Bodies without wakers of
    /// their own have their turn in each: any may have been woken, and this waker may be another one.
    #[inline]
    pub(crate) fn polled_anew(self: Pin<&mut Self>) {
        if J::PARENT_WAKER {
            *self.project().round_is_owed = true;
        }
    }

    /// Goes on and tells `on_complete` each end, until that has had enough; `Continue` once every body has
    /// ended and the source has run dry or the loop was stopped. `held` are ends told that still
    /// count against the limit.
    ///
    /// It is told nothing, `None`, whenever no more can be told without waiting, without pulling an item
    /// or without a look at what may cut the loop short.
    #[inline]
    pub(crate) fn poll_completions<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        mut on_complete: impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Poll<ControlFlow<B>> {
        if J::ON_POOL {
            self.as_mut().begin(false, Some(|_| Delivery::Prompt));
            self.as_mut().project().running.hold(held);
        }
        let mut has_looked_out = false;
        // Whatever was polled since may have said stop, or taken its time.
        let mut must_look_again = false;
        loop {
            if self.polls_this_turn >= budget() {
                return self.next_turn(cx);
            }
            if C::HAS_SIGNALS && !core::mem::replace(&mut has_looked_out, true) {
                self.as_mut().look_out(cx, true);
            }
            if J::PARENT_WAKER && core::mem::take(self.as_mut().project().round_is_owed) {
                self.as_mut().project().running.mark_all_due();
            }
            if self.running.is_round_in_progress() {
                must_look_again = C::HAS_SIGNALS;
                if let ControlFlow::Break(enough) = self.as_mut().poll_round(cx, &mut on_complete) {
                    return Poll::Ready(ControlFlow::Break(enough));
                }
                continue;
            }
            let this = self.as_mut().project();
            if C::HAS_SIGNALS && *this.last_round != LastRound::No && !*this.stopping {
                if *this.last_round == LastRound::Due && this.running.next_round() {
                    *this.last_round = LastRound::Begun;
                } else {
                    self.as_mut().cut_short(Cause::TimedOut, None);
                }
                continue;
            }
            if C::HAS_RULES
                && let Some(end) = self.as_mut().left()
            {
                if let ControlFlow::Break(enough) = tell(end, &mut on_complete) {
                    return Poll::Ready(ControlFlow::Break(enough));
                }
                continue;
            }
            let may_start = if C::HAS_RULES {
                self.may_begin(held)
            } else {
                self.has_room(held) && self.source.is_some()
            };
            if may_start && core::mem::take(&mut must_look_again) {
                has_looked_out = false;
                continue;
            }
            if may_start {
                match self.as_mut().poll_starts(cx, held, &mut on_complete) {
                    Poll::Ready(ControlFlow::Break(enough)) => {
                        return Poll::Ready(ControlFlow::Break(enough));
                    }
                    Poll::Ready(ControlFlow::Continue(())) => {
                        must_look_again = C::HAS_SIGNALS;
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            let this = self.as_mut().project();
            let round_was_full = *this.started_this_round >= ROUND;
            *this.started_this_round = 0;
            let is_dry = this.source.is_none() && (!C::HAS_RULES || nobody_waits(this.launcher));
            if this.running.is_empty() && is_dry {
                return this.running.poll_wait_groups(cx).map(|()| ControlFlow::Continue(()));
            }
            // Bodies that yield have yielded to the executor, and not only to their siblings. Where one may
            // have no time left, that is looked at after each round.
            let rounds = if C::HAS_SIGNALS { 1 } else { YIELDS };
            if *this.rounds_this_turn < rounds || !this.running.has_yielded() {
                *this.rounds_this_turn += 1;
                if this.running.next_round() {
                    continue;
                }
            }
            if C::HAS_SIGNALS {
                let before = (self.cut.is_some(), self.stopping, self.last_round);
                let waiting = self.waiting();
                if let Some(end) = self.as_mut().expire(cx) {
                    if let ControlFlow::Break(enough) = tell(end, &mut on_complete) {
                        return Poll::Ready(ControlFlow::Break(enough));
                    }
                    continue;
                }
                // Whoever has to wait for another attempt must be woken for it.
                if C::HAS_RULES && self.waiting() != waiting {
                    continue;
                }
                if !round_was_full {
                    // Whoever sleeps has said whom to wake.
                    self.as_mut().look_out(cx, false);
                    if (self.cut.is_some(), self.stopping, self.last_round) != before {
                        continue;
                    }
                }
            }
            if round_was_full {
                continue;
            }
            let this = self.as_mut().project();
            if this.running.sleep(cx) {
                *this.polls_this_turn = 0;
                *this.rounds_this_turn = 0;
                return Poll::Pending;
            }
            return self.next_turn(cx);
        }
    }

    /// Whether one more body may run.
    #[inline]
    fn has_room(&self, held: usize) -> bool {
        self.running.len().saturating_add(held) < self.limit && self.started_this_round < ROUND
    }

    /// Polls the woken bodies of this round, and tells `on_complete` their ends, until the round or the turn
    /// is over.
    #[inline]
    fn poll_round<B>(
        mut self: Pin<&mut Self>,
        cx: &Context<'_>,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let this = self.as_mut().project();
        let is_whole = this.cut.is_none();
        let forward = |end: Completion<_>| match end.outcome {
            // As nearly all of them: there is nothing to sift.
            Outcome::Ok(_) if is_whole && C::HAS_SIGNALS && !C::HAS_RULES => {
                tell(end, on_complete).map_break(Ok)
            }
            Outcome::Ok(_) if is_whole && !C::HAS_RULES => on_complete(Some(end)).map_break(Ok),
            _ => ControlFlow::Break(Err(end)),
        };
        let round = if J::PARENT_WAKER {
            // However many: one that has no turn in this poll might have lost its wake.
            this.running.poll_due(cx.waker(), forward)
        } else {
            this.running.poll_round(this.polls_this_turn, budget(), forward)
        };
        match round {
            ControlFlow::Continue(()) => on_complete(None),
            ControlFlow::Break(Ok(enough)) => ControlFlow::Break(enough),
            ControlFlow::Break(Err(end)) => match self.sift(end) {
                Some(end) => tell(end, on_complete),
                None => on_complete(None),
            },
        }
    }

    /// Gives the executor a turn.
    fn next_turn<T>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        *this.polls_this_turn = 0;
        // A round of more bodies than a turn has polls goes on, and is the next turn's.
        *this.rounds_this_turn = usize::from(this.running.is_round_in_progress());
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Starts bodies, and tells `on_complete` the ends of those that are ready at once. `Pending` when
    /// nothing can be started now, `Continue` when it is time to look at the others.
    #[inline]
    fn poll_starts<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Poll<ControlFlow<B>> {
        let first = self.started;
        let most = (ROUND - self.started_this_round).min(BUDGET - self.polls_this_turn);
        // Where something may cut the loop short, that is looked out for before each.
        let quota = if C::HAS_SIGNALS { 1 } else { most };
        let pause = if C::HAS_RULES {
            self.as_mut().start_governed(cx, held).widen()
        } else {
            self.as_mut().start_some(cx, held, quota, on_complete)
        };
        let this = self.as_mut().project();
        let started = *this.started - first;
        *this.started_this_round += started;
        *this.polls_this_turn += started;
        match pause {
            StartEnd::ConditionMet(enough) => return Poll::Ready(ControlFlow::Break(enough)),
            StartEnd::NoItem if started == 0 => return Poll::Pending,
            StartEnd::NoItem | StartEnd::NoRoom | StartEnd::Quota => {}
            // Whoever waits still needs the body's closure.
            StartEnd::Dry if C::HAS_RULES => self.close_source(),
            StartEnd::Dry => self.close(),
            StartEnd::SourceFailed => {
                let index = self.started;
                self.cut_short(Cause::Source { index, error: () }, None);
            }
            StartEnd::Panicked(panic) => self.stop_for(panic),
            StartEnd::Ended(end) => {
                if let Some(end) = self.sift(end) {
                    return Poll::Ready(tell(end, on_complete));
                }
            }
        }
        Poll::Ready(ControlFlow::Continue(()))
    }

    /// Starts up to `quota` bodies.
    #[inline]
    fn start_some<B>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        quota: usize,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> StartEnd<B, J::Output> {
        let mut this = self.project();
        let (Some(mut source), Some(launcher), Some(policy)) =
            (this.source.as_mut().as_pin_mut(), this.launcher, this.policy)
        else {
            return StartEnd::NoItem;
        };
        let mut started = Counter { count: *this.started, noted: this.started };
        let last = started.count + quota;
        let (origin, caller) = (*this.origin, cx.waker());
        loop {
            let next = || {
                if started.count == last {
                    return ControlFlow::Break(StartEnd::Quota);
                }
                let given = match catch(|| source.as_mut().poll_next(cx)) {
                    Ok(Poll::Ready(Some(given))) => given,
                    Ok(Poll::Ready(None)) => return ControlFlow::Break(StartEnd::Dry),
                    Ok(Poll::Pending) => return ControlFlow::Break(StartEnd::NoItem),
                    Err(panic) => return ControlFlow::Break(StartEnd::Panicked(panic)),
                };
                let Some(item) = policy.admit(given) else {
                    return ControlFlow::Break(StartEnd::SourceFailed);
                };
                let index = started.count;
                started.count += 1;
                match catch(|| {
                    beginning(origin, index, || launcher.launch(Attempt::first(index), item))
                }) {
                    Ok(job) => ControlFlow::Continue((index, job)),
                    Err(panic) => {
                        let outcome = Outcome::Panicked(panic);
                        let end = Completion { index, seq: J::next_sequence(), outcome };
                        ControlFlow::Break(StartEnd::Ended(end))
                    }
                }
            };
            // Where somebody wants to hear of each, one after another.
            let capacity_hint = this.limit.saturating_sub(this.running.len().saturating_add(held));
            let most = if C::HAS_SIGNALS { 1 } else { capacity_hint };
            let going = this.running.start(caller, most, next, |end| match end.outcome {
                Outcome::Ok(_) => tell(end, on_complete).map_break(StartEnd::ConditionMet),
                _ => ControlFlow::Break(StartEnd::Ended(end)),
            });
            let ticket = match going {
                ControlFlow::Continue(ticket) => ticket,
                ControlFlow::Break(pause) => return pause,
            };
            let running = &*this.running;
            if let Err(panic) = catch(|| policy.begun(ticket, |body| running.runs(body))) {
                return StartEnd::Panicked(panic);
            }
            if capacity_hint == most {
                return StartEnd::NoRoom;
            }
        }
    }
}

/// Tells `on_complete` an end, and that there is nothing more to tell for now.
#[inline]
fn tell<T, B>(
    end: Completion<T>,
    on_complete: &mut impl FnMut(Option<Completion<T>>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    on_complete(Some(end))?;
    on_complete(None)
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
