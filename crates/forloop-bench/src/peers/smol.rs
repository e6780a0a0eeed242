//! smol's executors.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_executor::{Executor, LocalExecutor};
use async_lock::Semaphore;
use futures_util::{StreamExt, stream};
use tokio::sync::oneshot;

use crate::host::{Host, Waking};

pub(super) async fn all<B: Future<Output = usize> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let mut tasks = Vec::new();
    executor.spawn_many((0..n).map(body), &mut tasks);
    for task in tasks {
        black_box(task.await);
    }
}

pub(super) fn local<B: Future<Output = usize> + 'static>(
    host: &Host,
    n: usize,
    body: impl Fn(usize) -> B,
    waking: Option<Waking>,
) {
    let executor = LocalExecutor::new();
    let looping = async {
        let mut tasks = Vec::new();
        executor.spawn_many((0..n).map(body), &mut tasks);
        for task in tasks {
            black_box(task.await);
        }
    };
    host.run(executor.run(looping), waking);
}

pub(super) async fn bounded<B: Future<Output = ()> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let tasks = stream::iter((0..n).map(|item| executor.spawn(body(item))));
    let mut outputs = std::pin::pin!(tasks.buffer_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}

/// Detaches every task, and waits until the last has completed.
pub(super) async fn detached<B: Future<Output = usize> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let (running, all_completed) = oneshot::channel::<()>();
    let running = Arc::new(running);
    for item in 0..n {
        let (body, running) = (body(item), running.clone());
        let task = executor.spawn(async move {
            black_box(body.await);
            drop(running);
        });
        task.detach();
    }
    drop(running);
    drop(all_completed.await);
}

/// The same with a semaphore for the limit.
pub(super) async fn bounded_detached<B: Future<Output = ()> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let permits = Arc::new(Semaphore::new(limit.get()));
    for item in 0..n {
        let (permit, body) = (permits.acquire_arc().await, body(item));
        let task = executor.spawn(async move {
            body.await;
            drop(permit);
        });
        task.detach();
    }
    for _ in 0..limit.get() {
        permits.acquire_arc().await.forget();
    }
}
