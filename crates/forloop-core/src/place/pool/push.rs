//! Push dispatch, the loop's side: it queues the bodies that the loop makes, sends them to workers in
//! batches, and delivers their completions.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;
use core::num::NonZeroUsize;
use core::ops::ControlFlow;
use core::task::{Context, Poll, ready};

use super::completion_queue::CompletionQueue;
use super::handle::Dispatcher;
use super::inbox::{BodyId, Command, Inbox, MAX_PUSH_BATCH, PushBatch};
use super::push_worker::{PushWorker, drop_each};
use super::recycling::free_after_burst;
use super::start_worker::StartWorker;
use super::sync_wrapper::SyncWrapper;
use crate::body::Body;
use crate::engine::{Completion, Key};
use crate::outcome::catch;
use crate::task::{Task, next_sequence};
use crate::wait_group::{WaitGroup, with_wait_group};
use crate::{Outcome, Panic, indices};

/// Dispatches by push: the loop's task pulls the items, calls the closure and sends the bodies to
/// workers.
///
/// **Queue.** A body that the loop makes is only queued ([`enqueue`](Dispatcher::enqueue)). The queue is
/// sent when the loop has made as many bodies as it may, before it begins a round of completions and
/// before it sleeps ([`dispatch`](Dispatcher::dispatch)). So a wake of a worker is for a batch of bodies
/// and not for one.
///
/// **Which worker.** The dispatcher knows the number of bodies on each worker, its load. It computes the
/// fair share, all bodies divided by the largest number of workers, and fills one worker after another up
/// to that share. A worker is spawned when those before it are full. So a few bodies need few workers,
/// and no worker has more than its share while another one has none. A body stays on the worker that it
/// was sent to.
///
/// **Records.** Each body has a record in a table, at the position that is its [`BodyId`]. Commands and
/// completions name a body by its id, which is reused once its completion was delivered; the record
/// has the index of the item. A time-out that races with the completion of its body is ignored by the
/// worker, because the body does not run any more; the id is not reused before that completion is
/// delivered.
///
/// **Order.** The dispatcher takes all completions that have arrived, sorts them by their sequence
/// number and delivers them as one round. All completions are prompt: the loop's options decide about
/// each, so none may be dropped or delayed by a worker.
///
/// **A worker that was dropped.** If the runtime shuts down, it drops its workers. They report their
/// bodies as cancelled or not run, and close their inboxes. Bodies that a closed inbox refuses have
/// their completion here.
pub(super) struct PushDispatcher<B, T, R> {
    runtime: R,
    /// The largest number of workers. If it is `None`, the runtime was not asked for its threads.
    max_workers: Option<NonZeroUsize>,
    completions: Arc<CompletionQueue<T>>,
    workers: Vec<WorkerHandle<B>>,
    /// Bodies that were not sent to a worker.
    queue: SyncWrapper<PushBatch<B>>,
    /// The length of `queue`.
    queued: usize,
    /// The completions of this round, each with the body's id for an index, in descending order: the
    /// next one is the last.
    round: SyncWrapper<Vec<Completion<T>>>,
    /// The length of `round`.
    undelivered: usize,
    /// By [`BodyId`]. `None` where the id is free.
    records: Vec<Option<BodyRecord>>,
    free_ids: Vec<BodyId>,
    /// Tasks that unstarted bodies have left behind.
    wait_groups: Vec<Arc<WaitGroup>>,
}

/// A worker, as the dispatcher knows it.
struct WorkerHandle<B> {
    inbox: Arc<Inbox<B>>,
    /// The number of bodies on the worker whose completion was not delivered.
    load: usize,
    /// The worker is cancelled when its task is dropped.
    _task: Task<()>,
}

/// What the dispatcher knows of a body.
#[derive(Clone, Copy)]
struct BodyRecord {
    index: usize,
    /// The number of the worker that it was sent to. `None` while it is queued.
    worker: Option<usize>,
    has_timed_out: bool,
}

