//! Groups in the caller's own task: their children may borrow.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;

use super::child::{Child, ChildEnd, Given, Settle, run_child};
use super::deferred_notify::ActiveGuard;
use super::group_state::{Driver, GroupState};
use super::grouped::{GroupDriver, GroupFuture};
use super::start::{ReadySignal, Start, StartError};
use crate::Closed;
use crate::place::InlineJob;

type Erased<'env> = dyn Settle + Send + Sync + 'env;
type Boxed<'env, E> = Pin<Box<dyn Future<Output = ChildEnd<E, Erased<'env>>> + Send + 'env>>;

type LocalErased<'env> = dyn Settle + 'env;
type LocalBoxed<'env, E> = Pin<Box<dyn Future<Output = ChildEnd<E, LocalErased<'env>>> + 'env>>;

/// Runs `body`, which may spawn children into the same task, and returns when the body and every
/// child have ended.
///
/// As [`task_group`](crate::task_group), but without a runtime: children run in the caller's own
/// task, side by side on one core, and may borrow whatever outlives the scope. They are `Send`, and
/// so is the scope; [`local_scope`] takes children that are not.
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
/// Dropping the returned future drops the body and every child, before drop returns.
pub fn scope<'env, E, G, B, T>(body: G) -> GroupFuture<impl GroupDriver<Value = T, Error = E>>
where
    G: FnOnce(Scope<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
    E: 'env,
{
    let group_state = Arc::new(GroupState::new());
    let scope = Scope { group_state: group_state.clone() };
    GroupFuture::new(Driver::new(group_state, None, move || body(scope)))
}

/// As [`scope`], for children that are not `Send`.
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
pub fn local_scope<'env, E, G, B, T>(body: G) -> GroupFuture<impl GroupDriver<Value = T, Error = E>>
where
    G: FnOnce(LocalScope<'env, E>) -> B,
    B: Future<Output = Result<T, E>>,
    E: 'env,
{
    let group_state = Arc::new(GroupState::new());
    let scope = LocalScope { group_state: group_state.clone() };
    GroupFuture::new(Driver::new(group_state, None, move || body(scope)))
}

macro_rules! scope_handle {
    ($(#[$doc:meta])* $name:ident, $erased:ident, $boxed:ident $(, $send:ident)?) => {
        $(#[$doc])*
        ///
        /// A clone is the same scope. A handle that outlives its scope can spawn nothing more.
        pub struct $name<'env, E> {
            group_state: Arc<GroupState<InlineJob<$boxed<'env, E>>>>,
        }

        impl<'env, E: 'env> $name<'env, E> {
            /// Starts `future` as a child of the scope.
            ///
            /// Its value goes to the returned [`Child`], which may be dropped: the child goes on.
            /// Its error goes to the scope. If the scope is closed, the future is dropped unpolled
            /// and the child is cancelled from the beginning; [`try_spawn`](Self::try_spawn) says
            /// so at once.
            pub fn spawn<F, T>(&self, future: F) -> Child<T>
            where
                F: Future<Output = Result<T, E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.try_spawn(future).unwrap_or_else(|Closed| Child::refused())
            }

            /// Starts `future` as a child of the scope, or says that the scope takes no more.
            ///
            /// # Errors
            ///
            /// [`Closed`] if the scope has ended, has failed or was cancelled; the future is then
            /// dropped without ever being polled.
            pub fn try_spawn<F, T>(&self, future: F) -> Result<Child<T>, Closed>
            where
                F: Future<Output = Result<T, E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                self.begin(future)
            }

            /// Starts a child and waits until it says that it is ready, as
            /// [`Group::start`](crate::Group::start), which says more.
            ///
            /// # Errors
            ///
            /// [`StartError`], if the child did not get so far.
            ///
            /// # Panics
            ///
            /// If the child panics before it is ready, the panic goes on in whoever awaits this.
            ///
            /// # Cancel safety
            ///
            /// Dropped before its first poll, the returned future has called nothing. Dropped later,
            /// before it has given the child, it asks the child to stop: that is gone when the scope
            /// has had its next turn.
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
                Start::new(body, move |child| self.begin(child))
            }

            fn begin<F, T>(&self, future: F) -> Result<Child<T>, Closed>
            where
                F: Future<Output: Given<Value = T, Error = E>> $(+ $send)? + 'env,
                T: $($send +)? 'env,
            {
                let place = self.group_state.admit()?;
                let (child, run) = run_child(future, ActiveGuard::alone(), |cell| {
                    cell as Arc<$erased<'env>>
                });
                let run: $boxed<'env, E> = Box::pin(run);
                self.group_state.arrive(place, InlineJob::new(run));
                Ok(child)
            }

            /// Cancels the scope: its body and every child are dropped at their current await,
            /// and no child can be spawned any more. Cancelling twice is cancelling once.
            ///
            /// The scope then returns the body's value if the body had returned, and
            /// [`LoopError::Cancelled`](crate::LoopError::Cancelled) if not; errors that really happened are returned as ever.
            pub fn cancel(&self) {
                self.group_state.cancel();
            }
        }

        impl<E> Clone for $name<'_, E> {
            fn clone(&self) -> Self {
                Self { group_state: self.group_state.clone() }
            }
        }

        impl<E> fmt::Debug for $name<'_, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("nursery", &self.group_state).finish()
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
