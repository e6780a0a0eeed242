//! Pull dispatch, the loop's side: it spawns workers that pull their bodies, delivers their completions,
//! and stops them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;
use core::num::NonZeroUsize;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::batch_size::BatchSize;
use super::body_source::{BatchEnd, BoxedSource, Exchange};
use super::completion_queue::{CompletionBatch, CompletionQueue, SourceFailure};
use super::handle::{Dispatcher, Portion, PullConfig, PullControl};
use super::pull_worker::PullWorker;
use super::recycling::free_after_burst;
use super::shared_source::{Request, SharedSource};
use super::start_worker::StartWorker;
use super::sync_wrapper::SyncWrapper;
use super::unstarted::Batch;
use crate::body::Body;
use crate::engine::{Completion, Key};
use crate::outcome::catch;
use crate::task::{Task, next_sequence};
use crate::{Outcome, Panic};

/// Dispatches by pull: see [`SharedSource`] for how the workers get their bodies.
///
/// The dispatcher does not know which bodies run, nor how many. It knows how many workers run, and that
/// a worker completes only when it has sent the completion of every body it pulled. So the loop is
/// complete when no worker runs and everything that arrived was delivered.
pub(super) struct PullDispatcher<'env, B: Body<Returns = T>, T, R, const HAS_RULES: bool> {
    runtime: R,
    /// The largest number of workers. If it is `None`, the runtime's number of threads.
    max_workers: Option<NonZeroUsize>,
    completions: Arc<CompletionQueue<T>>,
    source: PullState<'env, B>,
    /// A worker is cancelled when its task is dropped.
    tasks: Vec<Task<()>>,
    round: SyncWrapper<PullRound<T>>,
    /// The number of completions and failures of this round that were not delivered.
    undelivered: usize,
    /// The number of bodies whose completion was delivered.
    delivered: usize,
}

/// What has arrived for a round.
struct PullRound<T> {
    /// Outputs, in each batch the first that its worker has completed at the end. So they are taken from the end.
    batched: Vec<CompletionBatch<T>>,
    /// All other completions, in descending order: the next one is the last.
    prompt: Vec<Completion<T>>,
    /// Failures with their sequence numbers, in the same order.
    failures: Vec<(usize, SourceFailure)>,
    /// The failure at which the delivery has stopped.
    source_failure: Option<SourceFailure>,
    /// Whether batches are delivered as they have arrived, so that outputs of one worker stay in the order of their
    /// completion.
    keeps_order: bool,
}

/// Batches among which the one with the next outputs is searched.
const MERGED: usize = 8;

impl<T> PullRound<T> {
    /// Takes the batch with the outputs to deliver next.
    ///
    /// Where the order of completion does not matter, that is the batch with the lowest index, of some of the oldest. If
    /// bodies complete in order, the outputs are then delivered in the order of their indices, although the workers have
    /// pulled them by turns.
    fn take_batch(&mut self) -> Option<(CompletionBatch<T>, Portion)> {
        if self.keeps_order {
            return self.batched.pop().map(|batch| (batch, Portion::All));
        }
        let oldest = self.batched.len().saturating_sub(MERGED);
        let next = |batch: &CompletionBatch<T>| batch.batched.last().map(|&(index, _)| index);
        let (lowest, _) =
            (self.batched.iter().enumerate().skip(oldest)).min_by_key(|&(_, batch)| next(batch))?;
        Some((self.batched.swap_remove(lowest), Portion::Run))
    }

    /// Takes the next prompt completion, or the failure that came before it.
    fn pop_prompt(&mut self) -> Option<Result<Completion<T>, SourceFailure>> {
        let next = self.prompt.last().map_or(usize::MAX, |completion| completion.seq);
        match self.failures.pop_if(|&mut (sequence, _)| sequence < next) {
            Some((_, failure)) => Some(Err(failure)),
            None => self.prompt.pop().map(Ok),
        }
    }
}

impl<T> Default for PullRound<T> {
    fn default() -> Self {
        Self {
            batched: Vec::new(),
            prompt: Vec::new(),
            failures: Vec::new(),
            source_failure: None,
            keeps_order: false,
        }
    }
}

