//! A task of a runtime for each body.

use core::pin::Pin;
use core::task::{Context, Poll};

use super::pool::BoxedSource;
use super::{Place, Push};
use crate::body::{Attempt, Body};
use crate::engine::{FutureSet, JobHandle};
use crate::spawn_task::{spawn, spawn_local};
use crate::task::{Task, next_sequence};
use crate::{Outcome, Spawn, SpawnLocal};

/// Runs each body as a task of a runtime, on any of its threads.
#[derive(Debug, Clone, Copy)]
pub struct Spawned<R>(pub R);

impl<R: Spawn, B: Body<Returns: Send> + Send + 'static> Place<B> for Spawned<R> {
    type Set = FutureSet<Task<B::Returns>>;
    type Dispatch = Push;

    fn set(&self, _source: Option<BoxedSource<B>>) -> Self::Set {
        FutureSet::new()
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> Task<B::Returns> {
        spawn(&self.0, body)
    }
}

/// Runs each body as a task of a runtime, on the current thread.
#[derive(Debug, Clone, Copy)]
pub struct SpawnedLocal<R>(pub R);

impl<R: SpawnLocal, B: Body + 'static> Place<B> for SpawnedLocal<R> {
    type Set = FutureSet<Task<B::Returns>>;
    type Dispatch = Push;

    fn set(&self, _source: Option<BoxedSource<B>>) -> Self::Set {
        FutureSet::new()
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> Task<B::Returns> {
        spawn_local(&self.0, body)
    }
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
