//! The queue in which completions get from the workers of a loop to its dispatcher.
//!
//! Completions travel in batches, because to wake another thread costs more than a short body does. A
//! [`BatchBuffer`](super::batch_buffer::BatchBuffer) on each worker decides when a batch is full. The
//! dispatcher takes all batches that have arrived as one round and sorts their prompt completions by
//! sequence number. So the loop sees prompt completions in completion order, on any worker that ran the
//! bodies. Batched outputs have no sequence number and are not sorted.
//!
//! Neither side blocks and neither takes a lock. A batch that is pushed is followed by a wake of the
//! dispatcher's task. Before that task sleeps it registers its waker and then checks the queue again.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use atomic_waker::AtomicWaker;
use concurrent_queue::{ConcurrentQueue, PushError};

use super::recycling::is_recycled;
use crate::Panic;
use crate::engine::Completion;

/// The number of batches that the queue takes without an allocation.
const CAPACITY: usize = 64;

/// What happened to a source that workers pull from, other than that it is exhausted.
#[derive(Debug)]
pub enum SourceFailure {
    /// The source panicked while it gave an item or was dropped.
    Panicked(Panic),
    /// The source gave an error after this number of items. The loop's policy has it.
    Failed(usize),
    /// A driver that the workers share has stopped the loop, and keeps the interruption for it.
    Interrupted,
    /// The runtime dropped a worker. The bodies that this worker would have pulled do not run.
    WorkerDropped,
}

/// Completions that are sent together.
pub(super) struct CompletionBatch<T> {
    /// Outputs with their indices, in any order.
    pub(super) batched: Vec<(usize, T)>,
    /// All other completions. Those of pushed bodies have the body's id for an index.
    pub(super) prompt: Vec<Completion<T>>,
    /// A failure that the worker has seen, with its sequence number among the prompt completions.
    pub(super) source_failure: Option<(usize, SourceFailure)>,
}

impl<T> CompletionBatch<T> {
    pub(super) const fn new() -> Self {
        Self { batched: Vec::new(), prompt: Vec::new(), source_failure: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batched.is_empty() && self.prompt.is_empty() && self.source_failure.is_none()
    }
}

/// Collects the completions of all workers of a loop for its dispatcher.
pub(super) struct CompletionQueue<T> {
    /// Closed once the dispatcher is dropped.
    batches: ConcurrentQueue<CompletionBatch<T>>,
    /// Batches that did not fit into `batches`: this queue allocates as it grows.
    overflow: ConcurrentQueue<CompletionBatch<T>>,
    /// Emptied batches. The dispatcher puts them here and the workers fill them again.
    spare: ConcurrentQueue<CompletionBatch<T>>,
    /// Woken when a batch arrives, and when a worker that pulls has stopped.
    pub(super) dispatcher: AtomicWaker,
    /// Set when the loop stops: the workers drop their bodies.
    is_cancelled: AtomicBool,
    /// The number of [`RunningWorker`]s.
    running_workers: AtomicUsize,
}

impl<T> CompletionQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            batches: ConcurrentQueue::bounded(CAPACITY),
            overflow: ConcurrentQueue::unbounded(),
            spare: ConcurrentQueue::bounded(CAPACITY),
            dispatcher: AtomicWaker::new(),
            is_cancelled: AtomicBool::new(false),
            running_workers: AtomicUsize::new(0),
        }
    }

    /// The number of workers that may still send batches. The batches of all others have arrived.
    pub(super) fn running_workers(&self) -> usize {
        self.running_workers.load(Ordering::SeqCst)
    }

    /// Cancels all bodies. The caller wakes the workers that sleep.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    /// Sends a batch to the dispatcher. Drops the batch if the dispatcher was dropped.
    pub(super) fn push(&self, batch: CompletionBatch<T>) {
        let is_accepted = match self.batches.push(batch) {
            Ok(()) => true,
            Err(PushError::Full(batch)) => self.overflow.push(batch).is_ok(),
            Err(PushError::Closed(_)) => false,
        };
        if is_accepted {
            self.dispatcher.wake();
        }
    }

    /// Takes the next batch that has arrived.
    pub(super) fn take(&self) -> Option<CompletionBatch<T>> {
        self.batches.pop().or_else(|_| self.overflow.pop()).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.overflow.is_empty()
    }

    /// Returns an empty batch, with the memory of an earlier one if there is one.
    pub(super) fn empty_batch(&self) -> CompletionBatch<T> {
        self.spare.pop().unwrap_or(CompletionBatch::new())
    }

    /// Keeps an emptied batch for reuse.
    pub(super) fn recycle(&self, batch: CompletionBatch<T>) {
        debug_assert!(batch.is_empty(), "the dispatcher has taken every completion");
        if is_recycled(&batch.batched) && is_recycled(&batch.prompt) {
            drop(self.spare.push(batch));
        }
    }

    /// Refuses further batches and drops those that have arrived, on the calling thread.
    pub(super) fn close(&self) {
        self.batches.close();
        self.overflow.close();
        while self.take().is_some() {}
    }
}

/// Counts as a running worker until it is dropped.
///
/// A worker that pulls has one from before it is spawned until it has sent its last batch. So the loop
/// is complete when no worker runs and the queue is empty: the dispatcher reads the count first.
pub(super) struct RunningWorker<T> {
    completions: Arc<CompletionQueue<T>>,
}

impl<T> RunningWorker<T> {
    pub(super) fn new(completions: Arc<CompletionQueue<T>>) -> Self {
        completions.running_workers.fetch_add(1, Ordering::SeqCst);
        Self { completions }
    }
}

impl<T> Drop for RunningWorker<T> {
    fn drop(&mut self) {
        self.completions.running_workers.fetch_sub(1, Ordering::SeqCst);
        self.completions.dispatcher.wake();
    }
}
