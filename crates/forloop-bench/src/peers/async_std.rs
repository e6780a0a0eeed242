//! async-std's global executor.

use std::hint::black_box;
use std::num::NonZeroUsize;

use async_std::task;
use futures_util::{StreamExt, stream};

pub(super) async fn all<B: Future<Output = usize> + Send + 'static>(
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let tasks: Vec<_> = (0..n).map(|item| task::spawn(body(item))).collect();
    for task in tasks {
        black_box(task.await);
    }
}

pub(super) async fn bounded<B: Future<Output = ()> + Send + 'static>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let tasks = stream::iter((0..n).map(|item| task::spawn(body(item))));
    let mut outputs = std::pin::pin!(tasks.buffer_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}
