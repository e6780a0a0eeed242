//! A worker's completions before they are sent.

use alloc::sync::Arc;
use core::mem;

use super::completion_queue::{CompletionBatch, CompletionQueue, SourceFailure};
use crate::Outcome;
use crate::engine::Completion;
use crate::task::next_sequence;

/// The number of batched outputs that are sent without waiting for more.
const MAX_BATCHED: usize = 1024;

/// The number of prompt completions that are sent without waiting for the end of the round.
const MAX_PROMPT: usize = 64;

/// Collects a worker's completions and decides when to send them.
///
/// - A **batched** output waits until the buffer holds [`MAX_BATCHED`] of them, or until the worker
///   stops. If the loop awaits it, because it holds a permit, it waits for fewer, and only while the worker has
///   something to do: see [`end_turn`](Self::end_turn).
/// - A **prompt** completion waits for the end of the worker's round, so one wake of the dispatcher
///   serves all bodies of the round. It does not wait if the buffer holds [`MAX_PROMPT`] of them.
/// - A **terminal** completion is sent at once, and so is a failure of the source.
///
/// Each of these sends everything that is in the buffer.
///
/// Where bodies are pushed to the worker, half of the prompt completions leave early: they are sent as
/// soon as they are as many as the bodies that still run. A worker that kept them until it had
/// nothing left to poll would then have to wait for new bodies. With half sent early, the dispatcher
/// has replaced the first half by the time the second half completes.
pub(super) struct BatchBuffer<T> {
    completions: Arc<CompletionQueue<T>>,
    batch: CompletionBatch<T>,
    /// The number of pushed bodies that have not completed. Zero where the worker pulls.
    pushed: usize,
    /// Only [`flush`](Self::flush) sends.
    is_corked: bool,
    /// The number of batched outputs that are sent without waiting for more.
    most_batched: usize,
    /// Whether the loop awaits batched outputs.
    are_awaited: bool,
    /// The turns of the worker since the buffer was empty.
    turns: u32,
}

/// The turns of a worker in which awaited outputs wait for others.
const MAX_TURNS: u32 = 4;

impl<T> BatchBuffer<T> {
    pub(super) fn new(completions: Arc<CompletionQueue<T>>, are_awaited: bool) -> Self {
        Self {
            completions,
            batch: CompletionBatch::new(),
            pushed: 0,
            is_corked: false,
            most_batched: if are_awaited { 1 } else { MAX_BATCHED },
            are_awaited,
            turns: 0,
        }
    }

    /// Sets the number of awaited outputs that are worth a trip to another thread.
    pub(super) fn set_worth_a_trip(&mut self, outputs: usize) {
        if self.are_awaited {
            self.most_batched = outputs.clamp(1, MAX_BATCHED);
        }
    }

    /// Ends a turn of the worker: sends what the loop waits for. Outputs of short bodies wait for a few turns, as long as
    /// the worker has something to do.
    pub(super) fn end_turn(&mut self, is_idle: bool) {
        self.turns += 1;
        if self.are_awaited && (is_idle || self.turns >= MAX_TURNS) {
            self.flush();
        } else {
            self.flush_prompt();
        }
    }

    /// Counts bodies that were pushed to the worker.
    pub(super) fn add_pushed(&mut self, bodies: usize) {
        self.pushed += bodies;
    }

    /// Adds an output that may be delivered late and in any order.
    #[inline]
    pub(super) fn push_batched(&mut self, index: usize, output: T) {
        self.batch.batched.push((index, output));
        if self.batch.batched.len() >= self.most_batched {
            self.flush_unless_corked();
        }
    }

    /// Adds a prompt completion, as the latest in completion order.
    pub(super) fn push_prompt(&mut self, index: usize, outcome: Outcome<T>) {
        self.push_sequenced(index, outcome);
        let limit = match self.pushed {
            0 => MAX_PROMPT,
            _ => {
                self.pushed -= 1;
                self.pushed.min(MAX_PROMPT / 2)
            }
        };
        if self.batch.prompt.len() >= limit {
            self.flush_unless_corked();
        }
    }

    /// Adds a completion that stops the loop, as the latest in completion order, and sends it.
    pub(super) fn push_terminal(&mut self, index: usize, outcome: Outcome<T>) {
        self.push_sequenced(index, outcome);
        self.flush_unless_corked();
    }

    fn push_sequenced(&mut self, index: usize, outcome: Outcome<T>) {
        self.batch.prompt.push(Completion { index, seq: next_sequence(), outcome });
    }

    /// Adds a failure of the source, which happened after all completions so far, and sends it.
    pub(super) fn push_source_failure(&mut self, failure: SourceFailure) {
        // A corked worker has stopped pulling, and adds none.
        debug_assert!(self.batch.source_failure.is_none(), "an earlier failure was sent");
        self.batch.source_failure = Some((next_sequence(), failure));
        self.flush_unless_corked();
    }

    /// Holds back everything until [`flush`](Self::flush) is called.
    pub(super) fn cork(&mut self) {
        self.is_corked = true;
    }

    /// Sends the batch if a prompt completion is in it: called at the end of a round.
    #[inline]
    pub(super) fn flush_prompt(&mut self) {
        if !self.batch.prompt.is_empty() {
            self.flush();
        }
    }

    #[cold]
    fn flush_unless_corked(&mut self) {
        if !self.is_corked {
            self.flush();
        }
    }

    /// Sends the batch, unless it is empty.
    pub(super) fn flush(&mut self) {
        self.turns = 0;
        if self.batch.is_empty() {
            return;
        }
        let empty = self.completions.empty_batch();
        self.completions.push(mem::replace(&mut self.batch, empty));
    }
}
