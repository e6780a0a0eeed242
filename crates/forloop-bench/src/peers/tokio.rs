//! tokio's `JoinSet` and tokio-util's `TaskTracker`, on the current runtime.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

pub(super) async fn join_set<B: Future<Output = usize> + Send + 'static>(
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let mut set: JoinSet<usize> = (0..n).map(body).collect();
    while let Some(output) = set.join_next().await {
        black_box(output.expect("no body panics"));
    }
}

pub(super) async fn task_tracker<B: Future<Output = usize> + Send + 'static>(
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let tracker = TaskTracker::new();
    for item in 0..n {
        let body = body(item);
        tracker.spawn(async { black_box(body.await) });
    }
    tracker.close();
    tracker.wait().await;
}

pub(super) async fn bounded_join_set<B: Future<Output = ()> + Send + 'static>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let mut set = JoinSet::new();
    for item in 0..n {
        if set.len() == limit.get() {
            black_box(set.join_next().await);
        }
        set.spawn(body(item));
    }
    while let Some(output) = set.join_next().await {
        output.expect("no body panics");
    }
}

pub(super) async fn bounded_task_tracker<B: Future<Output = ()> + Send + 'static>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let tracker = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(limit.get()));
    for item in 0..n {
        let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let body = body(item);
        tracker.spawn(async move {
            body.await;
            drop(permit);
        });
    }
    tracker.close();
    tracker.wait().await;
}
