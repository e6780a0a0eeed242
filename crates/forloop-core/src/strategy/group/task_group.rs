//! `task_group`: a group whose children are tasks of a runtime.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

use super::child::{Child, ChildOutput};
use super::driver::Driver;
use super::group_future::{GroupDriver, GroupFuture};
use super::start::{ReadySignal, Start, StartError};
use super::task_children::{TaskChildren, TaskGroup};
use crate::simulation::{Origin, beginning};
use crate::spawn_task::is_large;
use crate::{Closed, Spawn};

/// Runs `body`, which may spawn children as tasks of `runtime`, and returns when the body and
/// every child have completed.
///
/// A failure, of the body or of a child, cancels all the others at their current await. When they
/// have stopped, the group returns every error that really happened. Children may spawn children into
/// the same group, also after the body has returned. A child that was not polled when the group stops is
/// never polled.
///
/// The group keeps nothing of a child that has completed, whether the group is polled or not: memory is
/// proportional to the children that run. Beside its future and the runtime's task, a child takes one
/// allocation for what it shares with its handle, and a place in an ordered map.
///
/// [`supervised`](GroupFuture::supervised), [`deadline`](GroupFuture::deadline) and
/// [`cancel_on`](GroupFuture::cancel_on) on the returned future change what stops the group.
///
/// Body and children return a `Result` of one error type. Where nothing can fail, that is
/// [`Infallible`](core::convert::Infallible); it is enough to annotate it once, at the end of the body.
///
/// Equivalent to Python's `asyncio.TaskGroup` and to trio's nurseries.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// use forloop::LoopError;
///
/// async fn sum(runtime: impl forloop::Spawn + Clone + Send + 'static) -> Result<u32, LoopError<String>> {
///     forloop::task_group(runtime, |group| async move {
///         let two = group.spawn(async { Ok(2) });
///         group.spawn(async { Ok(()) });
///         Ok(two.await.unwrap_or_default() + 1)
///     })
///     .await
/// }
///
/// // A child that spawns children. The signature states that the future is `Send`: for a recursive
/// // `async fn` the compiler cannot infer it.
/// fn walk<R>(group: forloop::Group<R, String>, depth: u32) -> impl Future<Output = Result<(), String>> + Send
/// where
///     R: forloop::Runtime,
/// {
///     async move {
///         for _ in 0..depth {
///             group.spawn(walk(group.clone(), depth - 1));
///         }
///         Ok(())
///     }
/// }
///
/// async fn print(runtime: impl forloop::Spawn) {
///     let printed = forloop::task_group(runtime, |group| async move {
///         for n in 0..3 {
///             group.spawn(async move { Ok(println!("{n}")) });
///         }
///         Ok::<_, std::convert::Infallible>(())
///     });
///     printed.await.unwrap();
/// }
/// ```
///
/// # Errors
///
/// [`LoopError::Failed`](crate::LoopError::Failed) with every error of body and children, the earliest first.
/// [`LoopError::Cancelled`](crate::LoopError::Cancelled) if the group was [cancelled](Group::cancel) before its body had returned,
/// or by its signal, or the runtime was shut down. [`LoopError::TimedOut`](crate::LoopError::TimedOut) if its deadline passed.
///
/// # Panics
///
/// If the body or a child panics, the others are cancelled. Once they have stopped, the panic
/// propagates to the caller. A panic takes precedence over any error.
///
/// # Cancel safety
///
/// Dropping the returned future drops the body and asks every child to stop. To wait until they
/// have stopped, [`cancel`](Group::cancel) the group and await it, or run it in a task and await
/// [`Task::cancel`](crate::Task::cancel).
#[doc(alias = "nursery")]
#[doc(alias = "TaskGroup")]
#[doc(alias = "JoinSet")]
#[doc(alias = "TaskTracker")]
#[doc(alias = "errgroup")]
#[doc(alias = "WaitGroup")]
#[inline] // so that the group is made where it is polled
pub fn task_group<R, E, G, B, T>(
    runtime: R,
    body: G,
) -> GroupFuture<impl GroupDriver<Value = T, Error = E>>
where
    R: Spawn,
    G: FnOnce(Group<R, E>) -> B,
    B: Future<Output = Result<T, E>>,
{
    let shared = TaskGroup::new();
    let group = Group { shared: shared.clone(), runtime };
    GroupFuture::new(Driver::new(TaskChildren::new(shared), move || body(group)))
}

/// The handle to a running [`task_group`]: spawns children into it and cancels it.
///
/// A clone is a handle to the same group. A handle that outlives its group can spawn nothing more.
pub struct Group<R, E> {
    shared: Arc<TaskGroup<E>>,
    runtime: R,
}

// What the handle shares with the group is changed by atomic steps; the children are tasks, which catch their panics.
impl<R: UnwindSafe, E> UnwindSafe for Group<R, E> {}
impl<R: RefUnwindSafe, E> RefUnwindSafe for Group<R, E> {}

