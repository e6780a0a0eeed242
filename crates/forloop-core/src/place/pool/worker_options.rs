//! What workers that pull have of a loop's options.

use alloc::boxed::Box;
use core::task::{Context, Poll};

use crate::Panic;
use crate::engine::Key;

/// What workers have of a loop's options, for a source that gives `G`s.
pub trait WorkerOptions<G> {
    /// What the body takes.
    type Item;

    /// Unwraps what the source has given. `None` if it is an error: then it is kept for the loop, and the source has
    /// ended.
    fn item_of(&mut self, given: G) -> Option<Self::Item>;

    /// The time limits of the bodies, if they have some.
    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>>;
}

/// The time limits of the bodies on one worker. Each worker has its own, so workers share no timer.
pub trait TimeLimits {
    /// The same limits for another worker, which has started no body.
    fn for_another_worker(&self) -> Option<Box<dyn TimeLimits + Send>>;

    /// Called after a body was started and has not completed at once. `runs` says which bodies still run.
    ///
    /// # Errors
    ///
    /// A panic of the clock.
    fn on_start(&mut self, body: Key, runs: &dyn Fn(Key) -> bool) -> Result<(), Panic>;

    /// Ready with the next body that has timed out, or with a panic of the clock.
    fn poll_timed_out(
        &mut self,
        cx: &mut Context<'_>,
        runs: &dyn Fn(Key) -> bool,
    ) -> Poll<Result<Key, Panic>>;
}
