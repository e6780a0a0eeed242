//! unicycle.

use std::hint::black_box;
use std::num::NonZeroUsize;

use unicycle::FuturesUnordered;

pub(super) async fn all<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    let mut set: FuturesUnordered<B> = bodies.collect();
    while let Some(output) = set.next().await {
        black_box(output);
    }
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    let mut set = FuturesUnordered::new();
    for body in bodies {
        if set.len() == limit.get() {
            black_box(set.next().await);
        }
        set.push(body);
    }
    while let Some(output) = set.next().await {
        black_box(output);
    }
}
