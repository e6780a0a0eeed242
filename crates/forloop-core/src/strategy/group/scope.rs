//! `scope` and `local_scope`: groups in the caller's task, whose children may borrow.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;

use super::child::{AnyChild, Child, ChildOutput};
use super::driver::Driver;
use super::group_future::{GroupDriver, GroupFuture};
use super::inline_children::{ChildCompletion, InlineChildren, ScopeState, run_child};
use super::start::{ReadySignal, Start, StartError};
use crate::Closed;
use crate::place::InlineJob;
use crate::spawn_task::is_large;

type Erased<'env> = dyn AnyChild + Send + Sync + 'env;
type Boxed<'env, E> = Pin<Box<dyn Future<Output = ChildCompletion<E, Erased<'env>>> + Send + 'env>>;

type LocalErased<'env> = dyn AnyChild + 'env;
type LocalBoxed<'env, E> =
    Pin<Box<dyn Future<Output = ChildCompletion<E, LocalErased<'env>>> + 'env>>;

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
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
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
pub fn scope<'env, E, G, B, T>(body: G) -> GroupFuture<impl GroupDriver<Value = T, Error = E>>
where
    G: FnOnce(Scope<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
    E: 'env,
{
    let state = ScopeState::new();
    let scope = Scope { state: state.clone() };
    GroupFuture::new(Driver::new(InlineChildren::new(state), move || body(scope)))
}

/// Runs `body`, which may spawn children into the same task, as [`scope`], but the children need not be
/// `Send`.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
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
#[inline] // as above
pub fn local_scope<'env, E, G, B, T>(body: G) -> GroupFuture<impl GroupDriver<Value = T, Error = E>>
where
    G: FnOnce(LocalScope<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
    E: 'env,
{
    let state = ScopeState::new();
    let scope = LocalScope { state: state.clone() };
    GroupFuture::new(Driver::new(InlineChildren::new(state), move || body(scope)))
}

macro_rules! scope_handle {
    ($(#[$doc:meta])* $name:ident, $erased:ident, $boxed:ident $(, $send:ident)?) => {
        $(#[$doc])*
        ///
        /// A clone is a handle to the same scope. A handle that outlives its scope can spawn nothing more.
        pub struct $name<'env, E> {
            state: Arc<ScopeState<InlineJob<$boxed<'env, E>>>>,
        }

        impl<'env, E: 'env> $name<'env, E> {
            /// Starts `future` as a child of the scope.
            ///
            /// Its value goes to the returned [`Child`]. Dropping that does not cancel the child. Its
            /// error goes to the scope. If the scope is closed, the future is dropped without being
            /// polled, and the returned handle returns [`Cancelled`](crate::Cancelled);
            /// [`try_spawn`](Self::try_spawn) returns an error instead.
            pub fn spawn<F, T>(&self, future: F) -> Child<T>
            where
                F: Future<Output = Result<T, E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.try_spawn(future).unwrap_or_else(|Closed| Child::refused())
            }

            /// Starts `future` as a child of the scope, unless the scope is closed.
            ///
            /// # Errors
            ///
            /// [`Closed`] if the scope has completed, has failed or was cancelled. The future is then
            /// dropped without being polled.
            pub fn try_spawn<F, T>(&self, future: F) -> Result<Child<T>, Closed>
            where
                F: Future<Output = Result<T, E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.add_child(future)
            }

            /// Starts a child, waits until it signals that it is ready, and returns it with the value
            /// it has sent: see [`Group::start`](crate::Group::start).
            ///
            /// # Errors
            ///
            /// [`StartError`], if the child did not become ready.
            ///
            /// # Panics
            ///
            /// If the child panics before it is ready, the panic propagates to the task that awaits
            /// this.
            ///
            /// # Cancel safety
            ///
            /// Before its first poll, dropping the returned future has no effect. Dropped later, before
            /// it has returned the child, it cancels the child, which is dropped when the scope is next
            /// polled.
            pub fn start<V, G, F, T>(
                &self,
                body: G,
            ) -> impl Future<Output = Result<(Child<T>, V), StartError<E>>>
            where
                E: $($send +)? 'env,
                V: $($send +)? 'env,
                G: FnOnce(ReadySignal<V>) -> F,
                F: Future<Output = Result<T, E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                Start::new(body, move |child| self.add_child(child))
            }

            fn add_child<F, T>(&self, future: F) -> Result<Child<T>, Closed>
            where
                F: Future<Output: ChildOutput<Value = T, Error = E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                if const { is_large::<F>() } {
                    return self.add_small_child(Box::pin(future));
                }
                self.add_small_child(future)
            }

            fn add_small_child<F, T>(&self, future: F) -> Result<Child<T>, Closed>
            where
                F: Future<Output: ChildOutput<Value = T, Error = E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.state.admit(|| {
                    let (child, run) = run_child(future, |cell| cell as Arc<$erased<'env>>);
                    let run: $boxed<'env, E> = Box::pin(run);
                    (child, InlineJob::new(run))
                })
            }

            /// The number of children that have not completed: see [`Group::len`](crate::Group::len).
            pub fn len(&self) -> usize {
                self.state.state.len()
            }

            /// Whether every child has completed, or none was spawned.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Cancels the scope: its body and every child are dropped at their current await, and
            /// the scope is closed. Cancelling again has no effect.
            ///
            /// A child or body that calls this itself stops at its next await that is pending.
            ///
            /// The scope then returns the body's value if the body had returned, and
            /// [`LoopError::Cancelled`](crate::LoopError::Cancelled) if not. Errors that really happened
            /// are still returned.
            pub fn cancel(&self) {
                self.state.state.cancel();
            }
        }

        impl<E> Clone for $name<'_, E> {
            fn clone(&self) -> Self {
                Self { state: self.state.clone() }
            }
        }

        impl<E> fmt::Debug for $name<'_, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("state", &self.state).finish()
            }
        }
    };
}

scope_handle! {
    /// The handle to a running [`scope`]: spawns children into it and cancels it.
    Scope, Erased, Boxed, Send
}

scope_handle! {
    /// The handle to a running [`local_scope`]: spawns children into it and cancels it.
    LocalScope, LocalErased, LocalBoxed
}
