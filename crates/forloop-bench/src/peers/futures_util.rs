//! futures-util.

use std::hint::black_box;
use std::num::NonZeroUsize;

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};

pub(super) async fn unordered<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    let mut set: FuturesUnordered<B> = bodies.collect();
    while let Some(output) = set.next().await {
        black_box(output);
    }
}

pub(super) async fn join_all<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    black_box(futures_util::future::join_all(bodies).await);
}

pub(super) async fn buffer_unordered<B: Future<Output = ()>>(
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    let mut outputs = std::pin::pin!(stream::iter(bodies).buffer_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}

pub(super) async fn for_each_concurrent<B: Future<Output = ()>>(
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    stream::iter(bodies).for_each_concurrent(limit.get(), |body| body).await;
}