impl<R: Spawn, E: Send + 'static> Group<R, E> {
    /// Starts `future` as a child of the group.
    ///
    /// Its value goes to the returned [`Child`]. Dropping that does not cancel the child. Its error
    /// goes to the group. If the group is closed, the future is dropped without being polled, and the
    /// returned handle returns [`Cancelled`](crate::Cancelled); [`try_spawn`](Self::try_spawn) returns an
    /// error instead.
    #[track_caller]
    pub fn spawn<F, T>(&self, future: F) -> Child<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn(future).unwrap_or_else(|Closed| Child::refused())
    }

    /// Starts `future` as a child of the group, unless the group is closed.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the group has completed, has failed or was cancelled. The future is then dropped
    /// without being polled.
    #[track_caller]
    pub fn try_spawn<F, T>(&self, future: F) -> Result<Child<T>, Closed>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        self.add_child(future, Origin::here())
    }

    /// Starts a child, waits until it signals that it is ready, and returns it with the value it has sent.
    ///
    /// `body` is called with the [`ReadySignal`] that the child sends. A failure before that is returned here
    /// and does not stop the group. Afterwards the child is like any other. The group owns the child from the
    /// beginning: it waits for it, and cancels it with the others.
    ///
    /// Equivalent to trio's `nursery.start` and anyio's `TaskGroup.start`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::{LoopError, StartError};
    ///
    /// # async fn listen(port: u16) -> Result<u16, String> { Ok(port) }
    /// # async fn serve(_listener: u16) -> Result<(), String> { Ok(()) }
    /// async fn run(runtime: impl forloop::Runtime) -> Result<u16, LoopError<String>> {
    ///     forloop::task_group(runtime, |group| async move {
    ///         let server = group.start(|ready| async move {
    ///             let listener = listen(8080).await?;
    ///             ready.send(listener);
    ///             serve(listener).await
    ///         });
    ///         // Either the server accepts connections, or the group continues without it.
    ///         match server.await {
    ///             Ok((_server, port)) => Ok(port),
    ///             Err(StartError::Failed(_port_is_taken)) => Ok(0),
    ///             Err(other) => Err(other.to_string()),
    ///         }
    ///     })
    ///     .await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError::Failed`] with the child's error if it fails before it is ready.
    /// [`StartError::NotReady`] if it completes, or drops its [`ReadySignal`], without sending it.
    /// [`StartError::Cancelled`] if it is cancelled with its group, or its runtime is shut down. In these
    /// cases the child has stopped. [`StartError::Closed`] if the group is closed; the child is then never
    /// polled.
    ///
    /// # Panics
    ///
    /// If the child panics before it is ready, the panic propagates to the task that awaits this. In the body
    /// of a group it is then the body's panic.
    ///
    /// # Cancel safety
    ///
    /// Before its first poll, dropping the returned future has no effect. Dropped later, before it has returned
    /// the child, it cancels the child. The group waits until the child has stopped; unless it was ready by
    /// then, its failure or panic does not stop the group.
    #[cfg_attr(feature = "simulation", track_caller)]
    pub fn start<V, G, F, T>(
        &self,
        body: G,
    ) -> impl Future<Output = Result<(Child<T>, V), StartError<E>>>
    where
        V: Send + 'static,
        G: FnOnce(ReadySignal<V>) -> F,
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        let origin = Origin::here();
        Start::new(body, move |child| self.add_child(child, origin))
    }

    #[track_caller]
    fn add_child<F, T>(&self, future: F, origin: Origin) -> Result<Child<T>, Closed>
    where
        F: Future<Output: ChildOutput<Value = T, Error = E> + Send> + Send + 'static,
        T: Send + 'static,
    {
        if const { is_large::<F>() } {
            return self.add_small_child(Box::pin(future), origin);
        }
        self.add_small_child(future, origin)
    }

    #[track_caller]
    fn add_small_child<F, T>(&self, future: F, origin: Origin) -> Result<Child<T>, Closed>
    where
        F: Future<Output: ChildOutput<Value = T, Error = E> + Send> + Send + 'static,
        T: Send + 'static,
    {
        let (cell, index, run) = self.shared.admit(future)?;
        let _starting = beginning(origin, index);
        self.runtime.spawn(run);
        Ok(Child::new(cell))
    }
}

impl<R, E> Group<R, E> {
    /// The number of children that have not completed. The body is not one of them.
    ///
    /// Others may complete, or spawn more, before you use it: it is for reports, and for a body that decides whether to
    /// spawn. To wait for the children, return from the body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # async fn jobs(runtime: impl forloop::Spawn, tasks: Vec<u32>) {
    /// let all = forloop::task_group(runtime, |group| async move {
    ///     for task in tasks {
    ///         group.spawn(async move { Ok(task) });
    ///     }
    ///     println!("{} jobs run", group.len());
    ///     Ok::<(), std::convert::Infallible>(())
    /// });
    /// # all.await.unwrap();
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.shared.state.len()
    }

    /// Whether every child has completed, or none was spawned.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cancels the group: its body and every child stop at their current await, and the group is
    /// closed. Cancelling again has no effect.
    ///
    /// A child or body that calls this itself stops at its next await that is pending. An await that is ready
    /// at once does not return to the group.
    ///
    /// The group then returns the body's value if the body had returned, and [`LoopError::Cancelled`](crate::LoopError::Cancelled)
    /// if not. Errors that really happened are still returned.
    pub fn cancel(&self) {
        self.shared.state.cancel();
    }
}

impl<R: Clone, E> Clone for Group<R, E> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), runtime: self.runtime.clone() }
    }
}

impl<R, E> fmt::Debug for Group<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("state", &self.shared.state).finish_non_exhaustive()
    }
}
