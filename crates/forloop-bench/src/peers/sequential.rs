//! The floor: one body after another.

use std::hint::black_box;

pub(super) async fn all<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    for body in bodies {
        black_box(body.await);
    }
}

pub(super) async fn silent<B: Future<Output = ()>>(bodies: impl Iterator<Item = B>) {
    for body in bodies {
        black_box(body.await);
    }
}
