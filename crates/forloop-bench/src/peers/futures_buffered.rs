//! futures-buffered.

use std::hint::black_box;
use std::num::NonZeroUsize;

use futures_buffered::{BufferedStreamExt, FuturesUnorderedBounded};
use futures_util::{StreamExt, stream};

pub(super) async fn unordered<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    let mut set: FuturesUnorderedBounded<B> = (0..n).map(body).collect();
    while let Some(output) = set.next().await {
        black_box(output);
    }
}

pub(super) async fn join_all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    black_box(futures_buffered::join_all((0..n).map(body)).await);
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let mut outputs =
        std::pin::pin!(stream::iter((0..n).map(body)).buffered_unordered(limit.get()));
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}
