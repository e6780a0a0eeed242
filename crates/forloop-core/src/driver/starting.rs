//! Starting bodies, as long as there are items and room.

use core::cell::Cell;
use core::convert::Infallible;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::step::{Step, deliver};
use super::{Drive, ROUND, Signals, Spawner};
use crate::admission::MaybeQueue;
use crate::body::Attempt;
use crate::budget::{BUDGET, budget};
use crate::engine::Completion;
use crate::options::{ItemPolicy, OutcomeRule};
use crate::outcome::catch;
use crate::place::BodySet;
use crate::simulation::beginning;
use crate::{Cause, Outcome, Panic};

/// Why no more bodies are started for now.
pub(super) enum StartPause<B, T, U> {
    /// The source has no item yet, or an option holds back those that there are.
    NoItem,
    /// The source is exhausted.
    Exhausted,
    /// The limit is reached.
    Full,
    /// The quota of starts between two rounds is used up.
    Quota,
    /// The receiver of the completions wants no more for now.
    Break(B),
    /// A body has completed in a way that the driver must look at.
    Completed(Completion<T>),
    /// The source gave an error.
    SourceFailed(U),
    /// The source, an option or the closure of the body panicked.
    Panicked(Panic),
}

/// Marks a `Break`; the reason is in a `Cell`.
struct Paused;

/// A count that is kept in a register, mostly, and stored when this is dropped.
struct Counter<'a> {
    count: usize,
    stored: &'a mut usize,
}

