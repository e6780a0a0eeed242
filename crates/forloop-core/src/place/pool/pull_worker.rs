//! The intake of a worker that pulls its bodies.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::ControlFlow;
use core::task::Waker;

use super::batch_size::BatchSize;
use super::body_source::{BatchEnd, Exchange};
use super::completion_queue::{CompletionQueue, RunningWorker, SourceFailure};
use super::delivery::DeliveryRule;
use super::shared_source::{Request, SharedSource};
use super::sync::Locked;
use super::unstarted::{Batch, Contended};
use super::worker::{Intake, Intaken, Worker, WorkerBodies, drop_next, report};
use super::worker_options::TimeLimits;
use crate::body::Body;
use crate::engine::{CapacityHint, Completion, FutureSet};
use crate::place::inline::InlineJob;
use crate::{Outcome, Panic};

/// Pulls bodies from a [`SharedSource`].
pub(super) struct PullIntake<'env, B: Body, T, const HAS_RULES: bool> {
    source: Arc<SharedSource<'env, B>>,
    /// The worker's number among those of the source.
    worker: usize,
    /// The number of bodies that may run on this worker at once.
    limit: usize,
    batch_size: BatchSize,
    /// Bodies that were pulled, on their way to the worker's queue of [unstarted](super::unstarted) ones.
    pulled: Batch<B>,
    /// The queue may have bodies.
    has_queued: bool,
    /// Wakes all workers: any of them may poll the source next.
    source_waker: Waker,
    is_exhausted: bool,
    /// `None` once the worker has finished.
    running: Option<RunningWorker<T>>,
}

/// A worker that pulls its bodies.
pub(super) type PullWorker<'env, B, T, const HAS_RULES: bool> =
    Worker<B, T, PullIntake<'env, B, T, HAS_RULES>>;

impl<'env, B: Body<Returns = T>, T, const HAS_RULES: bool> PullWorker<'env, B, T, HAS_RULES> {
    /// Makes a worker with this number among the workers of `source`. It starts the bodies in its queue before
    /// it pulls others. At most `limit` bodies run on it at once.
    pub(super) fn for_source(
        (source, worker): (Arc<SharedSource<'env, B>>, usize),
        limit: usize,
        completions: Arc<CompletionQueue<T>>,
        delivery: DeliveryRule<T>,
        time_limits: Option<Box<dyn TimeLimits + Send>>,
    ) -> Self {
        let hint = source.size_hint;
        let intake = PullIntake {
            source_waker: Waker::from(source.sleepers.clone()),
            source,
            worker,
            limit,
            batch_size: BatchSize::for_bodies_of(size_of::<B>()),
            pulled: Batch::new(),
            has_queued: true,
            is_exhausted: false,
            running: Some(RunningWorker::new(completions.clone())),
        };
        let set = FutureSet::with_capacity_hint(CapacityHint::of(limit, (0, None)));
        Self::new(intake, set, completions, delivery)
            .with_size_hint(hint)
            .with_time_limits(time_limits)
    }
}

impl<B: Body<Returns = T>, T, const HAS_RULES: bool> PullIntake<'_, B, T, HAS_RULES> {
    /// Pulls up to `most` bodies, and fills the worker's own queue with them. It is empty unless `most` is zero: then only
    /// the reports are passed on.
    fn fill_queue(
        &mut self,
        most: usize,
        before_sleep: bool,
        exchange: &mut Exchange<T>,
    ) -> (BatchEnd, Result<(), Contended>) {
        let Self { source, worker, batch_size, pulled, source_waker, .. } = self;
        let mut end = BatchEnd::Full;
        if pulled.bodies.is_empty() {
            let (worker, waker) = (*worker, &*source_waker);
            let request = Request { worker, most, batch_size, before_sleep, waker };
            let has_pulled;
            (has_pulled, end) = source.pull_batch(&request, pulled, exchange);
            if !HAS_RULES || most > 0 {
                self.has_queued = has_pulled;
            }
            self.is_exhausted = matches!(end, BatchEnd::Exhausted);
        }
        if self.pulled.bodies.is_empty() {
            return (end, Ok(()));
        }
        let filled = self.source.fill(self.worker, &mut self.pulled);
        self.has_queued = filled.is_ok();
        (end, filled)
    }