/// Where the source is.
enum PullState<'env, B: Body> {
    /// With the dispatcher: no worker was spawned.
    NotStarted(Box<SyncWrapper<Option<BoxedSource<'env, B>>>>),
    /// With the workers.
    Shared(Arc<SharedSource<'env, B>>),
}

impl<'env, B: Body<Returns = T>, T, R, const HAS_RULES: bool>
    PullDispatcher<'env, B, T, R, HAS_RULES>
{
    pub(super) fn new(
        runtime: R,
        max_workers: Option<NonZeroUsize>,
        source: BoxedSource<'env, B>,
    ) -> Self {
        Self {
            runtime,
            max_workers,
            completions: Arc::new(CompletionQueue::new()),
            source: PullState::NotStarted(Box::new(SyncWrapper::new(Some(source)))),
            tasks: Vec::new(),
            round: SyncWrapper::new(PullRound::default()),
            undelivered: 0,
            delivered: 0,
        }
    }

    /// Stops the pulling and cancels all bodies.
    fn close(&mut self, was_dropped: bool) -> Option<Panic> {
        self.completions.cancel();
        match &mut self.source {
            PullState::NotStarted(source) => catch(|| drop(source.with(mem::take))).err(),
            PullState::Shared(source) => {
                let panic = if was_dropped { source.abandon() } else { source.close() };
                source.sleepers.notify_all();
                panic
            }
        }
    }

    /// Whether every completion was delivered. The count of workers is read first: what those that have
    /// completed have sent is in the queue by then.
    fn is_complete(&self) -> bool {
        let have_completed = self.completions.running_workers() == 0;
        have_completed && self.undelivered == 0 && self.completions.is_empty()
    }

    /// Polls a source that states that it has no items. If that is true, the loop needs no worker.
    /// Otherwise, the first worker has what it gave.
    fn is_empty_source(&mut self, source: &SharedSource<'env, B>) -> bool {
        let (batch_size, mut batch) = (BatchSize::for_bodies_of(size_of::<B>()), Batch::new());
        let (waker, mut exchange) = (Waker::noop(), Exchange::new());
        let request =
            Request { worker: 0, most: 1, batch_size: &batch_size, before_sleep: false, waker };
        let pulled = source.pull_batch(&request, &mut batch, &mut exchange);
        for completion in exchange.completed {
            self.push_completion(completion.index, completion.outcome);
        }
        match pulled.1 {
            BatchEnd::Exhausted => return self.undelivered == 0,
            BatchEnd::Full | BatchEnd::Pending | BatchEnd::Contended | BatchEnd::Stopped => {}
            BatchEnd::Interrupted => self.push_failure(SourceFailure::Interrupted),
            BatchEnd::BodyPanicked(index, panic) => {
                self.push_completion(index, Outcome::Panicked(panic));
            }
            BatchEnd::SourceFailed(index) => self.push_failure(SourceFailure::Failed(index)),
            BatchEnd::SourcePanicked(panic) => self.push_failure(SourceFailure::Panicked(panic)),
        }
        for completion in exchange.leftovers {
            self.push_completion(completion.index, completion.outcome);
        }
        false
    }

    fn push_completion(&mut self, index: usize, outcome: Outcome<T>) {
        let completion = Completion { index, seq: next_sequence(), outcome };
        self.round.with(|round| round.prompt.push(completion));
        self.undelivered += 1;
    }

    fn push_failure(&mut self, failure: SourceFailure) {
        self.round.with(|round| round.failures.push((next_sequence(), failure)));
        self.undelivered += 1;
    }
}

impl<'env, B, T, R, const HAS_RULES: bool> PullControl<T>
    for PullDispatcher<'env, B, T, R, HAS_RULES>
where
    R: StartWorker<PullWorker<'env, B, T, HAS_RULES>>,
    B: Body<Returns = T> + Send + 'env,
    T: Send,
{
    fn begin(&mut self, config: PullConfig<T>) -> (usize, Option<usize>) {
        let PullState::NotStarted(source) = &mut self.source else { return (0, None) };
        let Some(mut source) = source.with(Option::take) else { return (0, None) };
        let hint = catch(|| source.size_hint()).unwrap_or_default();
        let time_limits = source.time_limits();
        let PullConfig { limit, catches_panics, delivery } = config;
        source.as_mut().begin(delivery);
        let threads = self.max_workers.unwrap_or_else(|| self.runtime.threads()).get();
        let workers = threads.min(limit).min(hint.1.unwrap_or(usize::MAX)).max(1);
        let permits = delivery.holds_permits.then_some(limit);
        self.round.with(|round| round.keeps_order = delivery.holds_permits);
        let source =
            Arc::new(SharedSource::new(source, permits, workers, hint, catches_panics, HAS_RULES));
        self.source = PullState::Shared(source.clone());
        if hint.1 == Some(0) && self.is_empty_source(&source) {
            return hint;
        }
        for worker in 0..workers {
            // The shares of all workers add up to the limit.
            let share = limit / workers + usize::from(worker < limit % workers);
            let worker = PullWorker::for_source(
                (source.clone(), worker),
                share,
                self.completions.clone(),
                delivery,
                time_limits.as_ref().and_then(|limits| limits.for_another_worker()),
            );
            self.tasks.push(self.runtime.start(worker));
        }
        hint
    }

    fn drain(&mut self) -> Option<Panic> {
        match &self.source {
            PullState::NotStarted(_) => None,
            PullState::Shared(source) => {
                let panic = source.drain();
                source.sleepers.notify_all();
                panic
            }
        }
    }

    fn set_held_permits(&mut self, held: usize) {
        if let PullState::Shared(source) = &self.source {
            source.release(self.delivered - held);
        }
    }

    fn take_source_failure(&mut self) -> Option<SourceFailure> {
        self.round.with(|round| round.source_failure.take())
    }
}

impl<'env, B, T, R, const HAS_RULES: bool> Dispatcher<B, T>
    for PullDispatcher<'env, B, T, R, HAS_RULES>
where
    R: StartWorker<PullWorker<'env, B, T, HAS_RULES>>,
    B: Body<Returns = T> + Send + 'env,
    T: Send,
{
    fn pull(&mut self) -> Option<&mut dyn PullControl<T>> {
        Some(self)
    }

    fn pulled(&self) -> Option<(usize, bool)> {
        Some(match &self.source {
            PullState::NotStarted(_) => (0, false),
            PullState::Shared(source) => (source.pulled(), source.is_exhausted()),
        })
    }

    /// An estimate until it is zero: only the workers know how many bodies run.
    fn len(&self) -> usize {
        if self.is_complete() {
            0
        } else {
            self.undelivered + self.completions.running_workers().max(1)
        }
    }

    fn enqueue(
        &mut self,
        _next: &mut dyn FnMut() -> Option<usize>,
        _make: &mut dyn FnMut() -> B,
    ) -> Result<Option<Key>, (usize, Panic)> {
        unreachable!("the workers pull the bodies")
    }

    fn dispatch(&mut self) {}

    fn runs(&self, _body: Key) -> bool {
        true
    }

    /// None: a worker reports each body that it stops.
    fn indices(&self) -> Vec<usize> {
        Vec::new()
    }

    fn expire(&mut self, _body: Key) {
        unreachable!("bodies with a time-out are pushed")
    }

    fn take_batch(&mut self) -> Option<(CompletionBatch<T>, Portion)> {
        self.round.with(PullRound::take_batch)
    }

    fn return_batch(&mut self, batch: CompletionBatch<T>, delivered: usize) {
        self.delivered += delivered;
        self.undelivered -= delivered;
        if batch.batched.is_empty() {
            self.completions.recycle(batch);
        } else {
            self.round.with(|round| round.batched.push(batch));
        }
    }

    fn deliver(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: &mut dyn FnMut(Completion<T>) -> ControlFlow<()>,
    ) {
        let (delivered, undelivered) = (&mut self.delivered, &mut self.undelivered);
        self.round.with(|round| {
            free_after_burst(&mut round.prompt);
            while *polls < most {
                let Some(next) = round.pop_prompt() else { break };
                *undelivered -= 1;
                *polls += 1;
                match next {
                    Ok(completion) => {
                        *delivered += 1;
                        if on_complete(completion).is_break() {
                            return;
                        }
                    }
                    // The loop handles it before the completions that follow it.
                    Err(failure) => {
                        round.source_failure = Some(failure);
                        return;
                    }
                }
            }
        });
    }

    fn is_round_in_progress(&self) -> bool {
        self.undelivered > 0
    }

    fn next_round(&mut self) -> bool {
        let completions = &self.completions;
        self.undelivered += self.round.with(|PullRound { batched, prompt, failures, .. }| {
            let mut arrived = 0;
            while let Some(mut batch) = completions.take() {
                arrived += batch.batched.len() + batch.prompt.len();
                prompt.append(&mut batch.prompt);
                if let Some(failure) = batch.source_failure.take() {
                    arrived += 1;
                    failures.push(failure);
                }
                if batch.batched.is_empty() {
                    completions.recycle(batch);
                } else {
                    batch.batched.reverse();
                    batched.push(batch);
                }
            }
            batched.reverse();
            prompt.sort_unstable_by_key(|completion| Reverse(completion.seq));
            failures.sort_unstable_by_key(|&(sequence, _)| Reverse(sequence));
            arrived
        });
        self.undelivered > 0
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        if self.undelivered > 0 {
            return false;
        }
        self.completions.dispatcher.register(cx.waker());
        self.completions.is_empty() && self.completions.running_workers() > 0
    }

    fn cancel(&mut self) -> Option<Panic> {
        self.close(false)
    }

    fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        self.tasks.clear();
        if let PullState::Shared(source) = &self.source {
            source.finish();
        }
        Poll::Ready(())
    }
}

impl<B: Body<Returns = T>, T, R, const HAS_RULES: bool> Drop
    for PullDispatcher<'_, B, T, R, HAS_RULES>
{
    fn drop(&mut self) {
        let panic = self.close(true);
        self.completions.close();
        if let Some(panic) = panic {
            panic.resume_unless_panicking();
        }
    }
}
