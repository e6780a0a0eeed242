//! `task_list`: spawn each, await each in order.

use alloc::vec::Vec;

use crate::simulation::{Origin, beginning};
use crate::{Spawn, Task, spawn};

/// Starts every future as a task of `runtime`, at once, and returns the handles in input order.
///
/// The tasks run whether or not anybody awaits them yet. Awaiting the handles one after another
/// takes as long as the slowest task. Dropping the list cancels what still runs; awaiting a task
/// whose body failed gives its error then, and not before.
///
/// Known from Python as `[asyncio.create_task(dispatcher(n)) for n in range(10)]`.
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
#[cfg_attr(feature = "simulation", track_caller)]
pub fn task_list<I, F>(runtime: &impl Spawn, futures: I) -> Vec<Task<F::Output>>
where
    I: IntoIterator<Item = F>,
    F: Future<Output: Send> + Send + 'static,
{
    let origin = Origin::here();
    let futures = futures.into_iter().enumerate();
    // A simulation knows each by its index, as a body.
    futures.map(|(index, future)| beginning(origin, index, || spawn(runtime, future))).collect()
}
