//! This project's loops.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_executor::Executor;
use forloop::{smol, tokio};

pub(super) async fn all<B: Future<Output = usize>>(bodies: impl Iterator<Item = B>) {
    black_box(forloop::each(bodies).unbounded().gather(|body| body).await);
}

pub(super) async fn all_on_tokio<B: Future<Output = usize> + Send + 'static>(
    handle: ::tokio::runtime::Handle,
    bodies: impl Iterator<Item = B>,
) {
    let runtime = tokio::Tokio::from(handle);
    black_box(forloop::each(bodies).unbounded().on(runtime).gather(|body| body).await);
}

pub(super) async fn all_on_smol<B: Future<Output = usize> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    bodies: impl Iterator<Item = B>,
) {
    let runtime = smol::Executor::from(executor);
    black_box(forloop::each(bodies).unbounded().on(runtime).gather(|body| body).await);
}

pub(super) async fn bounded<B: Future<Output = ()>>(
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    forloop::each(bodies).limit(limit).for_each(|body| body).await;
}

pub(super) async fn bounded_on_tokio<B: Future<Output = ()> + Send + 'static>(
    handle: ::tokio::runtime::Handle,
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    let runtime = tokio::Tokio::from(handle);
    forloop::each(bodies).limit(limit).on(runtime).for_each(|body| body).await;
}

pub(super) async fn bounded_on_smol<B: Future<Output = ()> + Send + 'static>(
    executor: Arc<Executor<'static>>,
    bodies: impl Iterator<Item = B>,
    limit: NonZeroUsize,
) {
    let runtime = smol::Executor::from(executor);
    forloop::each(bodies).limit(limit).on(runtime).for_each(|body| body).await;
}
