//! This project's loops.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_executor::Executor;
use forloop::{smol, tokio};

pub(super) async fn all<B: Future<Output = usize>>(n: usize, body: impl Fn(usize) -> B) {
    black_box(forloop::each(0..n).unbounded().gather(body).await);
}

pub(super) async fn all_on_tokio<B: Future<Output = usize> + Send + 'static>(
    handle: ::tokio::runtime::Handle,
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let runtime = tokio::Tokio::from(handle);
    black_box(forloop::each(0..n).unbounded().on(runtime).gather(body).await);
}

pub(super) async fn all_on_smol<B: Future<Output = usize> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    n: usize,
    body: impl Fn(usize) -> B,
) {
    let runtime = smol::Executor::from(executor);
    black_box(forloop::each(0..n).unbounded().on(runtime).gather(body).await);
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    forloop::each(0..n).limit(limit).for_each(body).await;
}

pub(super) async fn bounded_on_tokio<B: Future<Output = ()> + Send + 'static>(
    handle: ::tokio::runtime::Handle,
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let runtime = tokio::Tokio::from(handle);
    forloop::each(0..n).limit(limit).on(runtime).for_each(body).await;
}

pub(super) async fn bounded_on_smol<B: Future<Output = ()> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    n: usize,
    body: impl Fn(usize) -> B,
    limit: NonZeroUsize,
) {
    let runtime = smol::Executor::from(executor);
    forloop::each(0..n).limit(limit).on(runtime).for_each(body).await;
}
