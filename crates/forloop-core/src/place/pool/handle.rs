//! The interface between a loop and its workers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll};

use super::delivery::DeliveryRule;
use crate::Panic;
use crate::engine::{Completion, JobHandle, Key};

/// The workers of a loop, for bodies of the kind `J`.
///
/// What they are made of has no part in its type: a loop is `Send` whatever its bodies return.
pub struct PoolHandle<J>(Box<dyn Dispatcher<J> + Send + Sync>);

impl<J> PoolHandle<J> {
    pub(super) fn new(dispatcher: impl Dispatcher<J> + Send + Sync + 'static) -> Self {
        Self(Box::new(dispatcher))
    }

    pub(super) fn dispatcher(&mut self) -> &mut dyn Dispatcher<J> {
        &mut *self.0
    }

    pub(super) fn pool_ref(&self) -> &dyn Dispatcher<J> {
        &*self.0
    }
}

impl<J> fmt::Debug for PoolHandle<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolHandle").field("running", &self.0.len()).finish_non_exhaustive()
    }
}

/// What a team asks of its crew: the same as of a set, with the same meaning.
pub(super) trait Dispatcher<J> {
    /// What workers do that draw their bodies themselves, from where they draw them.
    fn pull(&mut self) -> Option<&mut dyn PullControl<J>>
    where
        J: JobHandle,
    {
        None
    }

    /// How many bodies were drawn so far, and whether none is left, if the workers draw them.
    fn pulled(&self) -> Option<(usize, bool)> {
        None
    }

    /// How many bodies have not ended, or ended and were not told.
    fn len(&self) -> usize;

    /// Takes the bodies that `next` gives with their indices, until it has no more, and gives the ticket
    /// of the last.
    fn take(&mut self, next: &mut dyn FnMut() -> Option<(usize, J)>) -> Option<Key>;

    /// Gives the bodies that were taken to workers.
    fn hand_out(&mut self);

    /// Whether a body has not ended, or was not told.
    fn runs(&self, body: Key) -> bool;

    /// The indices of those bodies, in ascending order.
    fn indices(&self) -> Vec<usize>;

    /// Asks a body that has no time left to stop, once it has been polled.
    fn expire(&mut self, body: Key);

    /// Tells the ends of this round, the first in time first, until `on_complete` has had enough. Counts them.
    fn tell(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: &mut dyn FnMut(Completion<J::Output>) -> ControlFlow<()>,
    ) where
        J: JobHandle;

    /// Whether ends of this round were not told yet.
    fn is_round_in_progress(&self) -> bool;

    /// Begins the next round with the ends that have come by now; `false` if there are none.
    fn next_round(&mut self) -> bool;

    /// Goes to sleep until ends come; `false` if there are some.
    fn sleep(&mut self, cx: &Context<'_>) -> bool;

    /// Asks every body to stop. Gives a panic of what was dropped for it.
    fn cancel(&mut self) -> Option<Panic>;

    /// Polls for the end of what bodies that never went to a worker have left behind, and lets the
    /// workers go.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What is asked of workers that draw their bodies.
pub(super) trait PullControl<J: JobHandle> {
    /// Begins; gives how many bodies there will be, if the source tells the truth.
    fn begin(&mut self, config: PullConfig<J::Output>) -> (usize, Option<usize>);

    /// Hears how many of the ends told still count against the limit.
    fn hold(&mut self, held: usize);
}

/// On which terms workers draw their bodies.
pub(crate) struct PullConfig<T> {
    /// How many may run at once.
    pub(crate) limit: usize,
    /// Whether ends count against the limit until they are taken.
    pub(crate) are_held: bool,
    /// Whether the closure goes on after it has panicked.
    pub(crate) catches: bool,
    pub(crate) delivery: DeliveryRule<T>,
}
