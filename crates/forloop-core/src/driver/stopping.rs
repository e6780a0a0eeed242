//! How a loop stops: what cuts it short, and what it does then.

use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::governed::{is_latest, nobody_waits};
use super::{Drive, LastRound};
use crate::admission::MaybeQueue;
use crate::driver::Spawner;
use crate::engine::{Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy};
use crate::outcome::{Cut, catch};
use crate::place::SourceFailure;
use crate::{Cause, Outcome, OutcomeKind, Panic};

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
{
    /// Stops the loop if something wants it to be cut short. Once its work is done, nothing can.
    /// `again` if a glance will do.
    pub(super) fn look_out(mut self: Pin<&mut Self>, cx: &mut Context<'_>, again: bool) {
        let this = self.as_mut().project();
        let is_done = this.source.is_none()
            && this.running.is_empty()
            && (!C::HAS_RULES || nobody_waits(this.launcher));
        let is_stopping = *this.stopping || *this.last_round != LastRound::No;
        let Some(policy) = this.policy.as_mut().filter(|_| !is_done && !is_stopping) else {
            return;
        };
        match catch(|| policy.poll_interrupt(cx, again)) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(Cause::TimedOut)) => {
                *this.last_round = LastRound::Due;
                self.polled_anew();
            }
            Ok(Poll::Ready(Cause::Drained)) => self.drain(),
            Ok(Poll::Ready(_)) => self.cut_short(Cause::Cancelled, None),
            Err(panic) => self.stop_for(panic),
        }
    }

    /// Asks the bodies that have no time left to stop; tells the end of the first that has stopped.
    pub(super) fn expire(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Option<Completion<J::Output>> {
        while !self.stopping {
            let this = self.as_mut().project();
            let (policy, running) = (this.policy.as_mut()?, &*this.running);
            let admission =
                this.launcher.as_ref().and_then(|launcher| launcher.admission().admission_ref());
            let alive = |body| running.runs(body) && (!C::HAS_RULES || is_latest(admission, body));
            let body = match catch(|| policy.poll_overdue(cx, alive)) {
                Ok(Poll::Ready(body)) => body,
                Ok(Poll::Pending) => return None,
                Err(panic) => {
                    self.stop_for(panic);
                    return None;
                }
            };
            *this.polls_this_turn += 1;
            if let Some(end) = this.running.expire(cx.waker(), body)
                && let Some(end) = self.as_mut().sift(end)
            {
                return Some(end);
            }
        }
        None
    }

    /// Passes on an end; keeps back a panic, to raise it when the loop has stopped. A body that
    /// nobody has stopped and that yet came to no end was dropped by its runtime.
    pub(super) fn sift(
        mut self: Pin<&mut Self>,
        end: Completion<J::Output>,
    ) -> Option<Completion<J::Output>> {
        let this = self.as_mut().project();
        match end.outcome {
            Outcome::Panicked(panic) if !C::CATCHES_PANICS => {
                if C::HAS_RULES {
                    self.as_mut().hear_ended(end.index, OutcomeKind::Panicked);
                }
                self.stop_for(panic);
                return None;
            }
            Outcome::Cancelled | Outcome::NotRun if *this.stopping => {
                // Those that workers had drawn are not known before.
                if this.running.pulled().is_some() {
                    this.cut.iter_mut().for_each(|cut| cut.one_more(end.index));
                }
            }
            Outcome::Cancelled | Outcome::NotRun => {
                self.as_mut().cut_short(Cause::Cancelled, Some(end.index));
            }
            _ => {
                if C::HAS_RULES && self.as_mut().tries_again(&end) {
                    if let Some(admission) = self.as_mut().admission() {
                        admission.fail(end);
                    }
                    return None;
                }
                self.as_mut().project().cut.iter_mut().for_each(|cut| cut.ended(end.index));
            }
        }
        if C::HAS_RULES {
            self.has_ended(&end);
        }
        Some(end)
    }

    /// Stops the loop if the source has failed that workers pull from.
    pub(super) fn check_source(mut self: Pin<&mut Self>) {
        match self.as_mut().project().running.take_source_failure() {
            None => {}
            Some(SourceFailure::Panicked(panic)) => self.stop_for(panic),
            Some(SourceFailure::WorkerDropped) => self.cut_short(Cause::Cancelled, None),
        }
    }

    /// Stops the loop before its end. `lost` is a body that does not run any more.
    pub(super) fn cut_short(mut self: Pin<&mut Self>, cause: Cause<()>, lost: Option<usize>) {
        let this = self.as_mut().project();
        // A source that says it is at its end need not be asked once more.
        let is_dry = |source: Pin<&mut S>| catch(|| source.size_hint().1 == Some(0));
        let has_failed = matches!(cause, Cause::Source { .. });
        let all_begun = !has_failed
            && match this.running.pulled() {
                Some((_, none_is_left)) => none_is_left,
                None => {
                    this.source.as_pin_mut().is_none_or(|source| is_dry(source).unwrap_or(false))
                }
            };
        let all_begun = all_begun && (!C::HAS_RULES || nobody_waits(this.launcher));
        // A loop that has been asked to finish, and is stopped then, was stopped: and before its end, if it was
        // asked before its end.
        let is_over = this.running.is_empty() && lost.is_none();
        let drained = this.cut.take_if(|before| before.is_drain() && !is_over);
        let all_begun = all_begun && drained.is_none_or(|before| before.all_begun());
        let mut cut = Cut::new(cause, this.running.indices(), all_begun);
        lost.into_iter().for_each(|index| cut.one_more(index));
        this.cut.get_or_insert(cut);
        self.stop();
    }

    /// Begins nothing new: bodies that run go on to their ends.
    fn drain(mut self: Pin<&mut Self>) {
        let this = self.as_mut().project();
        let is_dry = |source: Pin<&mut S>| catch(|| source.size_hint().1 == Some(0));
        let is_dry = this.source.as_pin_mut().is_none_or(|source| is_dry(source).unwrap_or(false));
        let all_begun = is_dry && (!C::HAS_RULES || nobody_waits(this.launcher));
        this.cut.get_or_insert(Cut::new(Cause::Drained, Vec::new(), all_begun));
        self.close();
    }

    pub(crate) fn stop_for(mut self: Pin<&mut Self>, panic: Panic) {
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
        let this = self.as_mut().project();
        // Those that are stopped at once tell no ends of their own.
        let are_untold = J::INLINE && !J::ON_POOL;
        let stopped = if C::HAS_RULES && are_untold { this.running.indices() } else { Vec::new() };
        let panic = this.panic;
        this.running.cancel(|caught| {
            panic.get_or_insert(caught);
        });
        for index in stopped {
            self.as_mut().hear_ended(index, OutcomeKind::Cancelled);
        }
    }

    /// Lets go of the source, and of the launcher unless items may wait, which are then [told](Self::left) their ends: no
    /// item is pulled and no body is called any more.
    pub(super) fn close(mut self: Pin<&mut Self>) {
        self.as_mut().close_source();
        if C::HAS_RULES {
            if let Some(admission) = self.admission() {
                admission.close();
            }
            return;
        }
        let this = self.project();
        let launcher = this.launcher;
        let closed = catch(|| *launcher = None);
        if let Err(panic) = closed {
            this.panic.get_or_insert(panic);
        }
    }

    /// Lets go of the source: no item is pulled any more.
    pub(super) fn close_source(self: Pin<&mut Self>) {
        let mut this = self.project();
        if let Err(panic) = catch(|| this.source.set(None)) {
            this.panic.get_or_insert(panic);
        }
    }
}
