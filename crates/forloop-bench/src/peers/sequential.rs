//! The lower bound: one body after another.

use std::hint::black_box;

pub(super) async fn all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    for item in 0..n {
        black_box(body(item).await);
    }
}

pub(super) async fn silent<B: Future<Output = ()>>(n: usize, body: impl Fn(usize) -> B) {
    for item in 0..n {
        body(item).await;
    }
}

pub(super) fn sum(n: usize) -> usize {
    (0..n).map(black_box).sum()
}