impl<B, T, R> PushDispatcher<B, T, R>
where
    R: StartWorker<PushWorker<B, T>>,
    B: Body<Returns = T> + Send,
    T: Send,
{
    pub(super) fn new(runtime: R, max_workers: Option<NonZeroUsize>) -> Self {
        Self {
            runtime,
            max_workers,
            completions: Arc::new(CompletionQueue::new()),
            workers: Vec::new(),
            queue: SyncWrapper::new(Vec::new()),
            queued: 0,
            round: SyncWrapper::new(Vec::new()),
            undelivered: 0,
            records: Vec::new(),
            free_ids: Vec::new(),
            wait_groups: Vec::new(),
        }
    }

    /// Sends `bodies` of the queued bodies to a worker.
    fn send(&mut self, worker: usize, bodies: usize) {
        self.workers[worker].load += bodies;
        let mut left = bodies;
        while left > 0 {
            let size = left.min(MAX_PUSH_BATCH);
            let inbox = &self.workers[worker].inbox;
            let mut batch = inbox.empty_batch();
            self.queue.with(|queue| {
                let first = queue.len() - size;
                if first == 0 {
                    mem::swap(&mut batch, queue);
                } else {
                    batch.extend(queue.drain(first..));
                }
            });
            left -= size;
            self.queued -= size;
            for &(BodyId(id), _) in &batch {
                if let Some(record) = &mut self.records[id] {
                    record.worker = Some(worker);
                }
            }
            // The runtime was shut down if the worker does not accept it.
            if let Err(Command::Run(batch)) = inbox.send(Command::Run(batch)) {
                self.complete_unstarted(batch);
            }
        }
    }

    /// Drops bodies that no worker will run and adds their completions to this round.
    fn complete_unstarted(&mut self, mut bodies: PushBatch<B>) {
        let mut completions = Vec::with_capacity(bodies.len());
        let ((), wait_group) = with_wait_group(None, || {
            drop_each(&mut bodies.drain(..), |id, outcome| {
                completions.push(Completion { index: id, seq: next_sequence(), outcome });
            });
        });
        self.wait_groups.extend(wait_group);
        self.add(&mut completions);
    }

    /// Moves completions to those of this round.
    fn add(&mut self, completions: &mut Vec<Completion<T>>) {
        self.undelivered += completions.len();
        self.round.with(|round| {
            if round.is_empty() {
                mem::swap(round, completions);
            } else {
                round.append(completions);
            }
        });
    }

    fn spawn_worker(&mut self) {
        let inbox = Arc::new(Inbox::new());
        let worker = PushWorker::for_inbox(inbox.clone(), self.completions.clone());
        let task = self.runtime.start(worker);
        self.workers.push(WorkerHandle { inbox, load: 0, _task: task });
    }

    /// The number of bodies on the busiest worker if all have about as many.
    fn fair_share(&mut self) -> usize {
        let runtime = &self.runtime;
        let workers = self.max_workers.get_or_insert_with(|| runtime.threads()).get();
        let bodies = self.queued + self.workers.iter().map(|worker| worker.load).sum::<usize>();
        bodies.div_ceil(workers)
    }
}