    /// Passes on what the driver in the source has passed on. Without a driver, because the loop has stopped, passes on what
    /// was to be reported to it.
    fn deliver(&self, bodies: &mut WorkerBodies<B, T>, end: &BatchEnd) -> ControlFlow<()> {
        let WorkerBodies { buffer, delivery, exchange, .. } = bodies;
        let mut flow = ControlFlow::Continue(());
        for completion in exchange.completed.drain(..) {
            if report(buffer, *delivery, completion).is_break() {
                flow = ControlFlow::Break(());
            }
        }
        if matches!(end, BatchEnd::Exhausted) {
            for completion in exchange.reports.drain(..) {
                if report(buffer, *delivery, completion).is_break() {
                    flow = ControlFlow::Break(());
                }
            }
        }
        flow
    }

    /// Starts the bodies of the queue, up to `most` and until one of them stops the loop.
    fn start_queued(
        &mut self,
        most: usize,
        bodies: &mut WorkerBodies<B, T>,
    ) -> (usize, ControlFlow<()>, Result<(), Contended>) {
        let WorkerBodies { set, buffer, delivery, time_limits, exchange, .. } = bodies;
        let (mut started, mut flow, mut locked) = (0, ControlFlow::Continue(()), Ok(()));
        let Self { source, worker, has_queued, .. } = self;
        let mut next = || {
            if started == most || source.is_stopped() {
                return ControlFlow::Break(());
            }
            match source
                .unstarted(*worker)
                .map(|queue| queue.first(HAS_RULES).map(|index| (index, queue)))
            {
                Ok(Some((index, queue))) => {
                    started += 1;
                    return ControlFlow::Continue((index, queue));
                }
                Ok(None) => *has_queued = false,
                Err(contended) => locked = Err(contended),
            }
            ControlFlow::Break(())
        };
        let make = |index, mut queue: Locked<'_, Batch<B>>| {
            queue.skip(index, HAS_RULES);
            match queue.bodies.pop_front() {
                Some(body) => InlineJob::new(body),
                None => unreachable!("`next` has seen it"),
            }
        };
        let mut capacity = self.limit - set.len();
        let mut timed = Ok(());
        while capacity > 0 {
            // Time limits see each start.
            let most = if time_limits.is_some() { 1 } else { capacity };
            // Each reason to stop is visible in the queue, the set or `flow`.
            let key = set.start(None, most, &mut next, make, |completion| {
                if HAS_RULES {
                    exchange.reports.push(completion);
                } else {
                    flow = report(buffer, *delivery, completion);
                }
                flow
            });
            let ControlFlow::Continue(key) = key else { break };
            capacity -= most;
            if let Some(time_limits) = time_limits {
                timed = time_limits.on_start(key, &|body| set.runs(body));
                if timed.is_err() {
                    break;
                }
            }
        }
        if let Err(panic) = timed {
            report_source_panic(bodies, panic);
            flow = ControlFlow::Break(());
        }
        (started, flow, locked)
    }
}

