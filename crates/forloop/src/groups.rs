//! How groups begin: those of the core, with the clock around them.
//!
//! `tests/tests/tidy/wrapped.rs` checks that their docs are those of the core.

use forloop_core::types::NoOptions;
use forloop_core::types::{FailFast, GroupDriver, GroupFuture};
use forloop_core::{Group, LocalScope, Scope, Spawn};

use crate::Ambient;

/// Runs `body`, which may spawn children into the same task, and returns when the body and every
/// child have completed.
///
/// As [`task_group`](crate::task_group), but without a runtime: children run concurrently in the
/// caller's task, on one core, and may borrow what outlives the scope. The children are `Send`, and so
/// is the scope; [`local_scope`] takes children that are not.
///
/// If a child fails, the children that were woken together with it are polled once, and each failure is in the error.
/// Then all stop, and a child that was not polled before never is.
///
/// The clock of its [`deadline`](GroupFuture::deadline) is the one around the group: see [`Ambient`].
///
/// # Examples
///
/// ```
/// # futures_lite::future::block_on(async {
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let words = vec!["to", "be"];
/// let letters = AtomicUsize::new(0);
/// forloop::scope(|scope| async {
///     for word in &words {
///         let letters = &letters;
///         scope.spawn(async move {
///             letters.fetch_add(word.len(), Ordering::Relaxed);
///             Ok(())
///         });
///     }
///     drop(scope);
///     Ok::<(), std::io::Error>(())
/// })
/// .await?;
/// assert_eq!(letters.into_inner(), 4);
/// # Ok::<(), forloop::LoopError<std::io::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// As [`task_group`](crate::task_group).
///
/// # Panics
///
/// As [`task_group`](crate::task_group).
///
/// # Cancel safety
///
/// Dropping the returned future drops the body and every child, before `drop` returns.
#[doc(alias = "nursery")]
#[doc(alias = "moro")]
#[doc(alias = "coroutineScope")]
#[doc(alias = "TaskGroup")]
#[inline] // so that the scope is made where it is polled
pub fn scope<'env, E, G, B, T>(
    body: G,
) -> GroupFuture<impl GroupDriver<Value = T, Error = E>, NoOptions, FailFast, Ambient>
where
    G: FnOnce(Scope<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
    E: 'env,
{
    forloop_core::scope(body).with_timer(Ambient)
}

/// Runs `body`, which may spawn children into the same task, as [`scope`], but the children need not be
/// `Send`.
///
/// The clock of its [`deadline`](GroupFuture::deadline) is the one around the group: see [`Ambient`].
///
/// # Examples
///
/// ```
/// # futures_lite::future::block_on(async {
/// use std::{cell::Cell, rc::Rc};
///
/// let count = Rc::new(Cell::new(0));
/// forloop::local_scope(|scope| {
///     let count = count.clone();
///     async move {
///         for _ in 0..3 {
///             let count = count.clone();
///             scope.spawn(async move { Ok(count.set(count.get() + 1)) });
///         }
///         Ok::<(), std::io::Error>(())
///     }
/// })
/// .await?;
/// assert_eq!(count.get(), 3);
/// # Ok::<(), forloop::LoopError<std::io::Error>>(())
/// # }).unwrap();
/// ```
#[doc(alias = "LocalSet")]
#[doc(alias = "moro")]
#[doc(alias = "nursery")]
#[inline] // so that the scope is made where it is polled
pub fn local_scope<'env, E, G, B, T>(
    body: G,
) -> GroupFuture<impl GroupDriver<Value = T, Error = E>, NoOptions, FailFast, Ambient>
where
    G: FnOnce(LocalScope<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
    E: 'env,
{
    forloop_core::local_scope(body).with_timer(Ambient)
}

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
/// The clock of its [`deadline`](GroupFuture::deadline) is the one around the group: see [`Ambient`].
///
/// # Examples
///
/// ```
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
) -> GroupFuture<impl GroupDriver<Value = T, Error = E>, NoOptions, FailFast, Ambient>
where
    R: Spawn,
    G: FnOnce(Group<R, E>) -> B,
    B: Future<Output = Result<T, E>>,
{
    forloop_core::task_group(runtime, body).with_timer(Ambient)
}
