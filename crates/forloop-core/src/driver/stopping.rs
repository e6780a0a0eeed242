//! How a loop stops: what interrupts it, what becomes of completions then, and what is dropped when.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::admitting::Retry;
use super::expiry::Expiry;
use super::phase::Phase;
use super::{Drive, Spawner};
use crate::admission::MaybeQueue;
use crate::engine::Completion;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::outcome::{Interruption, StopEffect, StopReason, catch};
use crate::place::{BodySet, SourceFailure};
use crate::{Cause, Outcome, OutcomeKind, Panic};

impl<S, A, J, Q, C, U> Drive<S, A, J, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
{
    /// Polls the signals of the options, and does what they ask for. `true` if that has changed the phase.
    ///
    /// A loop whose work is done cannot be interrupted any more. With `will_repoll` a cheap look is enough,
    /// because there is another poll before the loop sleeps.
    pub(super) fn poll_signals(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        will_repoll: bool,
    ) -> bool {
        let this = self.as_mut().project();
        let is_done = this.source.is_none() && this.running.is_empty() && this.admission.is_empty();
        let Some(policy) = this.policy.as_mut().filter(|_| !is_done && this.phase.polls_signals())
        else {
            return false;
        };
        match catch(|| policy.poll_interrupt(cx, will_repoll)) {
            Ok(Poll::Pending) => false,
            Ok(Poll::Ready(reason)) => self.stop_for_reason(reason),
            Err(panic) => {
                self.stop_for(panic);
                true
            }
        }
    }

    /// Stops the loop for an option, as [`StopReason::effect`] says. `false` if that changes nothing.
    pub(super) fn stop_for_reason(mut self: Pin<&mut Self>, reason: StopReason) -> bool {
        if self.phase.is_stopping() || self.phase.is_failing() {
            return false;
        }
        match reason.effect() {
            StopEffect::LastRound => {
                if !self.phase.polls_signals() {
                    return false;
                }
                let this = self.as_mut().project();
                let drained = this.phase.finish();
                *this.phase =
                    Phase::LastRound { reason: Some(reason), has_started: false, drained };
                self.begin_poll();
                true
            }
            StopEffect::Drain => self.drain(reason),
            StopEffect::Cancel => {
                self.interrupt(reason.into(), None);
                true
            }
        }
    }

