//! A task that may block for each body, on a runtime's pool of threads for blocking work.
//!
//! The threads of such a pool may all be busy for a long time, and a task that waits for one holds nothing
//! that must be stopped. So the task that cancels it, or whose timer has expired, does not wait for a thread:
//! it takes the task out of its [`BlockingQueue`] and completes it on the spot. The task's first waker is
//! that queue.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::convert::Infallible;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use concurrent_queue::ConcurrentQueue;

use super::{Place, Push};
use crate::SpawnBlocking;
use crate::body::{Attempt, Body};
use crate::engine::FutureSet;
use crate::simulation::{Origin, spawning};
use crate::spawn_task::is_large;
use crate::task::{Run, Task, pair};

/// Runs each body as a task that may block, on a runtime's pool of threads for blocking work.
///
/// See [`Loop::on_blocking`](crate::Loop::on_blocking).
#[derive(Debug, Clone, Copy)]
pub struct SpawnedBlocking<R>(pub R);

impl<R, B> Place<B> for SpawnedBlocking<R>
where
    R: SpawnBlocking,
    B: Body<Returns: Send> + Send + 'static,
{
    type Set = FutureSet<Task<B::Returns>>;
    type Dispatch = Push;

    fn set(&self) -> Self::Set {
        FutureSet::new()
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    fn start(&self, _attempt: Attempt, body: B, (): ()) -> Task<B::Returns> {
        start(&self.0, body)
    }
}

/// Calls `work` on a thread of the runtime's pool for blocking work, and returns the handle that owns the
/// call.
///
/// The call cannot be interrupted. If it is cancelled before it has started, it never starts. If it is
/// cancelled later, it runs to completion, and [`Task::cancel`] waits for that.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// use std::{fs, io};
///
/// async fn size<R: forloop::SpawnBlocking>(runtime: &R) -> io::Result<u64> {
///     let read = forloop::spawn_blocking(runtime, || fs::metadata("Cargo.toml"));
///     Ok(read.await.map_err(io::Error::other)??.len())
/// }
/// ```
#[track_caller]
pub fn spawn_blocking<T: Send + 'static>(
    runtime: &impl SpawnBlocking,
    work: impl FnOnce() -> T + Send + 'static,
) -> Task<T> {
    start(runtime, async move { work() })
}

/// Converts a plain closure, which is not async and may block, to the closure of a loop: for
/// [`Loop::on_blocking`](crate::Loop::on_blocking).
///
/// The closure is called when the body is polled, on the thread that polls it. All bodies share it, which
/// costs one allocation for the loop.
pub fn sync_body<I, T, F: Fn(I) -> T>(closure: F) -> impl FnMut(I) -> SyncBody<F, I> {
    let closure = Arc::new(closure);
    move |item| SyncBody { closure: closure.clone(), item: Some(item) }
}

/// The body that [`sync_body`] makes of a closure and an item.
pub struct SyncBody<F, I> {
    closure: Arc<F>,
    item: Option<I>,
}

// None of its fields is pinned.
impl<F, I> Unpin for SyncBody<F, I> {}

impl<T, I, F: Fn(I) -> T> Future for SyncBody<F, I> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<T> {
        let item = self.item.take().expect("a body is not polled after completion");
        Poll::Ready((self.closure)(item))
    }
}

impl<F, I: fmt::Debug> fmt::Debug for SyncBody<F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncBody").field("item", &self.item).finish_non_exhaustive()
    }
}

/// Spawns `future` as a task of the pool.
#[track_caller]
fn start<F>(runtime: &impl SpawnBlocking, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let origin = Origin::here();
    if const { is_large::<F>() } {
        return start_small(origin, runtime, Box::pin(future));
    }
    start_small(origin, runtime, future)
}

#[track_caller]
fn start_small<F>(origin: Origin, runtime: &impl SpawnBlocking, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (task, run) = pair(future);
    let queue = Arc::new(BlockingQueue { queued: ConcurrentQueue::bounded(1) });
    task.wake_to_stop(&Waker::from(queue.clone()));
    let is_queued = queue.queued.push(run).is_ok();
    debug_assert!(is_queued, "the queue is for one task and new");
    let call = BlockingCall { queue };
    let _starting = spawning(origin);
    runtime.spawn_blocking(async move {
        if let Some(run) = call.queue.take() {
            run.await;
        }
    });
    task
}

/// Holds a task until a thread of the pool takes it to run it, or another thread takes it to stop it.
struct BlockingQueue<F: Future> {
    queued: ConcurrentQueue<Run<F>>,
}

impl<F: Future> BlockingQueue<F> {
    fn take(&self) -> Option<Run<F>> {
        self.queued.pop().ok()
    }
}

/// Called when the task is cancelled or has timed out.
impl<F: Future<Output: Send> + Send + 'static> Wake for BlockingQueue<F> {
    fn wake(self: Arc<Self>) {
        if let Some(run) = self.take().and_then(Run::stop_unpolled) {
            // It must wait for tasks that were dropped with its future. A thread of the pool polls for
            // that, unless the pool was shut down.
            drop(self.queued.push(run));
        }
    }
}

/// The pool's share of the queue. A pool that shuts down drops this, and with it the task.
struct BlockingCall<F: Future> {
    queue: Arc<BlockingQueue<F>>,
}

impl<F: Future> Drop for BlockingCall<F> {
    fn drop(&mut self) {
        self.queue.queued.close();
        drop(self.queue.take());
    }
}
