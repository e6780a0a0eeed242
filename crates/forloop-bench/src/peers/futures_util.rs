//! futures-util.

use std::hint::black_box;
use std::num::NonZeroUsize;

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};

pub(super) async fn unordered<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    let mut set: FuturesUnordered<B> = (0..n).map(body).collect();
    while let Some(output) = set.next().await {
        black_box(output);
    }
}

pub(super) async fn join_all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    black_box(futures_util::future::join_all((0..n).map(body)).await);
}

pub(super) async fn buffer_unordered<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let mut outputs = std::pin::pin!(stream::iter((0..n).map(body)).buffer_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}

pub(super) async fn for_each_concurrent<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    stream::iter(0..n).for_each_concurrent(limit.get(), body).await;
}
