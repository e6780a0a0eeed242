//! What a place is.

use super::pool::{BoxedSource, PoolHandle};
use crate::body::{Attempt, Body};
use crate::engine::JobHandle;

/// Where the bodies of a loop run.
///
/// [`Inline`], [`ParentWaker`](crate::ParentWaker), [`Spawned`], [`WorkerPool`](crate::WorkerPool),
/// [`PushPool`](crate::PushPool), [`SpawnedLocal`], [`SpawnedScoped`] and [`SpawnedBlocking`] are all there are, and any of them with each
/// body [`Layered`]; a loop takes one
/// through [`Loop::with_parent_waker`](crate::Loop::with_parent_waker), [`Loop::on`](crate::Loop::on),
/// [`Loop::on_workers`](crate::Loop::on_workers), [`Loop::on_local`](crate::Loop::on_local),
/// [`Loop::on_scoped`](crate::Loop::on_scoped), [`Loop::on_blocking`](crate::Loop::on_blocking) and
/// [`Loop::at`](crate::Loop::at).
#[diagnostic::on_unimplemented(
    message = "`{B}` cannot run there",
    label = "this body cannot run as a task",
    note = "a spawned body owns what it uses (`'static`, so clone or move it in) and, unless the \
            runtime is single-threaded, is `Send`; a body that borrows runs in the caller's task: \
            leave out `.on(..)`"
)]
pub trait Place<B: Body> {
    /// A body that has been started here.
    type Job: JobHandle<Output = B::Returns>;

    /// How bodies come here: [`Push`] or [`Pull`].
    type Dispatch;

    /// Starts `body`.
    fn start(&self, body: B) -> Self::Job;

    /// Starts `body`, which is that of this attempt at this item.
    fn start_attempt(&self, _attempt: Attempt, body: B) -> Self::Job {
        self.start(body)
    }

    /// Who runs such bodies here, if neither the caller's task nor they themselves do: those of a well, if
    /// there is one.
    #[doc(hidden)]
    fn pool(&self, _well: Option<BoxedSource<B>>) -> Option<PoolHandle<Self::Job>> {
        None
    }
}
