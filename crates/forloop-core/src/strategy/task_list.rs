//! `task_list`: spawns every future, and returns the tasks.

use alloc::vec::Vec;

use crate::simulation::{Origin, beginning};
use crate::{Spawn, Task, spawn};

/// Spawns every future as a task of `runtime` and returns the handles in input order.
///
/// The tasks run whether or not they are awaited. Awaiting the handles one after another takes as
/// long as the slowest task. Dropping the list cancels the tasks that still run. A task's error is
/// seen when its handle is awaited, and not before.
///
/// Equivalent to Python's `[asyncio.create_task(dispatcher(n)) for n in range(10)]`.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// async fn squares(runtime: &impl forloop::Spawn) -> Result<Vec<u64>, forloop::Cancelled> {
///     let tasks = forloop::task_list(runtime, (0..10).map(|n| async move { n * n }));
///     let mut squares = Vec::new();
///     for task in tasks {
///         squares.push(task.await?);
///     }
///     Ok(squares)
/// }
/// ```
#[doc(alias = "create_task")]
#[doc(alias = "spawn_all")]
#[track_caller]
pub fn task_list<I, F>(runtime: &impl Spawn, futures: I) -> Vec<Task<F::Output>>
where
    I: IntoIterator<Item = F>,
    F: Future<Output: Send> + Send + 'static,
{
    let origin = Origin::here();
    // Without a capacity, because a size hint may be wrong.
    let mut tasks = Vec::new();
    // A loop, because in a closure the caller is not known any more.
    for (index, future) in futures.into_iter().enumerate() {
        // A simulation identifies each task by its index, as it does a body.
        let _starting = beginning(origin, index);
        tasks.push(spawn(runtime, future));
    }
    tasks
}
