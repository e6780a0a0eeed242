//! The front of a loop on workers: who has which body, and which ends have come.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;
use core::num::NonZeroUsize;
use core::ops::ControlFlow;
use core::task::{Context, Poll, ready};

use super::channel::{
    BATCH, Command, CompletionQueue, Inbox, PoolCompletion, PushBatch, SyncWrapper,
};
use super::handle::Dispatcher;
use super::job::PoolJob;
use super::worker::{Worker, unpolled};
use crate::body::Body;
use crate::engine::{Completion, JobHandle, Key};
use crate::outcome::catch;
use crate::simulation::Origin;
use crate::task::{Task, spawn_from};
use crate::wait_group::{WaitGroup, with_wait_group};
use crate::{Outcome, Panic, Spawn};

/// The front: see [the module](super).
pub(super) struct PushDispatcher<B, T, R> {
    runtime: R,
    /// How many workers there may be, once somebody has asked.
    most: Option<NonZeroUsize>,
    completions: Arc<CompletionQueue<T>>,
    workers: Vec<WorkerHandle<B>>,
    /// Bodies that no worker has yet.
    waiting: SyncWrapper<PushBatch<B>>,
    waits: usize,
    /// The ends of this round, the next one last.
    ends: SyncWrapper<Vec<PoolCompletion<T>>>,
    undelivered: usize,
    slots: Vec<BodyRecord>,
    free: Vec<usize>,
    /// Tasks that bodies which never went to a worker have left behind.
    wait_group: Vec<Arc<WaitGroup>>,
}

/// A worker, as the front knows it.
struct WorkerHandle<B> {
    channel: Arc<Inbox<B>>,
    /// How many bodies it has.
    load: usize,
    /// Its owner: once this is dropped, the worker stops.
    _task: Task<()>,
}

/// What is known of a body.
#[derive(Clone, Copy)]
struct BodyRecord {
    /// `NOBODY` while the slot is free.
    index: usize,
    /// `NOBODY` while no worker has it.
    worker: usize,
    is_overdue: bool,
}

const NOBODY: usize = usize::MAX;

impl<B, T, R> PushDispatcher<B, T, R>
where
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    pub(super) fn new(runtime: R, most: Option<NonZeroUsize>) -> Self {
        Self {
            runtime,
            most,
            completions: Arc::new(CompletionQueue::new()),
            workers: Vec::new(),
            waiting: SyncWrapper::new(Vec::new()),
            waits: 0,
            ends: SyncWrapper::new(Vec::new()),
            undelivered: 0,
            slots: Vec::new(),
            free: Vec::new(),
            wait_group: Vec::new(),
        }
    }

    /// Gives so many waiting bodies to a worker.
    fn give(&mut self, worker: usize, bodies: usize) {
        let mut left = bodies;
        while left > 0 {
            let size = left.min(BATCH);
            let channel = &self.workers[worker].channel;
            let mut batch = channel.empty_batch();
            self.waiting.with(|waiting| {
                let first = waiting.len() - size;
                if first == 0 {
                    mem::swap(&mut batch, waiting);
                } else {
                    batch.extend(waiting.drain(first..));
                }
            });
            left -= size;
            self.waits -= size;
            batch.iter().for_each(|&(slot, _)| self.slots[slot].worker = worker);
            if let Some(Command::Run(batch)) = channel.tell(Command::Run(batch)) {
                // The runtime was shut down.
                self.refuse(batch);
            }
        }
    }

    /// Ends bodies that no worker will run.
    fn refuse(&mut self, bodies: PushBatch<B>) {
        let (ends, wait_group) = with_wait_group(None, || {
            let ends = bodies.into_iter().map(|(slot, body)| unpolled(slot, body));
            ends.collect::<Vec<_>>()
        });
        self.wait_group.extend(wait_group);
        self.add(&mut { ends });
    }

    /// Adds ends to those of this round.
    fn add(&mut self, more: &mut Vec<PoolCompletion<T>>) {
        self.undelivered += more.len();
        self.ends.with(|ends| {
            if ends.is_empty() {
                mem::swap(ends, more);
            } else {
                ends.append(more);
            }
        });
    }

    /// Hires one more worker, which begins with nothing to do.
    fn spawn_worker(&mut self) {
        let channel = Arc::new(Inbox::new());
        let task = spawn_from(
            Origin::unknown(),
            &self.runtime,
            Worker::push(channel.clone(), self.completions.clone()),
        );
        self.workers.push(WorkerHandle { channel, load: 0, _task: task });
    }

    /// How many bodies the busiest worker gets at most, if all have about as many.
    fn fair_share(&mut self) -> usize {
        let runtime = &self.runtime;
        let most = self.most.get_or_insert_with(|| runtime.threads()).get();
        let bodies = self.waits + self.workers.iter().map(|worker| worker.load).sum::<usize>();
        bodies.div_ceil(most)
    }
}