    /// Cancels the bodies that have timed out, up to the first that has stopped.
    pub(super) fn expire(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Expiry<J::Output> {
        let mut expiry = Expiry::None;
        while !self.phase.is_stopping() {
            let this = self.as_mut().project();
            let Some(policy) = this.policy else { return expiry };
            let (running, admission) = (&*this.running, &*this.admission);
            let alive = |body, attempt| running.runs(body) && admission.is_latest(body, attempt);
            let body = match catch(|| policy.poll_timed_out(cx, alive)) {
                Ok(Poll::Ready(body)) => body,
                Ok(Poll::Pending) => return expiry,
                Err(panic) => {
                    self.stop_for(panic);
                    return Expiry::Progress;
                }
            };
            *this.polls_this_turn += 1;
            let Some(completion) = this.running.expire(cx.waker(), body) else { continue };
            match self.as_mut().handle_completion(completion) {
                Some(completion) => return Expiry::Completed(completion),
                // A retry must wake this task when its back-off is over: that timer is polled first.
                None => expiry = Expiry::Progress,
            }
        }
        expiry
    }

    /// Handles a completion, and returns it if it is to be delivered. A completion that leads to a retry is
    /// not. A panic is kept, to be resumed when the loop has stopped. A body that completes as cancelled
    /// although the loop did not cancel it was dropped by its runtime.
    pub(super) fn handle_completion(
        mut self: Pin<&mut Self>,
        completion: Completion<J::Output>,
    ) -> Option<Completion<J::Output>> {
        let this = self.as_mut().project();
        match completion.outcome {
            Outcome::Panicked(_) if !C::CATCHES_PANICS => {
                self.stop_for_panic_of(completion);
                return None;
            }
            Outcome::Lost if !*this.handles_outcomes => {
                if C::HAS_RULES {
                    self.as_mut().report_completed(completion.index, OutcomeKind::Lost);
                }
                self.stop_for(lost(completion.index));
                return None;
            }
            Outcome::Cancelled | Outcome::NotRun if this.phase.is_stopping() => {
                // Where workers pull the items, this loop learns only now which bodies ran.
                // A driver that they share knows that of each body.
                let has_run =
                    this.policy.is_some() || matches!(completion.outcome, Outcome::Cancelled);
                if has_run
                    && this.running.pulled().is_some()
                    && let Some(interruption) = this.phase.interruption_mut()
                {
                    interruption.record_running(completion.index);
                }
            }
            Outcome::Cancelled | Outcome::NotRun => {
                self.as_mut().interrupt(Cause::Cancelled, Some(completion.index));
            }
            Outcome::Ok(_)
            | Outcome::Err(_)
            | Outcome::Panicked(_)
            | Outcome::TimedOut
            | Outcome::Lost => {
                if C::HAS_RULES {
                    let retry = self.as_mut().plan_retry(&completion);
                    match (retry, self.as_mut().admission()) {
                        (Retry::Planned, Some(admission)) => {
                            admission.back_off(completion);
                            return None;
                        }
                        (Retry::Prevented, Some(admission)) => {
                            admission.defer(completion);
                            return None;
                        }
                        (Retry::None, _) | (_, None) => {}
                    }
                }
                if let Some(interruption) = self.as_mut().project().phase.interruption_mut() {
                    interruption.record_completed(completion.index);
                }
            }
        }
        if C::HAS_RULES {
            self.complete_item(&completion);
        }
        Some(completion)
    }

    /// Stops the loop for the panic of a body.
    #[cold]
    fn stop_for_panic_of(mut self: Pin<&mut Self>, completion: Completion<J::Output>) {
        if C::HAS_RULES {
            self.as_mut().report_failure(&completion);
            self.as_mut().report_completed(completion.index, OutcomeKind::Panicked);
        }
        if let Outcome::Panicked(panic) = completion.outcome {
            self.stop_for(panic);
        }
    }

    /// Whether the source has no further item. It is polled only if its size hint says so, and a hint may be
    /// wrong: a stream that never ends may say that it is empty.
    ///
    /// The source is dropped next, so nothing needs to be woken for it.
    fn source_is_exhausted(self: Pin<&mut Self>) -> bool {
        let mut this = self.project();
        let Some(source) = this.source.as_mut().as_pin_mut() else { return true };
        let is_exhausted = catch(|| {
            let cx = &mut Context::from_waker(Waker::noop());
            source.size_hint().1 == Some(0) && matches!(source.poll_next(cx), Poll::Ready(None))
        });
        is_exhausted.unwrap_or_else(|panic| {
            this.panic.get_or_insert(panic);
            false
        })
    }

    /// Stops the loop if the source has failed that workers pull from.
    pub(super) fn check_source(mut self: Pin<&mut Self>) {
        let this = self.as_mut().project();
        match this.running.take_source_failure() {
            None => {}
            Some(SourceFailure::Failed(index)) => {
                let error = this.policy.as_mut().and_then(Policy::take_source_error);
                let error = error.expect("workers keep the error of the source");
                self.interrupt(Cause::Source { index, error }, None);
            }
            Some(SourceFailure::Interrupted) => {
                if let Phase::Delegated(interruption) = this.phase {
                    let interruption = interruption.take();
                    self.stop_with(interruption);
                }
            }
            Some(SourceFailure::Panicked(panic)) => self.stop_for(panic),
            Some(SourceFailure::WorkerDropped) => self.interrupt(Cause::Cancelled, None),
        }
    }

    /// Interrupts the loop. `lost` is a body that does not run any more.
    pub(super) fn interrupt(mut self: Pin<&mut Self>, cause: Cause<U>, lost: Option<usize>) {
        let is_exhausted = match (&cause, self.running.pulled()) {
            (Cause::Source { .. }, _) => false,
            (_, Some((_, is_exhausted))) => is_exhausted,
            (_, None) => self.as_mut().source_is_exhausted(),
        };
        let this = self.as_mut().project();
        let mut all_started = is_exhausted && this.admission.is_empty();
        let is_over = this.running.is_empty() && lost.is_none();
        let was_draining = !this.phase.is_stopping();
        // A draining loop that is stopped reports the stop. It is incomplete if the drain had left items unstarted.
        let earlier = match this.phase.take_interruption() {
            Some(drained) if was_draining && !is_over => {
                all_started &= drained.all_started();
                None
            }
            earlier => earlier,
        };
        let interruption = earlier.unwrap_or_else(|| {
            let mut interruption = Interruption::new(cause, this.running.indices(), all_started);
            if let Some(index) = lost {
                interruption.record_running(index);
            }
            interruption
        });
        self.stop_with(Some(interruption));
    }

    /// Lets the bodies that run complete, and starts nothing new. `false` if the loop was draining before.
    fn drain(mut self: Pin<&mut Self>, reason: StopReason) -> bool {
        if !self.phase.is_running() {
            return false;
        }
        let is_exhausted = match self.running.pulled() {
            Some((_, is_exhausted)) => is_exhausted,
            None => self.as_mut().source_is_exhausted(),
        };
        let this = self.as_mut().project();
        let all_started = is_exhausted && this.admission.is_empty();
        *this.phase = Phase::Draining(Interruption::new(reason.into(), Vec::new(), all_started));
        if let Some(panic) = this.running.drain() {
            this.panic.get_or_insert(panic);
        }
        self.close();
        true
    }

    /// Stops the loop for a panic, to be resumed when everything has stopped. The first one counts: later
    /// ones came of the stop, or at the same time.
    pub(crate) fn stop_for(mut self: Pin<&mut Self>, panic: Panic) {
        self.as_mut().project().panic.get_or_insert(panic);
        self.stop();
    }

    /// Starts no more bodies and cancels those that run; their completions are still passed on.
    pub(crate) fn stop(mut self: Pin<&mut Self>) {
        if !self.phase.is_stopping() {
            let interruption = self.as_mut().project().phase.take_interruption();
            self.stop_with(interruption);
        }
    }

    /// As [`stop`](Self::stop), for the failure of a body: first the other bodies of the round are polled, so that
    /// each failure is passed on that happened together with it. Tasks run by themselves, and need no poll for that.
    #[cold]
    pub(crate) fn stop_after_round(mut self: Pin<&mut Self>) {
        let this = self.as_mut().project();
        // Time-outs are looked at after a round.
        let is_complete = !C::HAS_SIGNALS && !this.running.is_round_in_progress();
        if !J::IS_INLINE || is_complete || this.phase.is_stopping() {
            return self.stop();
        }
        let drained = this.phase.finish();
        *this.phase = Phase::LastRound { reason: None, has_started: true, drained };
    }

    /// Stops the loop, if it was not stopped before, for this interruption.
    fn stop_with(mut self: Pin<&mut Self>, interruption: Option<Interruption<U>>) {
        let this = self.as_mut().project();
        let was_stopping = this.phase.is_stopping();
        *this.phase = Phase::Stopping(interruption);
        if was_stopping {
            return;
        }
        self.as_mut().close();
        let this = self.as_mut().project();
        // Bodies that are dropped at once pass on no completion of their own.
        let dropped =
            if C::HAS_RULES && J::IS_INLINE { this.running.indices() } else { Vec::new() };
        let panic = this.panic;
        this.running.cancel(|caught| {
            panic.get_or_insert(caught);
        });
        if C::HAS_RULES {
            for index in dropped {
                self.as_mut().report_completed(index, OutcomeKind::Cancelled);
            }
        }
    }

    /// Drops the source and the body's closure: nothing starts any more. Items that are queued
    /// [complete](Self::take_unstarted) without having run.
    pub(super) fn close(mut self: Pin<&mut Self>) {
        self.as_mut().close_source();
        let this = self.project();
        if C::HAS_RULES
            && let Some(admission) = this.admission.queue_mut()
        {
            admission.close();
            // Other loops may wait for what this one would have started.
            let cancelled = this.policy.as_mut().map(|policy| {
                catch(|| {
                    policy.cancel_start();
                    policy.cancel_permit();
                })
            });
            if let Some(Err(panic)) = cancelled {
                this.panic.get_or_insert(panic);
            }
        }
        let spawner = this.spawner;
        if let Err(panic) = catch(|| *spawner = None) {
            this.panic.get_or_insert(panic);
        }
    }

    /// Drops the source.
    pub(super) fn close_source(self: Pin<&mut Self>) {
        let mut this = self.project();
        if let Err(panic) = catch(|| this.source.set(None)) {
            this.panic.get_or_insert(panic);
        }
    }
}

/// The panic of a loop whose strategy has no result for a body that was lost.
#[cold]
fn lost(index: usize) -> Panic {
    let message = alloc::format!("body {index} was lost: the process that ran it died");
    Panic::from(Box::new(message) as Box<dyn Any + Send>)
}
