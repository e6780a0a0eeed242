//! A task that may borrow for each body, on the threads of a scope. The scope's owner blocks until all of
//! them have completed.

use alloc::boxed::Box;

use super::pool::BoxedSource;
use super::spawned::{Completer, SpawnedSet};
use super::{Place, Push};
use crate::SpawnScoped;
use crate::body::{Attempt, Body};
use crate::simulation::{Origin, spawning};
use crate::spawn_task::is_large;
use crate::task::{Run, Task, pair};

/// Runs each body as a task on the threads of a scope: a body must be `Send` and may borrow from around the
/// scope.
///
/// See [`Loop::on_scoped`](crate::Loop::on_scoped).
#[derive(Debug, Clone, Copy)]
pub struct SpawnedScoped<S>(pub S);

impl<'env, S, B> Place<B> for SpawnedScoped<S>
where
    S: SpawnScoped<'env>,
    B: Body<Returns: Send> + Send + 'env,
{
    type Set = SpawnedSet<B::Returns>;
    type Dispatch = Push;

    fn set(&self, _source: Option<BoxedSource<B>>) -> Self::Set {
        SpawnedSet::new()
    }

    fn start(&self, _attempt: Attempt, body: B, completer: Completer<B::Returns>) {
        let _starting = spawning(Origin::here());
        if const { is_large::<B>() } {
            return self.0.spawn_scoped(Run::new(Box::pin(body), completer));
        }
        self.0.spawn_scoped(Run::new(body, completer));
    }
}

/// Spawns `future` as a task on the threads of a scope and returns the handle that owns it. The future may
/// borrow for `'env`.
#[track_caller]
pub fn spawn_scoped<'env, F>(scope: &impl SpawnScoped<'env>, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'env,
{
    let origin = Origin::here();
    if const { is_large::<F>() } {
        return spawn_small(origin, scope, Box::pin(future));
    }
    spawn_small(origin, scope, future)
}

#[track_caller]
fn spawn_small<'env, F>(
    origin: Origin,
    scope: &impl SpawnScoped<'env>,
    future: F,
) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'env,
{
    let (task, run) = pair(future);
    let _starting = spawning(origin);
    scope.spawn_scoped(run);
    task
}
