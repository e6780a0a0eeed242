//! `task_group`, `scope`, `local_scope`: a block that nothing it started outlives.

mod child;
mod deferred_notify;
mod group_state;
mod grouped;
mod scope;
mod start;

use alloc::sync::Arc;
use core::fmt;

use self::child::{ChildEnd, Given, Settle, run_child};
use self::deferred_notify::{ActiveGuard, DeferredNotify};
use self::group_state::{Driver, GroupState};
use self::start::Start;
use crate::simulation::{Origin, beginning};
use crate::task::pair;
use crate::{Closed, Spawn, Task};

pub use self::child::Child;
pub use self::grouped::{FailFast, FailureMode, GroupDriver, GroupFuture, Supervise, Supervised};
pub use self::scope::{LocalScope, Scope, local_scope, scope};
pub use self::start::{ReadySignal, StartError};

/// Runs `body`, which may spawn children as tasks of `runtime`, and returns when the body and
/// every child have ended.
///
/// A failure, of the body or of a child, cancels all the others: the body at its current await,
/// the children at theirs. When they have stopped, the group returns every error that really
/// happened. Children may spawn children into the same group, also after the body has returned.
/// A child that has ended is kept by nobody: a group that runs for ever stays as small as the children
/// that run.
///
/// [`supervised`](GroupFuture::supervised), [`deadline`](GroupFuture::deadline) and
/// [`cancel_on`](GroupFuture::cancel_on) on what this returns change what stops the group.
///
/// Body and children return a `Result` of one error type; where nothing can fail, that is
/// [`Infallible`](core::convert::Infallible), and saying so once, at the body's end, is enough.
///
/// Known from Python as `asyncio.TaskGroup`.
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
/// // A child that spawns children: a function that returns a future, rather than an `async fn`,
/// // says that the future is `Send`, which the compiler cannot find out in a circle.
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
/// [`LoopError::Failed`](crate::LoopError::Failed) with every error of body and children, the first in time first.
/// [`LoopError::Cancelled`](crate::LoopError::Cancelled) if the group was [cancelled](Group::cancel) before its body had
/// returned or by its signal, or the runtime was shut down; [`LoopError::TimedOut`](crate::LoopError::TimedOut) if its deadline
/// has passed.
///
/// # Panics
///
/// If the body or a child panics, the others are cancelled, and when they have stopped the panic
/// goes on in the caller: a panic is shown before any error.
///
/// # Cancel safety
///
/// Dropping the returned future drops the body and asks every child to stop. To wait until they
/// have, [`cancel`](Group::cancel) the group and await it, or run it in a task and await
/// [`Task::cancel`].
pub fn task_group<R, E, G, B, T>(
    runtime: R,
    body: G,
) -> GroupFuture<impl GroupDriver<Value = T, Error = E>>
where
    R: Spawn,
    G: FnOnce(Group<R, E>) -> B,
    B: Future<Output = Result<T, E>>,
{
    let group_state = Arc::new(GroupState::new());
    let deferred_notify = Arc::new(DeferredNotify::new());
    let group = Group {
        group_state: group_state.clone(),
        deferred_notify: deferred_notify.clone(),
        runtime,
    };
    GroupFuture::new(Driver::new(group_state, Some(deferred_notify), move || body(group)))
}

/// The handle to a running [`task_group`]: spawns children into it and cancels it.
///
/// A clone is the same group. A handle that outlives its group can spawn nothing more.
pub struct Group<R, E> {
    group_state: Arc<GroupState<Task<ChildEnd<E, Erased>>>>,
    deferred_notify: Arc<DeferredNotify<Erased>>,
    runtime: R,
}

/// The handle of a child on whatever thread.
type Erased = dyn Settle + Send + Sync;

impl<R: Spawn, E: Send + 'static> Group<R, E> {
    /// Starts `future` as a child of the group.
    ///
    /// Its value goes to the returned [`Child`], which may be dropped: the child goes on. Its
    /// error goes to the group. If the group is closed, the future is dropped unpolled and the
    /// child is cancelled from the beginning; [`try_spawn`](Self::try_spawn) says so at once.
    #[cfg_attr(feature = "simulation", track_caller)]
    pub fn spawn<F, T>(&self, future: F) -> Child<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn(future).unwrap_or_else(|Closed| Child::refused())
    }

    /// Starts `future` as a child of the group, or says that the group takes no more.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the group has ended, has failed or was cancelled; the future is then dropped
    /// without ever being polled.
    #[cfg_attr(feature = "simulation", track_caller)]
    pub fn try_spawn<F, T>(&self, future: F) -> Result<Child<T>, Closed>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        self.begin(future, Origin::here())
    }

    /// Starts a child and waits until it says that it is ready: `body` is called with a [`ReadySignal`], by
    /// which the child says so. Gives the child and what it has said.
    ///
    /// Until then its failure is a matter of whoever waits here and of nobody else: it is returned, and the
    /// group goes on. From then on the child is one like any other. The group owns it from its beginning,
    /// waits for it, and stops it with the others.
    ///
    /// Known from trio as `group_state.start`, from anyio as `TaskGroup.start`.
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
    ///         // Here the server takes connections; or why it does not is known, and the group goes on.
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
    /// [`StartError::Failed`] with the child's error if it fails before it is ready,
    /// [`StartError::NotReady`] if it ends, or lets go of its [`ReadySignal`], without a word, and
    /// [`StartError::Cancelled`] if it is stopped with its group, or its runtime is shut down. By then it
    /// has ended. [`StartError::Closed`] if the group takes no more children; it is then never polled.
    ///
    /// # Panics
    ///
    /// If the child panics before it is ready, the panic goes on in whoever awaits this. In a group's body
    /// that is the body's panic, as ever.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, the returned future has called nothing. Dropped later, before it has
    /// given the child, it asks the child to stop; whatever becomes of that fails no group if the child was
    /// not ready. The group waits until it has stopped.
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
        Start::new(body, move |child| self.begin(child, origin))
    }

    fn begin<F, T>(&self, future: F, origin: Origin) -> Result<Child<T>, Closed>
    where
        F: Future<Output: Given<Value = T, Error = E>> + Send + 'static,
        T: Send + 'static,
    {
        // Counted before it is admitted: it may take its first step while the group stops.
        let going = ActiveGuard::beside(&self.deferred_notify);
        let place = self.group_state.admit()?;
        let (child, run) = run_child(future, going, |cell| cell as Arc<Erased>);
        let (task, run) = pair(run);
        // First into the group, then onto the runtime: what runs is always owned.
        self.group_state.arrive(place, task);
        beginning(origin, place, || self.runtime.spawn(run));
        Ok(child)
    }
}

impl<R, E> Group<R, E> {
    /// Cancels the group: its body and every child stop at their current await, and no child can
    /// be spawned any more. Cancelling twice is cancelling once.
    ///
    /// The group then returns the body's value if the body had returned, and
    /// [`LoopError::Cancelled`](crate::LoopError::Cancelled) if not; errors that really happened are returned as ever.
    pub fn cancel(&self) {
        self.group_state.cancel();
    }
}

impl<R: Clone, E> Clone for Group<R, E> {
    fn clone(&self) -> Self {
        Self {
            group_state: self.group_state.clone(),
            deferred_notify: self.deferred_notify.clone(),
            runtime: self.runtime.clone(),
        }
    }
}

impl<R, E> fmt::Debug for Group<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("nursery", &self.group_state).finish_non_exhaustive()
    }
}
