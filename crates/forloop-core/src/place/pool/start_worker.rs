//! What starts the workers of a loop that pull: a runtime, or the threads of a scope.

use core::num::NonZeroUsize;

use crate::simulation::Origin;
use crate::spawn_task::{spawn_from, spawn_scoped};
use crate::task::Task;
use crate::{Spawn, SpawnScoped};

/// Starts workers as tasks.
pub(super) trait StartWorker<W> {
    /// Starts a worker, which stops when its task is dropped.
    fn start(&self, worker: W) -> Task<()>;

    /// The number of threads that run workers.
    fn threads(&self) -> NonZeroUsize;
}

/// The workers are tasks of a runtime.
pub(super) struct OnRuntime<R>(pub(super) R);

impl<R: Spawn, W: Future<Output = ()> + Send + 'static> StartWorker<W> for OnRuntime<R> {
    fn start(&self, worker: W) -> Task<()> {
        spawn_from(Origin::unknown(), &self.0, worker)
    }

    fn threads(&self) -> NonZeroUsize {
        self.0.threads()
    }
}

/// The workers are tasks on the threads of a scope.
pub(super) struct OnScope<S>(pub(super) S);

impl<'env, S, W> StartWorker<W> for OnScope<S>
where
    S: SpawnScoped<'env>,
    W: Future<Output = ()> + Send + 'env,
{
    fn start(&self, worker: W) -> Task<()> {
        spawn_scoped(&self.0, worker)
    }

    fn threads(&self) -> NonZeroUsize {
        self.0.threads()
    }
}
