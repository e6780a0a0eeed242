//! A loop on a few workers: tasks of a runtime, each of which drives an engine of its own.
//!
//! As a rule the workers [draw](shared_source) their bodies: one after another takes the loop's source and the
//! body's closure, its [`body_source`], makes as many bodies as it has room for, and polls them as in-task bodies are. The loop's
//! own task, the *front*, hears of their ends and has the workers stop: that is [`pull`].
//!
//! Where the source or the closure cannot be sent to a thread, or the loop's policy must see each body
//! begin, the front pulls the items and calls the closure itself. Then bodies travel in chunks to the
//! worker with the fewest: that is the [`pool`].
//!
//! Either way the ends come back in chunks. What the two sides share is in [`channel`] and [`shared_source`]: queues
//! and flags, no lock. A [`body_set`] is what a loop sees, whether it has workers or not.

mod batch_size;
mod body_set;
mod body_source;
mod channel;
#[cfg(all(test, forloop_loom))]
mod model;
mod pull;
mod push;
mod shared;
mod shared_source;
mod sleepers;
mod worker;

pub(crate) use self::body_set::BodySet;
pub(crate) use self::body_source::{BoxedSource, SourceBodies};
pub(crate) use self::channel::{Delivery, SOURCE};
pub(crate) use self::push::{PoolHandle, PullConfig};
pub(crate) use self::worker::DeliveryRule;

use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use self::pull::PullDispatcher;
use self::push::PushDispatcher;
use crate::place::{Body, JobHandle, Place, Pull, Push};
use crate::task::next_end;
use crate::{Outcome, Spawn};

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
        PoolJob { body }
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

pin_project! {
    /// A body on its way to a worker.
    ///
    /// Where nobody has workers for it, it runs in the caller's own task.
    #[derive(Debug)]
    pub struct PoolJob<B> {
        #[pin]
        body: B,
    }
}

impl<B: Body> JobHandle for PoolJob<B> {
    type Output = B::Returns;

    const INLINE: bool = true;
    const ON_POOL: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Returns>> {
        self.project().body.poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn ended_at(&self) -> usize {
        Self::end_now()
    }

    fn end_now() -> usize {
        // Workers see ends side by side.
        next_end()
    }
}
