//! As tasks that may block, on a runtime's pool of threads for that.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use concurrent_queue::ConcurrentQueue;

use super::{Place, Push};
use crate::SpawnBlocking;
use crate::body::Body;
use crate::simulation::{Origin, spawning};
use crate::task::{Run, Task, pair};

/// As tasks that may block, one per body, on a runtime's pool of threads for that.
///
/// [`Loop::on_blocking`](crate::Loop::on_blocking) says more.
#[derive(Debug, Clone, Copy)]
pub struct SpawnedBlocking<R>(pub R);

impl<R, B> Place<B> for SpawnedBlocking<R>
where
    R: SpawnBlocking,
    B: Body<Returns: Send> + Send + 'static,
{
    type Job = Task<B::Returns>;
    type Dispatch = Push;

    fn start(&self, body: B) -> Task<B::Returns> {
        start(&self.0, body)
    }
}

/// Calls `work` on a thread of the runtime's pool for work that blocks, and returns the handle that owns it.
///
/// The call cannot be interrupted: stopped before it has begun it never begins, stopped later it goes on to its
/// end, and whoever cancelled it waits for that.
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
#[cfg_attr(feature = "simulation", track_caller)]
pub fn spawn_blocking<T: Send + 'static>(
    runtime: &impl SpawnBlocking,
    work: impl FnOnce() -> T + Send + 'static,
) -> Task<T> {
    start(runtime, async move { work() })
}

/// Makes a body of a plain closure, one that is not async and may block: for
/// [`Loop::on_blocking`](crate::Loop::on_blocking).
///
/// The closure is called when the body is polled, on the thread that polls it. It is shared by all bodies,
/// at the cost of one allocation for the loop.
pub fn sync_body<I, T, F: Fn(I) -> T>(closure: F) -> impl FnMut(I) -> SyncBody<F, I> {
    let closure = Arc::new(closure);
    move |item| SyncBody { closure: closure.clone(), item: Some(item) }
}

/// The body that [`sync_body`] makes of a closure and an item.
pub struct SyncBody<F, I> {
    closure: Arc<F>,
    item: Option<I>,
}

// Nothing of it is pinned.
impl<F, I> Unpin for SyncBody<F, I> {}

impl<T, I, F: Fn(I) -> T> Future for SyncBody<F, I> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<T> {
        let item = self.item.take().expect("a body is not polled again when it has ended");
        Poll::Ready((self.closure)(item))
    }
}

impl<F, I: fmt::Debug> fmt::Debug for SyncBody<F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("item", &self.item).finish_non_exhaustive()
    }
}

/// Starts `future` as a task of the pool.
#[cfg_attr(feature = "simulation", track_caller)]
fn start<F>(runtime: &impl SpawnBlocking, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (task, run) = pair(future);
    let line = Arc::new(BlockingQueue { waiting: ConcurrentQueue::bounded(1) });
    task.wake_to_stop(&Waker::from(line.clone()));
    let is_alone = line.waiting.push(run).is_ok();
    debug_assert!(is_alone, "a task stands in its line once");
    let called = SyncCall { line };
    spawning(Origin::here(), || {
        runtime.spawn_blocking(async move {
            if let Some(run) = called.line.next() {
                run.await;
            }
        });
    });
    task
}

/// A task that waits for a thread of the pool: whoever takes it out runs it, or drops it.
///
/// The pool's threads may all be busy for long. A task that is asked to stop meanwhile does not wait for
/// one: who asks takes it out.
struct BlockingQueue<F: Future> {
    waiting: ConcurrentQueue<Run<F>>,
}

impl<F: Future> BlockingQueue<F> {
    fn next(&self) -> Option<Run<F>> {
        self.waiting.pop().ok()
    }
}

/// Called when the task is asked to stop, for want of time or otherwise.
impl<F: Future<Output: Send> + Send + 'static> Wake for BlockingQueue<F> {
    fn wake(self: Arc<Self>) {
        if let Some(run) = self.next().and_then(Run::stop_unpolled) {
            // The pool sees to the rest, if it is still there.
            drop(self.waiting.push(run));
        }
    }
}

/// The pool's part of it: a pool that shuts down drops this, and with it the task.
struct SyncCall<F: Future> {
    line: Arc<BlockingQueue<F>>,
}

impl<F: Future> Drop for SyncCall<F> {
    fn drop(&mut self) {
        self.line.waiting.close();
        drop(self.line.next());
    }
}
