//! This project's loops.

use std::hint::black_box;
use std::num::NonZeroUsize;

use forloop::{Spawn, Threads};

use crate::host::Host;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Returns the tokio runtime of a host.
pub(super) fn tokio(host: &Host) -> forloop::tokio::Tokio {
    host.handle().into()
}

/// Returns the smol executor of a host.
pub(super) fn smol(host: &Host) -> forloop::smol::Executor {
    host.executor().into()
}

pub(super) async fn all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    black_box(forloop::each(0..n).unbounded().gather(body).await);
}

/// Runs each body as a task.
pub(super) async fn all_on<B: Future<Output = usize> + Send + 'static>(
    runtime: impl Spawn,
    n: usize,
    body: impl Fn(usize) -> B,
) {
    black_box(forloop::each(0..n).unbounded().on(runtime).gather(body).await);
}

/// Runs the bodies on two workers, one for each thread.
pub(super) async fn all_on_workers<B: Future<Output = usize> + Send + 'static>(
    runtime: impl Spawn + Clone + Send + Sync + 'static,
    n: usize,
    body: impl Fn(usize) -> B + Send + 'static,
) {
    let looping = forloop::each(0..n).unbounded().on_workers_of(runtime, TWO);
    black_box(looping.gather(body).await);
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    forloop::each(0..n).limit(limit).for_each(body).await;
}

pub(super) async fn bounded_on<B: Future<Output = ()> + Send + 'static>(
    runtime: impl Spawn,
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    forloop::each(0..n).limit(limit).on(runtime).for_each(body).await;
}

pub(super) async fn bounded_on_workers<B: Future<Output = ()> + Send + 'static>(
    runtime: impl Spawn + Clone + Send + Sync + 'static,
    n: usize,
    body: impl Fn(usize) -> B + Send + 'static,
    limit: NonZeroUsize,
) {
    forloop::each(0..n).limit(limit).on_workers_of(runtime, TWO).for_each(body).await;
}

/// Runs the bodies on two scoped threads, which start and stop with the loop.
pub(super) fn all_parallel<B: Future<Output = usize> + Send>(n: usize, body: impl Fn(usize) -> B) {
    let threads = Threads::of(TWO);
    let looping = forloop::each(0..n).unbounded().on_scoped(threads.cores());
    black_box(threads.block_on(looping.gather(body)));
}

pub(super) fn bounded_parallel<B: Future<Output = ()> + Send>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let threads = Threads::of(TWO);
    let looping = forloop::each(0..n).limit(limit).on_scoped(threads.cores());
    threads.block_on(looping.for_each(body));
}
