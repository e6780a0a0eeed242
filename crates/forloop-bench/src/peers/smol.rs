//! smol's executors.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_executor::{Executor, LocalExecutor};
use futures_util::{StreamExt, stream};

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
