//! As tasks that borrow, on threads of a scope whose owner blocks until they have ended.

use super::{Place, Push};
use crate::SpawnScoped;
use crate::body::Body;
use crate::simulation::{Origin, spawning};
use crate::task::{Task, pair};

/// As tasks on the threads of a scope, one per body: a body may borrow from around the scope, is `Send`,
/// and uses every core.
///
/// [`Loop::on_scoped`](crate::Loop::on_scoped) says more.
#[derive(Debug, Clone, Copy)]
pub struct SpawnedScoped<S>(pub S);

impl<'env, S, B> Place<B> for SpawnedScoped<S>
where
    S: SpawnScoped<'env>,
    B: Body<Returns: Send> + Send + 'env,
{
    type Job = Task<B::Returns>;
    type Dispatch = Push;

    fn start(&self, body: B) -> Task<B::Returns> {
        spawn_scoped(&self.0, body)
    }
}

/// Starts `future`, which may borrow for `'env`, as a task on the threads of a scope, and returns the
/// handle that owns it.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn spawn_scoped<'env, F>(scope: &impl SpawnScoped<'env>, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'env,
{
    let (task, run) = pair(future);
    spawning(Origin::here(), || scope.spawn_scoped(run));
    task
}
