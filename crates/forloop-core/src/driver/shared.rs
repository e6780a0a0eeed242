//! A driver that workers share: it decides which item starts next, where options have a say in that.
//!
//! It is the same driver as elsewhere, with the loop's source, closure, options and [admission queue], and it travels
//! among the workers as the source does. The worker that has it does three things:
//!
//! 1. It reports the bodies that have completed on it. The driver passes the completions to the options, which release
//!    permits, or plan another attempt.
//! 2. It takes as many items as it has room for, in the order in which the driver [admits](super::admitting) them, and
//!    calls the closure with each.
//! 3. It passes on the final completions to the loop, whose own driver only delivers them.
//!
//! So options see starts and completions in one order: that in which workers had the driver. What waits for a timer, a
//! signal or a permit is polled with a waker that wakes all workers. A worker reports before it sleeps, so that the
//! permits of its bodies are free, and its failures are retried.
//!
//! When an option or the source stops the loop, the driver completes the items that wait, and leaves the interruption for
//! the loop, which stops the bodies. The options are dropped after that.
//!
//! [admission queue]: crate::admission

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::Context;
use core::{fmt, mem};

use forloop_budget::WorkStart;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::phase::Phase;
use super::spawner::BodySpawner;
use super::starting::StartPause;
use super::worker_policy::time_limits;
use super::{Drive, Spawner};
use crate::admission::{MaybeQueue, SharedAttempts};
use crate::body::Body;
use crate::engine::Completion;
use crate::options::{ItemPolicy, LoopParts, OutcomeRule, Policy, Rule, ShareDriver, WorkerKind};
use crate::outcome::Interruption;
use crate::place::{
    BatchEnd, BodySet, BodySource, BoxedSource, DeliveryRule, Exchange, HandOff, HandOffSet,
    IntoSource, Place, Pulling, TimeLimits,
};
use crate::simulation::Origin;
use crate::single::Single;
use crate::{Cause, OutcomeKind};

/// Items that are looked at in a row before the driver is free for other workers.
const IN_A_ROW: usize = 64;

/// Items that are pulled between two looks at the clock: see [`crate::pace`].
const WATCHED: usize = 16;

/// What workers have of the policy `C`, if they share a driver.
pub struct SharedPolicy<C: Policy, R> {
    policy: C,
    limit: usize,
    origin: Origin,
    is_error: Option<fn(&R) -> bool>,
    interruption: Arc<Single<Interruption<C::SourceError>>>,
    attempts: Arc<SharedAttempts>,
}

impl<C: Policy, R> fmt::Debug for SharedPolicy<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPolicy").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl WorkerKind for ShareDriver {
    type Part<C: Policy, R> = SharedPolicy<C, R>;

    fn part<C: Policy, R>(parts: &mut LoopParts<C, R>) -> SharedPolicy<C, R> {
        let &mut LoopParts { limit, origin, is_error, .. } = parts;
        SharedPolicy {
            policy: parts.policy.take().expect("the loop has its policy"),
            limit,
            origin,
            is_error,
            interruption: parts.interruption.insert(Arc::new(Single::empty())).clone(),
            attempts: parts.attempts.insert(Arc::new(SharedAttempts::new())).clone(),
        }
    }
}

impl<'env, S, F, B, C> IntoSource<'env, S, F, B> for SharedPolicy<C, B::Returns>
where
    S: Stream + Send + 'env,
    F: FnMut(C::Item) -> B + Send + 'env,
    B: Body<Returns: Send + 'env> + Send + 'env,
    C: ItemPolicy<S::Item, Item: Send + 'env> + OutcomeRule<B::Returns> + Send + 'env,
    C: Policy<SourceError: Send + 'env, TimeLimits: Send + 'static>,
    C::AdmissionQueue<C::Item, B::Returns>: Send + 'env,
{
    fn into_source(self, source: S, body: F) -> BoxedSource<'env, B> {
        let Self { policy, limit, origin, is_error, interruption, attempts } = self;
        let limits = policy.time_limits();
        let running = Place::<B>::set(&HandOff);
        let spawner = BodySpawner { body, place: HandOff };
        let admission = C::AdmissionQueue::<C::Item, B::Returns>::new(is_error);
        let handles_outcomes = C::HAS_OUTCOMES || is_error.is_some();
        let policy = (Some(policy), handles_outcomes);
        let (source, spawner) = (Some(source), Some(spawner));
        let drive = Drive::new(source, spawner, admission, running, limit, policy, origin);
        let (delivery, passed_on) = (DeliveryRule::PROMPT, 0);
        Box::pin(SharedDriver { drive, limits, delivery, passed_on, interruption, attempts })
    }
}

