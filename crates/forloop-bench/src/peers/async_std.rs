//! async-std's global executor.

use std::hint::black_box;
use std::num::NonZeroUsize;

use async_std::task;
use futures_util::{StreamExt, stream};

pub(super) async fn all<B: Future<Output = usize> + Send + 'static>(
    bodies: impl Iterator<Item = B>,
) {
    let tasks: Vec<_> = bodies.map(task::spawn).collect();
    for task in tasks {
        black_box(task.await);
    }
}

pub(super) async fn bounded<B: Future<Output = ()> + Send + 'static>(
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    let tasks = stream::iter(bodies.map(task::spawn));
    let mut outputs = std::pin::pin!(tasks.buffer_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}
