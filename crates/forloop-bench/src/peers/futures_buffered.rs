//! futures-buffered.

use std::hint::black_box;
use std::num::NonZeroUsize;

use futures_buffered::{BufferedStreamExt, FuturesUnorderedBounded};
use futures_util::{StreamExt, stream};

pub(super) async fn unordered<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    let mut set: FuturesUnorderedBounded<B> = bodies.collect();
    while let Some(output) = set.next().await {
        black_box(output);
    }
}

pub(super) async fn join_all<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    black_box(futures_buffered::join_all(bodies).await);
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    let mut outputs = std::pin::pin!(stream::iter(bodies).buffered_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}
