//! The worker pool as a place.

use core::num::NonZeroUsize;

use super::body_source::BoxedSource;
use super::handle::PoolHandle;
use super::job::PoolJob;
use super::pull::PullDispatcher;
use super::push::PushDispatcher;
use crate::Spawn;
use crate::body::Body;
use crate::place::dispatch::{Pull, Push};
use crate::place::traits::Place;

/// On a few workers: tasks of a runtime with threads, each of which runs many bodies.
///
/// [`Loop::on_workers`](crate::Loop::on_workers) says when to choose it.
#[derive(Debug, Clone, Copy)]
pub struct WorkerPool<R> {
    runtime: R,
    workers: Option<NonZeroUsize>,
}

impl<R> WorkerPool<R> {
    /// As many workers as the runtime has threads.
    pub fn new(runtime: R) -> Self {
        Self { runtime, workers: None }
    }

    /// So many workers.
    pub fn of(runtime: R, workers: NonZeroUsize) -> Self {
        Self { runtime, workers: Some(workers) }
    }

    /// The same workers, for a loop whose items or closure borrow or are not `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::WorkerPool;
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
    type Job = PoolJob<B>;
    type Dispatch = Pull;

    fn start(&self, body: B) -> PoolJob<B> {
        PoolJob::with_mode(body)
    }

    fn pool(&self, body_source: Option<BoxedSource<B>>) -> Option<PoolHandle<PoolJob<B>>> {
        let runtime = self.runtime.clone();
        Some(match body_source {
            Some(body_source) => {
                PoolHandle::new(PullDispatcher::new(runtime, self.workers, body_source))
            }
            None => PoolHandle::new(PushDispatcher::new(runtime, self.workers)),
        })
    }
}

/// On a few workers, to which the caller's task brings the bodies.
///
/// It pulls the items and calls the body's closure itself, so these may borrow and need not be `Send`; each
/// body costs a part of a trip to another thread, which is more than a short body costs. Begins as
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
    type Job = PoolJob<B>;
    type Dispatch = Push;

    fn start(&self, body: B) -> PoolJob<B> {
        Place::start(&self.workers, body)
    }

    fn pool(&self, _well: Option<BoxedSource<B>>) -> Option<PoolHandle<PoolJob<B>>> {
        Place::pool(&self.workers, None)
    }
}