impl<B: Body<Returns = T>, T, const HAS_RULES: bool> Intake<B, T>
    for PullIntake<'_, B, T, HAS_RULES>
{
    const PULLS: bool = true;
    const REPORTS: bool = HAS_RULES;

    fn register(&self, waker: &Waker) {
        self.source.sleepers.register(self.worker, waker);
    }

    fn start_bodies(
        &mut self,
        bodies: &mut WorkerBodies<B, T>,
        budget: usize,
        before_sleep: bool,
    ) -> Intaken {
        let mut capacity = self.limit.saturating_sub(bodies.set.len());
        // A driver in the source must get the reports. It polls its signals when it is woken for one.
        let may_be_woken = before_sleep && self.source.has_signals;
        let has_news = HAS_RULES && (may_be_woken || !bodies.exchange.reports.is_empty());
        if capacity == 0 && !has_news {
            return Intaken { polls: 0, may_have_more: false };
        }
        let had_queued = self.has_queued;
        let has_pulled = !had_queued || has_news;
        if HAS_RULES && had_queued {
            capacity = 0;
        }
        let begin = if has_pulled { self.batch_size.begin() } else { None };
        let (end, filled) = if has_pulled {
            self.fill_queue(capacity, before_sleep, &mut bodies.exchange)
        } else {
            (BatchEnd::Full, Ok(()))
        };
        let (mut polls, mut flow, mut locked) = (0, ControlFlow::Continue(()), filled);
        if self.has_queued {
            (polls, flow, locked) = self.start_queued(budget, bodies);
        }
        if let Some(begin) = begin.filter(|_| polls > 0) {
            self.batch_size.measure(polls, begin.elapsed());
            let worth_a_trip = self.batch_size.outputs().min(self.limit / 2);
            bodies.buffer.set_worth_a_trip(worth_a_trip);
        }
        if HAS_RULES && self.deliver(bodies, &end).is_break() {
            flow = ControlFlow::Break(());
        }
        let is_contended = locked.is_err() || matches!(end, BatchEnd::Contended);
        // A panic has ended the batch early, so the source may have more bodies. So may it if another worker has taken those that
        // were in the queue.
        let may_have_more = is_contended
            || had_queued && !self.has_queued
            || matches!(
                end,
                BatchEnd::BodyPanicked(..)
                    | BatchEnd::Stopped
                    | BatchEnd::Interrupted
                    | BatchEnd::SourceFailed(_)
                    | BatchEnd::SourcePanicked(_)
            );
        match end {
            BatchEnd::Full | BatchEnd::Pending | BatchEnd::Exhausted | BatchEnd::Contended => {}
            BatchEnd::Stopped => {}
            BatchEnd::Interrupted => {
                bodies.buffer.push_source_failure(SourceFailure::Interrupted);
            }
            BatchEnd::BodyPanicked(index, panic) => {
                let completion = Completion { index, seq: 0, outcome: Outcome::Panicked(panic) };
                if report(&mut bodies.buffer, bodies.delivery, completion).is_break() {
                    flow = ControlFlow::Break(());
                }
            }
            BatchEnd::SourceFailed(index) => {
                bodies.buffer.push_source_failure(SourceFailure::Failed(index));
            }
            BatchEnd::SourcePanicked(panic) => report_source_panic(bodies, panic),
        }
        if HAS_RULES {
            for Completion { index, outcome, .. } in bodies.exchange.leftovers.drain(..) {
                bodies.buffer.push_prompt(index, outcome);
            }
        }
        if flow.is_break() {
            self.close(bodies);
        }
        // So a worker that contends for long uses its budget and returns to its executor.
        Intaken { polls: polls + usize::from(is_contended), may_have_more }
    }

    #[cold]
    fn close(&mut self, bodies: &mut WorkerBodies<B, T>) {
        if let Some(panic) = self.source.close() {
            report_source_panic(bodies, panic);
        }
    }

    fn is_exhausted(&self) -> bool {
        self.is_exhausted && !self.has_queued && self.pulled.bodies.is_empty()
    }

    fn drop_unstarted(&mut self, mut dropped: impl FnMut(usize, Outcome<T>)) {
        self.source.close_unstarted(self.worker, &mut self.pulled, |mut batch| {
            while let Some(index) = batch.first(HAS_RULES) {
                batch.skip(index, HAS_RULES);
                dropped(index, drop_next(&mut batch.bodies.drain(..1)));
            }
        });
    }

    fn failure_if_dropped(&self) -> Option<SourceFailure> {
        self.running.as_ref().map(|_| SourceFailure::WorkerDropped)
    }

    fn finish(&mut self) {
        self.running = None;
    }
}

fn report_source_panic<B, T>(bodies: &mut WorkerBodies<B, T>, panic: Panic) {
    bodies.buffer.push_source_failure(SourceFailure::Panicked(panic));
}
