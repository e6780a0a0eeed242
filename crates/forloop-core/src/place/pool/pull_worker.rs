//! The intake of a worker that pulls its bodies.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::ControlFlow;
use core::task::Waker;

use super::batch_size::BatchSize;
use super::body_source::BatchEnd;
use super::completion_queue::{CompletionQueue, RunningWorker, SourceFailure};
use super::delivery::DeliveryRule;
use super::shared_source::SharedSource;
use super::sync::Locked;
use super::unstarted::{Batch, Contended};
use super::worker::{Intake, Intaken, Worker, WorkerBodies, drop_next, report};
use super::worker_options::TimeLimits;
use crate::body::Body;
use crate::engine::{CapacityHint, Completion, FutureSet};
use crate::place::inline::InlineJob;
use crate::{Outcome, Panic};

/// Pulls bodies from a [`SharedSource`].
pub(super) struct PullIntake<'env, B, T> {
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
pub(super) type PullWorker<'env, B, T> = Worker<B, T, PullIntake<'env, B, T>>;

impl<'env, B: Body<Returns = T>, T> PullWorker<'env, B, T> {
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

impl<'env, B, T> PullIntake<'env, B, T> {
    /// Pulls up to `most` bodies, and fills the worker's own queue with them, which is empty.
    fn fill_queue(&mut self, most: usize, before_sleep: bool) -> (BatchEnd, Result<(), Contended>) {
        let Self { source, worker, batch_size, pulled, source_waker, .. } = self;
        let mut end = BatchEnd::Full;
        if pulled.bodies.is_empty() {
            (self.has_queued, end) =
                source.pull_batch(*worker, most, batch_size, before_sleep, source_waker, pulled);
            self.is_exhausted = matches!(end, BatchEnd::Exhausted);
        }
        if self.pulled.bodies.is_empty() {
            return (end, Ok(()));
        }
        let filled = self.source.fill(self.worker, &mut self.pulled);
        self.has_queued = filled.is_ok();
        (end, filled)
    }
}

impl<'env, B: Body<Returns = T>, T> PullIntake<'env, B, T> {
    /// Starts the bodies of the queue, up to `most` and until one of them stops the loop.
    fn start_queued(
        &mut self,
        most: usize,
        bodies: &mut WorkerBodies<B, T>,
    ) -> (usize, ControlFlow<()>, Result<(), Contended>) {
        let WorkerBodies { set, buffer, delivery, time_limits, .. } = bodies;
        let (mut started, mut flow, mut locked) = (0, ControlFlow::Continue(()), Ok(()));
        let Self { source, worker, has_queued, .. } = self;
        let mut next = || {
            if started == most || source.is_stopped() {
                return ControlFlow::Break(());
            }
            match source.unstarted(*worker).map(|queue| queue.first().map(|index| (index, queue))) {
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
            queue.first = index + 1;
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
                flow = report(buffer, *delivery, completion);
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

impl<'env, B: Body<Returns = T>, T> Intake<B, T> for PullIntake<'env, B, T> {
    const PULLS: bool = true;

    fn register(&self, waker: &Waker) {
        self.source.sleepers.register(self.worker, waker);
    }

    fn start_bodies(
        &mut self,
        bodies: &mut WorkerBodies<B, T>,
        budget: usize,
        before_sleep: bool,
    ) -> Intaken {
        let capacity = self.limit.saturating_sub(bodies.set.len());
        if capacity == 0 {
            return Intaken { polls: 0, may_have_more: false };
        }
        let has_pulled = !self.has_queued;
        let begin = if has_pulled { self.batch_size.begin() } else { None };
        let (end, filled) = if has_pulled {
            self.fill_queue(capacity, before_sleep)
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
        let is_contended = locked.is_err() || matches!(end, BatchEnd::Contended);
        // A panic has ended the batch early, so the source may have more bodies. So may it if another worker has taken those that
        // were in the queue.
        let may_have_more = is_contended
            || !has_pulled && !self.has_queued
            || matches!(
                end,
                BatchEnd::BodyPanicked(..)
                    | BatchEnd::SourceFailed(_)
                    | BatchEnd::SourcePanicked(_)
            );
        match end {
            BatchEnd::Full | BatchEnd::Pending | BatchEnd::Exhausted | BatchEnd::Contended => {}
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
            while let Some(index) = batch.first() {
                batch.first += 1;
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
