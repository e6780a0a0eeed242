//! rayon, on two threads, for bodies that do not wait.

use std::hint::black_box;
use std::sync::OnceLock;

use futures_util::FutureExt;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Two threads, which are started once: a program keeps them, too.
fn pool() -> &'static ThreadPool {
    static POOL: OnceLock<ThreadPool> = OnceLock::new();
    POOL.get_or_init(|| ThreadPoolBuilder::new().num_threads(2).build().expect("threads start"))
}

/// Polls each body once, in the place of a plain closure.
pub(super) fn all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B + Sync) {
    let run = |item| body(item).now_or_never().expect("the body does not wait");
    let outputs: Vec<usize> = pool().install(|| (0..n).into_par_iter().map(run).collect());
    black_box(outputs);
}

pub(super) fn sum(n: usize) -> usize {
    pool().install(|| (0..n).into_par_iter().map(black_box).sum())
}
