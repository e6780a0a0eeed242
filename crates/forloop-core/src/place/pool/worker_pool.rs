//! The worker pool as a place.

use core::convert::Infallible;
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroUsize;

use super::body_source::BoxedSource;
use super::pool_set::PoolSet;
use super::pull::PullDispatcher;
use super::push::PushDispatcher;
use super::start_worker::{OnRuntime, OnScope};
use crate::body::{Attempt, Body};
use crate::place::dispatch::{Pull, Push};
use crate::place::traits::Place;
use crate::{Spawn, SpawnScoped};

/// Runs the bodies on a few workers: tasks of a runtime, each of which polls many bodies.
///
/// See [`Loop::on_workers`](crate::Loop::on_workers) for when to choose it, and for what options do there.
#[derive(Debug, Clone, Copy)]
pub struct WorkerPool<R> {
    runtime: R,
    workers: Option<NonZeroUsize>,
}

impl<R> WorkerPool<R> {
    /// A pool with as many workers as the runtime has threads.
    pub fn new(runtime: R) -> Self {
        Self { runtime, workers: None }
    }

    /// A pool with at most this number of workers.
    pub fn of(runtime: R, workers: NonZeroUsize) -> Self {
        Self { runtime, workers: Some(workers) }
    }

    /// Converts to a pool to which the caller's task pushes the bodies, for a loop whose items or closure
    /// borrow or are not `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::places::WorkerPool;
    ///
    /// async fn lengths<R: forloop::Runtime>(runtime: R, words: &[String]) -> Vec<usize> {
    ///     let items = forloop::each(words).unbounded().at(WorkerPool::new(runtime).push_dispatch());
    ///     items
    ///         .gather(|word| {
    ///             let word = word.clone();
    ///             async move { word.len() }
    ///         })
    ///         .await
    /// }
    /// ```
    pub fn push_dispatch(self) -> PushPool<R> {
        PushPool { workers: self }
    }
}

impl<R, B> Place<B> for WorkerPool<R>
where
    R: Spawn + Clone + Send + Sync + 'static,
    B: Body<Returns: Send> + Send + 'static,
{
    type Set = PoolSet<'static, B, B::Returns>;
    type Dispatch = Pull<'static>;

    fn set(&self) -> Self::Set {
        PoolSet::new(PushDispatcher::new(OnRuntime(self.runtime.clone()), self.workers))
    }

    fn pull_set<const HAS_RULES: bool>(self, source: BoxedSource<'static, B>) -> Self::Set {
        let runtime = OnRuntime(self.runtime);
        PoolSet::new(PullDispatcher::<_, _, _, HAS_RULES>::new(runtime, self.workers, source))
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> B {
        body
    }
}

/// Runs the bodies on a few workers, to which the caller's task pushes them.
///
/// The caller's task pulls the items and calls the body's closure, so these may borrow and need not be
/// `Send`. The bodies themselves must own what they use and be `Send`. Each body pays for a part of a trip
/// to another thread and back, which is more than a short body costs. Made by
/// [`WorkerPool::push_dispatch`].
#[derive(Debug, Clone, Copy)]
pub struct PushPool<R> {
    workers: WorkerPool<R>,
}

impl<R, B> Place<B> for PushPool<R>
where
    R: Spawn + Clone + Send + Sync + 'static,
    B: Body<Returns: Send> + Send + 'static,
{
    type Set = PoolSet<'static, B, B::Returns>;
    type Dispatch = Push;

    fn set(&self) -> Self::Set {
        Place::set(&self.workers)
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> B {
        body
    }
}

/// Runs the bodies on workers on the threads of a scope, one for each thread. Items, closure and bodies may borrow for
/// `'env`.
///
/// See [`Loop::on_scoped`](crate::Loop::on_scoped).
pub struct ScopedWorkers<'env, S> {
    scope: S,
    env: PhantomData<fn() -> &'env ()>,
}

impl<'env, S: SpawnScoped<'env>> ScopedWorkers<'env, S> {
    /// Workers on the threads of `scope`.
    pub fn new(scope: S) -> Self {
        Self { scope, env: PhantomData }
    }
}

impl<'env, S, B> Place<B> for ScopedWorkers<'env, S>
where
    S: SpawnScoped<'env> + Clone + Send + Sync + 'env,
    B: Body<Returns: Send> + Send + 'env,
{
    type Set = PoolSet<'env, B, B::Returns>;
    type Dispatch = Pull<'env>;

    fn set(&self) -> Self::Set {
        PoolSet::new(PushDispatcher::new(OnScope(self.scope.clone()), None))
    }

    fn pull_set<const HAS_RULES: bool>(self, source: BoxedSource<'env, B>) -> Self::Set {
        PoolSet::new(PullDispatcher::<_, _, _, HAS_RULES>::new(OnScope(self.scope), None, source))
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> B {
        body
    }
}

impl<S: Clone> Clone for ScopedWorkers<'_, S> {
    fn clone(&self) -> Self {
        Self { scope: self.scope.clone(), env: PhantomData }
    }
}

impl<S: fmt::Debug> fmt::Debug for ScopedWorkers<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedWorkers").field(&self.scope).finish()
    }
}
