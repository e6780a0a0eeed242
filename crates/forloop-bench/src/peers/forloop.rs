//! This project's loops.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::pin::pin;

use forloop::{Spawn, Threads};
use futures_util::{Stream, StreamExt};

use crate::host::Host;

pub(super) const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

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

/// Takes one output after another of a stream.
async fn take_each<T>(outputs: impl Stream<Item = T>) {
    let mut outputs = pin!(outputs);
    while let Some(output) = outputs.next().await {
        black_box(output);
    }
}

pub(super) async fn all_of_stream<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    take_each(forloop::each(0..n).unbounded().stream_unordered(body)).await;
}

/// Runs an async step for each output of a stream.
pub(super) async fn each_of_stream<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    let outputs = forloop::each(0..n).unbounded().stream_unordered(body);
    outputs
        .for_each(async |output| {
            black_box(output);
        })
        .await;
}

pub(super) async fn bounded_stream<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    take_each(forloop::each(0..n).limit(limit).stream_unordered(body)).await;
}

pub(super) async fn bounded_stream_for_each<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let outputs = forloop::each(0..n).limit(limit).stream_unordered(body);
    outputs.for_each(async |output| black_box(output)).await;
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
pub(super) fn all_parallel<B: Future<Output = usize> + Send>(
    n: usize,
    body: impl Fn(usize) -> B + Send,
) {
    let threads = Threads::of(TWO);
    let looping = forloop::each(0..n).unbounded().on_scoped(threads.cores());
    black_box(threads.block_on(looping.gather(body)));
}

pub(super) fn bounded_parallel<B: Future<Output = ()> + Send>(
    n: usize,
    body: impl Fn(usize) -> B + Send,
    limit: NonZeroUsize,
) {
    let threads = Threads::of(TWO);
    let looping = forloop::each(0..n).limit(limit).on_scoped(threads.cores());
    threads.block_on(looping.for_each(body));
}

pub(super) fn sum(n: usize) -> usize {
    let looping = forloop::each(0..n).unbounded();
    futures_lite::future::block_on(looping.fold(0, async |n| black_box(n), |sum, (_, n)| sum + n))
}

pub(super) fn sum_on_workers(
    host: &Host,
    runtime: impl Spawn + Clone + Send + Sync + 'static,
    n: usize,
) -> usize {
    let looping = forloop::each(0..n).unbounded().on_workers_of(runtime, TWO);
    let mut sum = 0;
    host.run(
        async { sum = looping.fold(0, async |n| black_box(n), |sum, (_, n)| sum + n).await },
        None,
    );
    sum
}

pub(super) fn sum_parallel(n: usize) -> usize {
    let threads = Threads::of(TWO);
    let looping = forloop::each(0..n).unbounded().on_scoped(threads.cores());
    threads.block_on(looping.fold(0, async |n| black_box(n), |sum, (_, n)| sum + n))
}
