//! The intake of a worker that pulls its bodies.

use alloc::sync::Arc;
use core::cell::RefCell;
use core::ops::ControlFlow;
use core::task::Waker;

use super::batch_size::BatchSize;
use super::body_source::{Batch, BatchEnd};
use super::completion_queue::{CompletionQueue, RunningWorker, SourceFailure};
use super::delivery::DeliveryRule;
use super::shared_source::SharedSource;
use super::worker::{Intake, Intaken, Worker, WorkerBodies, drop_next, report};
use crate::body::Body;
use crate::engine::{CapacityHint, Completion, FutureSet, Key};
use crate::place::inline::InlineJob;
use crate::{Outcome, Panic};

/// Pulls bodies from a [`SharedSource`].
pub(super) struct PullIntake<B, T> {
    source: Arc<SharedSource<B>>,
    /// The worker's number among the source's sleepers.
    worker: usize,
    /// The number of bodies that may run on this worker at once.
    limit: usize,
    batch_size: BatchSize,
    /// Bodies that were pulled and not started.
    batch: Batch<B>,
    /// Wakes all workers: any of them may poll the source next.
    source_waker: Waker,
    is_exhausted: bool,
    /// `None` once the worker has finished.
    running: Option<RunningWorker<T>>,
}

/// A worker that pulls its bodies.
pub(super) type PullWorker<B, T> = Worker<B, T, PullIntake<B, T>>;

impl<B: Body<Returns = T>, T> PullWorker<B, T> {
    /// Makes a worker with this number among the workers of `source`. It starts the bodies of `batch` before
    /// it pulls others. At most `limit` bodies run on it at once.
    pub(super) fn for_source(
        (source, worker): (Arc<SharedSource<B>>, usize),
        limit: usize,
        batch: Batch<B>,
        completions: Arc<CompletionQueue<T>>,
        delivery: DeliveryRule<T>,
    ) -> Self {
        let intake = PullIntake {
            source_waker: Waker::from(source.sleepers.clone()),
            source,
            worker,
            limit,
            batch_size: BatchSize::MIN,
            batch,
            is_exhausted: false,
            running: Some(RunningWorker::new(completions.clone())),
        };
        let set = FutureSet::with_capacity_hint(CapacityHint::of(limit, (0, None)));
        Self::new(intake, set, completions, delivery)
    }
}

impl<B, T> PullIntake<B, T> {
    /// Pulls up to `most` bodies into the batch.
    fn pull_batch(&mut self, most: usize, before_sleep: bool) -> BatchEnd {
        if self.is_exhausted {
            return BatchEnd::Exhausted;
        }
        let Self { source, batch_size, batch, source_waker, .. } = self;
        let end = source.pull_batch(most, batch_size, before_sleep, source_waker, batch);
        self.is_exhausted = matches!(end, BatchEnd::Exhausted);
        end
    }
}

impl<B: Body<Returns = T>, T> PullIntake<B, T> {
    /// Starts the bodies of the batch, up to `most` and until one of them stops the loop.
    fn start_batch(
        &mut self,
        most: usize,
        bodies: &mut WorkerBodies<B, T>,
    ) -> (usize, ControlFlow<()>) {
        let WorkerBodies { set, buffer, delivery, completions } = bodies;
        let (mut started, mut flow) = (0, ControlFlow::Continue(()));
        let batch = RefCell::new(&mut self.batch);
        let next = || match batch.borrow().front() {
            Some(&(index, _)) if started < most && !completions.is_cancelled() => {
                started += 1;
                ControlFlow::Continue((index, ()))
            }
            _ => ControlFlow::Break(()),
        };
        let make = |_index, ()| match batch.borrow_mut().pop_front() {
            Some((_, body)) => InlineJob::new(body),
            None => unreachable!("`next` has seen it"),
        };
        let capacity = self.limit - set.len();
        // Each reason to stop is visible in the batch, the set or `flow`.
        let _: ControlFlow<(), Key> = set.start(None, capacity, next, make, |completion| {
            flow = report(buffer, *delivery, completion);
            flow
        });
        (started, flow)
    }
}

impl<B: Body<Returns = T>, T> Intake<B, T> for PullIntake<B, T> {
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
        let most = budget.min(self.limit.saturating_sub(bodies.set.len()));
        if most == 0 {
            return Intaken { polls: 0, may_have_more: false };
        }
        let may_pull = self.batch.is_empty() && !bodies.completions.is_cancelled();
        let end = may_pull.then(|| self.pull_batch(most, before_sleep));
        let (polls, mut flow) = self.start_batch(budget, bodies);
        // A panic has ended the batch early, so the source may have more bodies.
        let may_have_more =
            matches!(end, Some(BatchEnd::BodyPanicked(..) | BatchEnd::SourcePanicked(_)));
        match end {
            None | Some(BatchEnd::Full | BatchEnd::Pending | BatchEnd::Exhausted) => {}
            Some(BatchEnd::BodyPanicked(index, panic)) => {
                let completion = Completion { index, seq: 0, outcome: Outcome::Panicked(panic) };
                if report(&mut bodies.buffer, bodies.delivery, completion).is_break() {
                    flow = ControlFlow::Break(());
                }
            }
            Some(BatchEnd::SourcePanicked(panic)) => report_source_panic(bodies, panic),
        }
        if flow.is_break() {
            self.close(bodies);
        }
        Intaken { polls, may_have_more }
    }

    #[cold]
    fn close(&mut self, bodies: &mut WorkerBodies<B, T>) {
        if let Some(panic) = self.source.close() {
            report_source_panic(bodies, panic);
        }
    }

    fn is_exhausted(&self) -> bool {
        self.is_exhausted && self.batch.is_empty()
    }

    fn drop_unstarted(&mut self, mut dropped: impl FnMut(usize, Outcome<T>)) {
        while let Some(&(index, _)) = self.batch.front() {
            dropped(index, drop_next(&mut self.batch.drain(..1)));
        }
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
