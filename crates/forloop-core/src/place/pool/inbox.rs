//! What a dispatcher that pushes bodies sends to one worker.

use alloc::vec::Vec;

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;

use super::recycling::is_recycled;

/// The number of a body in its [dispatcher's](super::push::PushDispatcher) table.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyId(pub(super) usize);

/// Bodies that are sent together.
pub(super) type PushBatch<B> = Vec<(BodyId, B)>;

/// The largest number of bodies that are sent together.
pub(super) const MAX_PUSH_BATCH: usize = 64;

/// The number of emptied batches that an inbox keeps for reuse.
const SPARE_BATCHES: usize = 8;

/// What a dispatcher asks of a worker.
pub(super) enum Command<B> {
    /// Run these bodies.
    Run(PushBatch<B>),
    /// Stop this body, which has timed out.
    Expire(BodyId),
}

/// The commands for one worker, first in, first out.
pub(super) struct Inbox<B> {
    /// Closed once the worker has stopped.
    commands: ConcurrentQueue<Command<B>>,
    /// Emptied batches. The worker puts them here and the dispatcher fills them again.
    spare: ConcurrentQueue<PushBatch<B>>,
    pub(super) worker: AtomicWaker,
}

impl<B> Inbox<B> {
    pub(super) fn new() -> Self {
        Self {
            commands: ConcurrentQueue::unbounded(),
            spare: ConcurrentQueue::bounded(SPARE_BATCHES),
            worker: AtomicWaker::new(),
        }
    }

    /// Sends a command and wakes the worker. Returns the command if the worker has stopped.
    pub(super) fn send(&self, command: Command<B>) -> Result<(), Command<B>> {
        self.commands.push(command).map_err(concurrent_queue::PushError::into_inner)?;
        self.worker.wake();
        Ok(())
    }

    /// Takes the next command.
    pub(super) fn receive(&self) -> Option<Command<B>> {
        self.commands.pop().ok()
    }

    /// Refuses further commands.
    pub(super) fn close(&self) {
        self.commands.close();
    }

    /// Returns an empty batch, with the memory of an earlier one if there is one.
    pub(super) fn empty_batch(&self) -> PushBatch<B> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps an emptied batch for reuse.
    pub(super) fn recycle(&self, batch: PushBatch<B>) {
        debug_assert!(batch.is_empty(), "the worker has taken every body");
        // If the queue is full, it has as many as are in use: this one is freed.
        if is_recycled(&batch) {
            drop(self.spare.push(batch));
        }
    }
}