pin_project! {
    /// A driver that workers share: see [the module](self).
    struct SharedDriver<S, A, B, T, Q, C, U, L> {
        #[pin]
        drive: Drive<S, A, HandOffSet<B>, Q, C, U>,
        // The options that each worker has by itself. These have seen no body.
        limits: L,
        delivery: DeliveryRule<T>,
        // The number of completions that were passed on.
        passed_on: usize,
        interruption: Arc<Single<Interruption<U>>>,
        attempts: Arc<SharedAttempts>,
    }
}

impl<S, A, B, Q, C, U, L> BodySource<B> for SharedDriver<S, A, B, B::Returns, Q, C, U, L>
where
    S: Stream,
    A: Spawner<C::Item, HandOffSet<B>>,
    B: Body,
    Q: MaybeQueue<C::Item, B::Returns>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<B::Returns>,
    L: Rule + Send + 'static,
{
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.drive.source.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        time_limits(&self.limits)
    }

    fn has_signals(&self) -> bool {
        C::HAS_SIGNALS
    }

    fn begin(self: Pin<&mut Self>, delivery: DeliveryRule<B::Returns>) {
        let this = self.project();
        *this.delivery = delivery;
        if let Some(admission) = this.drive.admission() {
            admission.begin_shared(this.attempts);
        }
    }

    fn stop(self: Pin<&mut Self>) {
        let mut drive = self.project().drive;
        if drive.phase.is_stopping() {
            return;
        }
        drive.as_mut().stop();
        // The loop takes no items any more, but observers receive what has become of them.
        while drive.as_mut().take_unstarted().is_some() {}
        drive.as_mut().report_running();
        if let Some(panic) = drive.project().panic.take() {
            panic.resume();
        }
    }

    fn pull_batch(self: Pin<&mut Self>, cx: &mut Context<'_>, pull: Pulling<'_, B>) -> BatchEnd {
        let mut this = self.project();
        let Pulling { next, most, bodies, attempts, exchange, released } = pull;
        let Exchange { reports, completed, leftovers } = exchange;
        // The set fills the worker's memory.
        let mut lend = |set: &mut HandOffSet<B>| {
            mem::swap(&mut set.bodies, bodies);
            mem::swap(&mut set.attempts, attempts);
        };
        lend(this.drive.as_mut().project().running);
        let delivery = *this.delivery;
        let mut passed = Passed { count: this.passed_on, delivery, completed, decides: false };
        for report in reports.drain(..) {
            this.drive.as_mut().project().running.complete(report.index);
            passed.pass_on(this.drive.as_mut().handle_completion(report));
        }
        let mut end = this.drive.as_mut().admit_batch(cx, most, released, &mut passed);
        let is_last = matches!(
            end,
            BatchEnd::Exhausted
                | BatchEnd::Stopped
                | BatchEnd::Interrupted
                | BatchEnd::SourcePanicked(_)
        );
        if is_last {
            while let Some(leftover) = this.drive.as_mut().take_unstarted() {
                leftovers.push(leftover);
            }
            let drive = this.drive.as_mut().project();
            if let Some(interruption) = drive.phase.finish() {
                // It is the only one.
                drop(this.interruption.put(interruption));
            }
            if let Some(admission) = drive.admission.queue_mut() {
                admission.end_shared(this.attempts);
            }
            this.drive.as_mut().report_running();
            if let Some(panic) = this.drive.as_mut().project().panic.take() {
                end = BatchEnd::SourcePanicked(panic);
            }
        }
        lend(this.drive.as_mut().project().running);
        *next = this.drive.started;
        end
    }
}