impl Drop for Counter<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.stored = self.count;
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
    /// Starts bodies, and passes on the completions of those that are ready at once. `Pending` if nothing
    /// can be started now; `Continue` if it is time to look at what runs.
    #[cfg_attr(not(debug_assertions), inline(always))] // in one place
    pub(super) fn poll_starts<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: Option<usize>,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Poll<ControlFlow<B>> {
        let first = self.started;
        let left = self.pace.left().min(BUDGET - self.polls_this_turn);
        let most = (ROUND - self.started_this_round).min(left);
        let quota = match held {
            // Signals are polled before each body that is started.
            _ if C::HAS_SIGNALS => 1,
            // A body that is ready at once passes its permit on to its result, and `held` does not count that one.
            Some(held) => most.min(self.room(held)),
            None => most,
        };
        let taken = held.unwrap_or(0);
        let result = if C::HAS_RULES {
            self.as_mut().admit_one(cx, taken)
        } else {
            self.as_mut().start_some(cx, taken, quota, on_complete)
        };
        let this = self.as_mut().project();
        let started = *this.started - first;
        *this.polls_this_turn += started;
        this.pace.count(started);
        // Where nothing waits, no round is due.
        *this.started_this_round =
            if this.running.is_empty() { 0 } else { *this.started_this_round + started };
        match result {
            StartPause::Break(value) => {
                *this.has_completed_at_start = true;
                return Poll::Ready(ControlFlow::Break(value));
            }
            StartPause::NoItem if started == 0 => return Poll::Pending,
            StartPause::NoItem | StartPause::Full | StartPause::Quota => {}
            // Queued items still need the body's closure.
            StartPause::Exhausted if C::HAS_RULES => self.close_source(),
            StartPause::Exhausted => self.close(),
            StartPause::SourceFailed(error) => {
                let index = self.started;
                self.interrupt(Cause::Source { index, error }, None);
            }
            StartPause::Panicked(panic) => self.stop_for(panic),
            StartPause::Completed(completion) => {
                if let Some(completion) = self.handle_completion(completion) {
                    return Poll::Ready(deliver(completion, on_complete));
                }
            }
        }
        match held {
            // A batch ends only for a receiver that holds permits. The call for others made each start cost three
            // instructions more.
            None => Poll::Ready(ControlFlow::Continue(())),
            Some(_) => Poll::Ready(on_complete(None)),
        }
    }

    /// Starts bodies for the permits that results have released, before the consumer of a stream takes the next of the
    /// results that are there. Until it takes the one after that, the loop is not polled. `held` is as in
    /// [`poll_completions`](Self::poll_completions).
    ///
    /// This is for bodies that other tasks run: they run while the consumer does something else.
    pub(crate) fn start_more(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        mut on_complete: impl FnMut(Completion<J::Output>),
    ) {
        if J::ON_POOL {
            self.as_mut().project().running.set_held_permits(held);
        }
        let may_start = |this: &Self| this.phase.is_running() && this.polls_this_turn < budget();
        let started_this_round = core::mem::take(self.as_mut().project().started_this_round);
        let completed = Cell::new(0);
        let mut pass_on = |completion: Option<Completion<J::Output>>| {
            if let Some(completion) = completion {
                completed.set(completed.get() + 1);
                on_complete(completion);
            }
            ControlFlow::<Infallible>::Continue(())
        };
        while may_start(&self) {
            let mut signals = Signals::Checked;
            if C::HAS_SIGNALS && self.as_mut().poll_signals(cx, true) {
                break;
            }
            let held = Some(held + completed.get());
            match self.as_mut().step_running(cx, held, &mut signals, &mut pass_on) {
                Some(Step::Progress) => {}
                _ => break,
            }
        }
        *self.project().started_this_round = started_this_round;
    }

    /// How many bodies may start together with one that has just failed at its first poll: as many as there were
    /// permits for, and no more than start between two rounds. None unless it has failed so.
    ///
    /// Where options have a say in starts, bodies start one at a time, and so none.
    pub(crate) fn starts_left(self: Pin<&mut Self>) -> usize {
        let this = self.project();
        let is_start = core::mem::take(this.has_completed_at_start);
        if !is_start || !this.phase.is_running() {
            return 0;
        }
        // The one that failed has a permit, too.
        this.limit.saturating_sub(this.running.len() + 1).min(ROUND - 1)
    }

    /// Starts up to `left` bodies, and passes on the completions of those that are ready at once. After a `Break` there
    /// may be more to start.
    #[cold]
    pub(crate) fn start_left<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        left: &mut usize,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        while *left > 0 {
            if C::HAS_SIGNALS {
                self.as_mut().poll_signals(cx, true);
            }
            if !self.phase.is_running() {
                break;
            }
            if self.pace.is_look_due() && self.as_mut().project().pace.must_yield() {
                break;
            }
            let first = self.started;
            let quota = if C::HAS_SIGNALS { 1 } else { self.pace.left().min(*left) };
            let pause = self.as_mut().start_some(cx, 0, quota, on_complete);
            let started = self.started - first;
            let this = self.as_mut().project();
            *this.polls_this_turn += started;
            this.pace.count(started);
            *left -= started;
            // As in `poll_starts`. A function for both made each start of every loop cost one instruction more.
            match pause {
                StartPause::Break(value) => return ControlFlow::Break(value),
                StartPause::Full | StartPause::Quota => {}
                StartPause::NoItem => break,
                StartPause::Exhausted => self.as_mut().close(),
                StartPause::SourceFailed(error) => {
                    let index = self.started;
                    self.as_mut().interrupt(Cause::Source { index, error }, None);
                }
                StartPause::Panicked(panic) => self.as_mut().stop_for(panic),
                StartPause::Completed(completion) => {
                    if let Some(completion) = self.as_mut().handle_completion(completion) {
                        deliver(completion, on_complete)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Starts up to `quota` bodies of a loop without rules: each item starts as soon as it was pulled.
    #[inline]
    fn start_some<B>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        quota: usize,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> StartPause<B, J::Output, U> {
        let mut this = self.project();
        let (Some(mut source), Some(spawner), Some(policy)) =
            (this.source.as_mut().as_pin_mut(), this.spawner, this.policy)
        else {
            return StartPause::NoItem;
        };
        let mut started = Counter { count: *this.started, stored: this.started };
        let last = started.count + quota;
        let (origin, caller) = (*this.origin, cx.waker());
        // Why the run of starts ends. The two closures leave the reason here: as the value of their `Break` it would
        // go through memory for each body that is started.
        let reason = Cell::new(None);
        let pause = |why| {
            reason.set(Some(why));
            Paused
        };
        loop {
            let next = || {
                if started.count == last {
                    return ControlFlow::Break(pause(StartPause::Quota));
                }
                match next_item::<_, _, C, _, _>(source.as_mut(), cx, &mut started.count) {
                    Ok(item) => ControlFlow::Continue(item),
                    Err(why) => ControlFlow::Break(pause(why)),
                }
            };
            let make = |index, item, completer| {
                let _starting = beginning(origin, index);
                spawner.launch(Attempt::first(index), item, completer)
            };
            let room = this.limit.saturating_sub(this.running.len().saturating_add(held));
            // Options that time bodies must see each start.
            let most = if C::HAS_SIGNALS { 1 } else { room };
            let pass_on = |completion: Completion<_>| match completion.outcome {
                Outcome::Ok(_) => {
                    on_complete(Some(completion)).map_break(|value| pause(StartPause::Break(value)))
                }
                _ => ControlFlow::Break(pause(StartPause::Completed(completion))),
            };
            let key = match this.running.start(caller, most, next, make, pass_on) {
                ControlFlow::Continue(key) => key,
                ControlFlow::Break(Paused) => {
                    return reason.take().expect("a closure that breaks leaves its reason");
                }
            };
            let running = &*this.running;
            if let Err(panic) = catch(|| policy.on_start(key, 1, |body, _| running.runs(body))) {
                return StartPause::Panicked(panic);
            }
            if room == most {
                return StartPause::Full;
            }
        }
    }
}

/// Pulls an item.
///
/// # Errors
///
/// Why there is none.
#[cfg_attr(not(debug_assertions), inline(always))] // called for each body
pub(super) fn next_item<S, U, C, B, T>(
    source: Pin<&mut S>,
    cx: &mut Context<'_>,
    started: &mut usize,
) -> Result<(usize, C::Item), StartPause<B, T, U>>
where
    S: Stream,
    C: ItemPolicy<S::Item, SourceError = U>,
{
    let given = match catch(|| source.poll_next(cx)) {
        Ok(Poll::Ready(Some(given))) => given,
        Ok(Poll::Ready(None)) => return Err(StartPause::Exhausted),
        Ok(Poll::Pending) => return Err(StartPause::NoItem),
        Err(panic) => return Err(StartPause::Panicked(panic)),
    };
    let item = C::item_of(given).map_err(StartPause::SourceFailed)?;
    let index = *started;
    *started += 1;
    Ok((index, item))
}
