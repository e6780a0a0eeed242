//! futures-concurrency.

use std::hint::black_box;
use std::num::NonZeroUsize;

use futures_concurrency::future::FutureGroup;
use futures_concurrency::prelude::*;
use futures_util::StreamExt;

pub(super) async fn join<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    let bodies: Vec<B> = (0..n).map(body).collect();
    black_box(bodies.join().await);
}

pub(super) async fn group<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    let mut group = FutureGroup::with_capacity(n);
    for item in 0..n {
        group.insert(body(item));
    }
    let mut group = std::pin::pin!(group);
    while let Some(output) = group.next().await {
        black_box(output);
    }
}

// A pinned group accepts no more futures, so the group cannot hold futures that are not `Unpin`.
pub(super) async fn bounded_group<B: Future<Output = ()> + Unpin>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let mut group = FutureGroup::with_capacity(limit.get());
    for item in 0..n {
        if group.len() == limit.get() {
            black_box(group.next().await);
        }
        group.insert(body(item));
    }
    while let Some(output) = group.next().await {
        black_box(output);
    }
}
