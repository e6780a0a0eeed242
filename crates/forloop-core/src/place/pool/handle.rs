//! The interface between a loop and its worker pool.

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll};

use super::completion_queue::{CompletionBatch, SourceFailure};
use super::delivery::DeliveryRule;
use crate::Panic;
use crate::engine::{Completion, Key};

/// The loop's side of a worker pool. Its methods mean the same as those of a
/// [`FutureSet`](crate::engine::FutureSet).
pub(super) trait Dispatcher<B, T> {
    /// Returns the control of workers that pull their bodies themselves.
    fn pull(&mut self) -> Option<&mut dyn PullControl<T>> {
        None
    }

    /// Returns the number of bodies that workers have pulled and whether the source is exhausted, if
    /// workers pull. The number is zero while the source may give more.
    fn pulled(&self) -> Option<(usize, bool)> {
        None
    }

    /// The number of bodies whose completion was not delivered.
    fn len(&self) -> usize;

    /// Queues the bodies that `make` makes, one for each index that `next` returns. Returns the key of the last.
    ///
    /// # Errors
    ///
    /// The panic of `make`, with its index. The bodies before it are queued.
    fn enqueue(
        &mut self,
        next: &mut dyn FnMut() -> Option<usize>,
        make: &mut dyn FnMut() -> B,
    ) -> Result<Option<Key>, (usize, Panic)>;

    /// Sends the queued bodies to workers.
    fn dispatch(&mut self);

    /// Whether the completion of this body was not delivered.
    fn runs(&self, body: Key) -> bool;

    /// The indices of these bodies, in ascending order.
    fn indices(&self) -> Vec<usize>;

    /// Asks a body that has timed out to stop, once it has been polled.
    fn expire(&mut self, body: Key);

    /// Takes batched outputs of this round, those to deliver next at the end. The caller delivers outputs from the end
    /// and [returns](Self::return_batch) the rest.
    fn take_batch(&mut self) -> Option<(CompletionBatch<T>, Portion)> {
        None
    }

    /// Returns a batch after so many of its outputs were delivered.
    fn return_batch(&mut self, _batch: CompletionBatch<T>, _delivered: usize) {}

    /// Delivers the other completions of this round in completion order, until `polls` has reached `most` or
    /// `on_complete` returns `Break`. Each adds one to `polls`.
    fn deliver(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: &mut dyn FnMut(Completion<T>) -> ControlFlow<()>,
    );

    /// Whether completions of this round were not delivered.
    fn is_round_in_progress(&self) -> bool;

    /// Begins the next round with the completions that have arrived. Returns `false` if there are none.
    fn next_round(&mut self) -> bool;

    /// Registers the waker for the next completion. Returns `false` if one has arrived.
    fn sleep(&mut self, cx: &Context<'_>) -> bool;

    /// Cancels every body. Returns a panic of what was dropped on this thread.
    fn cancel(&mut self) -> Option<Panic>;

    /// Waits for the tasks that unstarted bodies have left behind, and lets the workers complete.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// How much of a batch is delivered before the next is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// Outputs whose indices ascend one by one: the output after them may be in another batch.
    Run,
    /// All of it.
    All,
}

/// The control of workers that pull their bodies.
pub(super) trait PullControl<T> {
    /// Spawns the workers. Returns the bounds on the number of bodies, as the source states them.
    fn begin(&mut self, config: PullConfig<T>) -> (usize, Option<usize>);

    /// Has the workers pull no more bodies. Returns a panic of what was dropped on this thread.
    fn drain(&mut self) -> Option<Panic>;

    /// Sets the number of delivered completions that still hold a permit.
    fn set_held_permits(&mut self, held: usize);

    /// Returns the failure of the source at which the last delivery has stopped.
    fn take_source_failure(&mut self) -> Option<SourceFailure>;
}

/// How workers pull their bodies.
pub struct PullConfig<T> {
    /// The number of bodies that may run at once.
    pub(crate) limit: usize,
    /// Whether the loop continues after the closure has panicked.
    pub(crate) catches_panics: bool,
    pub(crate) delivery: DeliveryRule<T>,
}

impl<T> fmt::Debug for PullConfig<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PullConfig").field("limit", &self.limit).finish_non_exhaustive()
    }
}
