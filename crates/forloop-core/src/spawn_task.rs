//! How a future becomes a task of a runtime.

use alloc::boxed::Box;

use crate::simulation::{Origin, spawning};
use crate::task::pair;
use crate::{Spawn, SpawnLocal, SpawnScoped, Task};

/// Spawns `future` as a task of `runtime`, and returns the handle that owns it.
///
/// The task starts at once, whether or not the handle is awaited.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// async fn both(runtime: &impl forloop::Spawn) -> Result<u32, forloop::Cancelled> {
///     let one = forloop::spawn(runtime, async { 1 });
///     let two = forloop::spawn(runtime, async { 2 });
///     Ok(one.await? + two.await?)
/// }
/// ```
#[doc(alias = "create_task")]
#[doc(alias = "ensure_future")]
#[track_caller]
pub fn spawn<F>(runtime: &impl Spawn, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn_from(Origin::here(), runtime, future)
}

/// [`spawn`], called from `origin`.
#[track_caller]
pub(crate) fn spawn_from<F>(origin: Origin, runtime: &impl Spawn, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    if const { is_large::<F>() } {
        return spawn_small(origin, runtime, Box::pin(future));
    }
    spawn_small(origin, runtime, future)
}

#[track_caller]
fn spawn_small<F>(origin: Origin, runtime: &impl Spawn, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (task, run) = pair(future);
    let _starting = spawning(origin);
    runtime.spawn(run);
    task
}

/// Whether a future is boxed before it becomes a task.
///
/// On its way into a task a future is a local variable of a dozen functions, and each has a copy of it where the
/// compiler does not optimise. A box costs an allocation, beside a task that needs as much memory anyway.
pub(crate) const fn is_large<F>() -> bool {
    size_of::<F>() > LARGE
}

/// The number of bytes above which a future is boxed.
const LARGE: usize = 16 << 10;

/// Spawns `future` as a task on the current thread, and returns the handle that owns it.
#[track_caller]
pub fn spawn_local<F>(runtime: &impl SpawnLocal, future: F) -> Task<F::Output>
where
    F: Future + 'static,
{
    let origin = Origin::here();
    if const { is_large::<F>() } {
        return spawn_small_local(origin, runtime, Box::pin(future));
    }
    spawn_small_local(origin, runtime, future)
}

#[track_caller]
fn spawn_small_local<F>(origin: Origin, runtime: &impl SpawnLocal, future: F) -> Task<F::Output>
where
    F: Future + 'static,
{
    let (task, run) = pair(future);
    let _starting = spawning(origin);
    runtime.spawn_local(run);
    task
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
        return spawn_small_scoped(origin, scope, Box::pin(future));
    }
    spawn_small_scoped(origin, scope, future)
}

#[track_caller]
fn spawn_small_scoped<'env, F>(
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