impl<B, T, R> Dispatcher<B, T> for PushDispatcher<B, T, R>
where
    R: StartWorker<PushWorker<B, T>>,
    B: Body<Returns = T> + Send,
    T: Send,
{
    fn len(&self) -> usize {
        self.records.len() - self.free_ids.len()
    }

    fn enqueue(
        &mut self,
        next: &mut dyn FnMut() -> Option<usize>,
        make: &mut dyn FnMut() -> B,
    ) -> Result<Option<Key>, (usize, Panic)> {
        let (records, free_ids) = (&mut self.records, &mut self.free_ids);
        let mut last = Ok(None);
        self.queued = self.queue.with(|queue| {
            while let Some(index) = next() {
                let BodyId(id) = free_ids.last().copied().unwrap_or(BodyId(records.len()));
                if let Err(panic) = catch(|| queue.push((BodyId(id), make()))) {
                    last = Err((index, panic));
                    break;
                }
                if free_ids.pop().is_none() {
                    records.push(None);
                }
                records[id] = Some(BodyRecord { index, worker: None, has_timed_out: false });
                last = Ok(Some(Key { slot: id, index }));
            }
            queue.len()
        });
        last
    }

    fn dispatch(&mut self) {
        if self.queued == 0 {
            return;
        }
        let share = self.fair_share();
        for worker in 0.. {
            if self.queued == 0 {
                return;
            }
            if worker == self.workers.len() {
                self.spawn_worker();
            }
            let bodies = share.saturating_sub(self.workers[worker].load).min(self.queued);
            self.send(worker, bodies);
        }
    }

    fn runs(&self, body: Key) -> bool {
        let record = self.records.get(body.slot).and_then(Option::as_ref);
        record.is_some_and(|record| record.index == body.index)
    }

    fn indices(&self) -> Vec<usize> {
        let records = self.records.iter().flatten();
        let mut indices: Vec<_> = records.map(|record| record.index).collect();
        indices::sort(&mut indices);
        indices
    }

    fn expire(&mut self, body: Key) {
        self.dispatch();
        let Some(Some(record)) = self.records.get_mut(body.slot) else { return };
        if record.index != body.index || mem::replace(&mut record.has_timed_out, true) {
            return;
        }
        if let Some(worker) = record.worker {
            // A worker that does not accept it was dropped, and has reported its bodies.
            drop(self.workers[worker].inbox.send(Command::Expire(BodyId(body.slot))));
        }
    }

    fn deliver(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: &mut dyn FnMut(Completion<T>) -> ControlFlow<()>,
    ) {
        let (records, free_ids) = (&mut self.records, &mut self.free_ids);
        let workers = &mut self.workers;
        self.undelivered = self.round.with(|round| {
            while *polls < most {
                let Some(Completion { index: id, seq, outcome }) = round.pop() else { break };
                let record = records[id].take().expect("a body completes once");
                let BodyRecord { index, worker, has_timed_out } = record;
                free_ids.push(BodyId(id));
                if let Some(worker) = worker {
                    workers[worker].load -= 1;
                }
                *polls += 1;
                let outcome = match outcome {
                    Outcome::Cancelled if has_timed_out => Outcome::TimedOut,
                    outcome => outcome,
                };
                if on_complete(Completion { index, seq, outcome }).is_break() {
                    break;
                }
            }
            free_after_burst(round);
            round.len()
        });
    }

    fn is_round_in_progress(&self) -> bool {
        self.undelivered > 0
    }

    fn next_round(&mut self) -> bool {
        // Bodies that no worker accepts complete in this round.
        self.dispatch();
        while let Some(mut batch) = self.completions.take() {
            self.add(&mut batch.prompt);
            self.completions.recycle(batch);
        }
        if self.undelivered > 0 {
            self.round
                .with(|round| round.sort_unstable_by_key(|completion| Reverse(completion.seq)));
        }
        self.is_round_in_progress()
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.dispatch();
        if self.is_round_in_progress() {
            return false;
        }
        self.completions.dispatcher.register(cx.waker());
        self.completions.is_empty()
    }

    fn cancel(&mut self) -> Option<Panic> {
        self.completions.cancel();
        self.workers.iter().for_each(|worker| worker.inbox.worker.wake());
        self.queued = 0;
        let queue = self.queue.with(mem::take);
        self.complete_unstarted(queue);
        None
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(wait_group) = self.wait_groups.last() {
            ready!(wait_group.poll_wait(cx));
            self.wait_groups.pop();
        }
        self.workers.clear();
        Poll::Ready(())
    }
}

impl<B, T, R> Drop for PushDispatcher<B, T, R> {
    fn drop(&mut self) {
        // First of all, so that no body sees the drop of another one and continues.
        self.completions.cancel();
        self.completions.close();
        // One by one, so that the panic of one destructor does not skip the others.
        let (mut queue, mut first) = (self.queue.with(mem::take), None);
        drop_each::<_, T>(&mut queue.drain(..), |_id, outcome| {
            if let Outcome::Panicked(panic) = outcome {
                first.get_or_insert(panic);
            }
        });
        if let Some(panic) = first {
            panic.resume_unless_panicking();
        }
    }
}