/// What the driver passes on to the loop.
struct Passed<'a, T> {
    /// The number of all completions that were passed on.
    count: &'a mut usize,
    delivery: DeliveryRule<T>,
    completed: &'a mut Vec<Completion<T>>,
    /// One of them stops the loop.
    decides: bool,
}

impl<T> Passed<'_, T> {
    fn pass_on(&mut self, completion: Option<Completion<T>>) {
        let Some(completion) = completion else { return };
        *self.count += 1;
        self.decides |= self.delivery.of(&completion.outcome).control_flow().is_break();
        self.completed.push(completion);
    }
}

impl<S, A, B, Q, C, U> Drive<S, A, HandOffSet<B>, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, HandOffSet<B>>,
    B: Body,
    Q: MaybeQueue<C::Item, B::Returns>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<B::Returns>,
{
    /// Tells the options that the bodies which run are stopped. Those that complete on their workers nevertheless are too
    /// late for them.
    fn report_running(mut self: Pin<&mut Self>) {
        if C::HAS_RULES {
            for index in self.running.indices() {
                self.as_mut().report_completed(index, OutcomeKind::Cancelled);
            }
        }
    }

    /// Makes up to `most` bodies, and passes on what completes meanwhile.
    fn admit_batch(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        most: usize,
        released: Option<usize>,
        passed: &mut Passed<'_, B::Returns>,
    ) -> BatchEnd {
        if C::HAS_SIGNALS {
            self.as_mut().poll_signals(cx, false);
        }
        let (mut looked_at, begin) = (0, WorkStart::now());
        loop {
            if passed.decides {
                self.as_mut().stop();
            }
            match &self.phase {
                Phase::Running => {}
                Phase::Draining(_) if !self.running.is_empty() => return BatchEnd::Pending,
                Phase::LastRound { reason: Some(reason), .. } => {
                    let reason = *reason;
                    self.as_mut().interrupt(reason.into(), None);
                    continue;
                }
                Phase::LastRound { reason: None, .. }
                | Phase::Delegated(_)
                | Phase::Draining(_)
                | Phase::Stopping(_)
                | Phase::Finished => {
                    return match self.as_mut().project().panic.take() {
                        Some(panic) => BatchEnd::SourcePanicked(panic),
                        None if self.phase.interruption().is_some() => BatchEnd::Interrupted,
                        None => BatchEnd::Stopped,
                    };
                }
            }
            if self.running.bodies.len() >= most {
                return BatchEnd::Full;
            }
            let held = released.map_or(0, |released| passed.count.saturating_sub(released));
            *self.as_mut().project().started_this_round = 0;
            if !self.may_admit(held) {
                let is_exhausted = self.source.is_none() && self.admission.is_empty();
                return match is_exhausted && self.running.is_empty() {
                    true => BatchEnd::Exhausted,
                    false => BatchEnd::Pending,
                };
            }
            // Other workers may need the driver, also where options hold back all items.
            if looked_at == IN_A_ROW || looked_at % WATCHED == WATCHED - 1 && begin.is_long_ago() {
                let has_made = !self.running.bodies.is_empty();
                return if has_made { BatchEnd::Full } else { BatchEnd::Contended };
            }
            looked_at += 1;
            match self.as_mut().admit_one::<Infallible>(cx, held) {
                StartPause::Quota | StartPause::Full => {}
                StartPause::NoItem => return BatchEnd::Pending,
                StartPause::Exhausted => self.as_mut().close_source(),
                StartPause::Break(never) => match never {},
                StartPause::Completed(completion) => {
                    self.as_mut().project().running.complete(completion.index);
                    passed.pass_on(self.as_mut().handle_completion(completion));
                }
                StartPause::SourceFailed(error) => {
                    let index = self.started;
                    self.as_mut().interrupt(Cause::Source { index, error }, None);
                }
                StartPause::Panicked(panic) => self.as_mut().stop_for(panic),
            }
        }
    }
}
