//! unicycle.

use std::hint::black_box;
use std::num::NonZeroUsize;

use unicycle::FuturesUnordered;

pub(super) async fn all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    let mut set: FuturesUnordered<B> = (0..n).map(body).collect();
    while let Some(output) = set.next().await {
        black_box(output);
    }
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let mut set = FuturesUnordered::new();
    for item in 0..n {
        if set.len() == limit.get() {
            black_box(set.next().await);
        }
        set.push(body(item));
    }
    while let Some(output) = set.next().await {
        black_box(output);
    }
}