impl<B, T, R> Dispatcher<PoolJob<B>> for PushDispatcher<B, T, R>
where
    PoolJob<B>: JobHandle<Output = T>,
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn take(&mut self, next: &mut dyn FnMut() -> Option<(usize, PoolJob<B>)>) -> Option<Key> {
        let (slots, free) = (&mut self.slots, &mut self.free);
        let mut last = None;
        self.waits = self.waiting.with(|waiting| {
            while let Some((index, errand)) = next() {
                let record = BodyRecord { index, worker: NOBODY, is_overdue: false };
                let slot = match free.pop() {
                    Some(slot) => {
                        slots[slot] = record;
                        slot
                    }
                    None => {
                        slots.push(record);
                        slots.len() - 1
                    }
                };
                waiting.push((slot, errand.body));
                last = Some(Key { slot, index, attempt: 1 });
            }
            waiting.len()
        });
        last
    }

    fn hand_out(&mut self) {
        if self.waits == 0 {
            return;
        }
        let share = self.fair_share();
        for worker in 0.. {
            if self.waits == 0 {
                return;
            }
            if worker == self.workers.len() {
                self.spawn_worker();
            }
            let bodies = share.saturating_sub(self.workers[worker].load).min(self.waits);
            self.workers[worker].load += bodies;
            self.give(worker, bodies);
        }
    }

    fn runs(&self, body: Key) -> bool {
        self.slots.get(body.slot).is_some_and(|slot| slot.index == body.index)
    }

    fn indices(&self) -> Vec<usize> {
        let taken = self.slots.iter().filter(|slot| slot.index != NOBODY);
        let mut indices: Vec<_> = taken.map(|slot| slot.index).collect();
        indices.sort_unstable();
        indices
    }

    fn expire(&mut self, body: Key) {
        self.hand_out();
        if !self.runs(body) {
            return;
        }
        let slot = &mut self.slots[body.slot];
        if mem::replace(&mut slot.is_overdue, true) {
            return;
        }
        // If the worker has gone, it has told the end of its bodies.
        if let Some(hired) = self.workers.get(slot.worker) {
            drop(hired.channel.tell(Command::Expire(body.slot)));
        }
    }

    fn tell(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: &mut dyn FnMut(Completion<T>) -> ControlFlow<()>,
    ) where
        PoolJob<B>: JobHandle,
    {
        let (slots, free) = (&mut self.slots, &mut self.free);
        let workers = &mut self.workers;
        self.undelivered = self.ends.with(|ends| {
            while *polls < most {
                let Some(PoolCompletion { slot, seq, outcome }) = ends.pop() else { break };
                let BodyRecord { index, worker, is_overdue } = slots[slot];
                slots[slot].index = NOBODY;
                free.push(slot);
                if let Some(hired) = workers.get_mut(worker) {
                    hired.load -= 1;
                }
                *polls += 1;
                let outcome = match outcome {
                    Outcome::Cancelled if is_overdue => Outcome::TimedOut,
                    outcome => outcome,
                };
                if on_complete(Completion { index, seq, outcome }).is_break() {
                    break;
                }
            }
            ends.len()
        });
    }

    fn is_round_in_progress(&self) -> bool {
        self.undelivered > 0
    }

    fn next_round(&mut self) -> bool {
        self.hand_out();
        // What could not be handed out has ended, too.
        while let Some(mut ends) = self.completions.take() {
            self.add(&mut ends.news);
            self.completions.recycle(ends);
        }
        if self.undelivered > 0 {
            self.ends.with(|ends| ends.sort_unstable_by_key(|end| Reverse(end.seq)));
        }
        self.is_round_in_progress()
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.hand_out();
        if self.is_round_in_progress() {
            return false;
        }
        self.completions.dispatcher.register(cx.waker());
        !self.completions.has_ends()
    }

    fn cancel(&mut self) -> Option<Panic> {
        self.completions.mark_cancelled();
        self.workers.iter().for_each(|hired| hired.channel.worker.wake());
        self.waits = 0;
        let waiting = self.waiting.with(mem::take);
        self.refuse(waiting);
        None
    }

    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(wait_group) = self.wait_group.last() {
            ready!(wait_group.poll_wait(cx));
            self.wait_group.pop();
        }
        self.workers.clear();
        Poll::Ready(())
    }
}

impl<B, T, R> Drop for PushDispatcher<B, T, R> {
    fn drop(&mut self) {
        // None goes on for the news of another's end.
        self.completions.mark_cancelled();
        self.completions.close();
        // One by one: the panic of one body's destructor keeps no other from running.
        let waiting = self.waiting.with(mem::take);
        let panics = waiting.into_iter().filter_map(|body| catch(|| drop(body)).err());
        if let Some(panic) = panics.reduce(|first, _| first) {
            panic.resume_unless_panicking();
        }
    }
}
