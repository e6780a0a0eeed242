//! A task for each body: of a runtime, on any thread or on the current one, or on the threads of a scope.
//!
//! | file | what |
//! |---|---|
//! | `set.rs` | the bodies of a loop: starts them, and delivers their completions |
//! | `slots.rs` | which slot is filled next, and the index of the body in each |
//! | `completer.rs` | a task, and its side of what it shares with its loop |
//! | `completions.rs` | the list of the tasks that have completed |

mod completer;
mod completions;
#[cfg(all(test, forloop_loom))]
mod model;
mod set;
mod slots;
mod sync;

use alloc::boxed::Box;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};

pub use self::completer::Completer;
pub use self::set::SpawnedSet;

use super::{Place, Push};
use crate::body::{Attempt, Body};
use crate::engine::JobHandle;
use crate::simulation::{Origin, spawning};
use crate::spawn_task::is_large;
use crate::task::{Task, next_sequence};
use crate::{Outcome, Spawn, SpawnLocal, SpawnScoped};

/// What all places that start a task for each body have in common. `$spawn` is the method of the runtime that takes the
/// future of a task.
macro_rules! starts_tasks {
    ($spawn:ident) => {
        type Set = SpawnedSet<B::Returns>;
        type Dispatch = Push;

        fn set(&self) -> Self::Set {
            SpawnedSet::new()
        }

        fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
            match source {}
        }

        fn start(&self, _attempt: Attempt, body: B, completer: Completer<B::Returns>) {
            let _starting = spawning(Origin::here());
            if const { is_large::<B>() } {
                return self.0.$spawn(completer.run(Box::pin(body)));
            }
            self.0.$spawn(completer.run(body));
        }
    };
}

/// Runs each body as a task of a runtime, on any of its threads.
#[derive(Debug, Clone, Copy)]
pub struct Spawned<R>(pub R);

impl<R: Spawn, B: Body<Returns: Send> + Send + 'static> Place<B> for Spawned<R> {
    starts_tasks!(spawn);
}

/// Runs each body as a task of a runtime, on the current thread.
#[derive(Debug, Clone, Copy)]
pub struct SpawnedLocal<R>(pub R);

impl<R: SpawnLocal, B: Body + 'static> Place<B> for SpawnedLocal<R> {
    starts_tasks!(spawn_local);
}

/// Runs each body as a task on the threads of a scope: a body must be `Send` and may borrow from around the
/// scope.
///
/// See [`Loop::on_scoped_tasks`](crate::Loop::on_scoped_tasks).
#[derive(Debug, Clone, Copy)]
pub struct SpawnedScoped<S>(pub S);

impl<'env, S, B> Place<B> for SpawnedScoped<S>
where
    S: SpawnScoped<'env>,
    B: Body<Returns: Send> + Send + 'env,
{
    starts_tasks!(spawn_scoped);
}

impl<T> JobHandle for Task<T> {
    type Output = T;

    const INLINE: bool = false;

    fn watch(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        Self::watch(&self, cx);
    }

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        Self::poll_outcome(self.get_mut(), cx)
    }

    fn mark_cancelled(self: Pin<&Self>) {
        Self::mark_cancelled(&self);
    }

    fn cancel(self: Pin<&mut Self>) -> bool {
        self.request_cancel();
        false
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        self.request_expiry();
        false
    }

    fn rank(self: Pin<&Self>, _index: usize) -> Option<usize> {
        Self::sequence(&self)
    }

    fn sequence(&self) -> usize {
        Self::sequence(self).unwrap_or(usize::MAX)
    }

    fn next_sequence() -> usize {
        next_sequence()
    }
}
