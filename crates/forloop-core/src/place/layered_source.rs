//! A source of bodies with a layer around each, for workers that pull.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::Context;

use super::dispatch::{Pull, Push, Sources};
use super::layer::Layer;
use super::pool::{BatchEnd, BodySource, BoxedSource, TimeLimits};
use crate::body::{Attempt, Body};
use crate::outcome::catch;

/// The sources of a place with a [`Layer`] around each body.
///
/// Implemented by [`Push`], and by [`Pull`] for a layer and bodies that are `Send`.
#[diagnostic::on_unimplemented(
    message = "the layer `{W}` cannot be sent to a worker pool",
    label = "workers call the layer on other threads",
    note = "the layer must be `Send` and own what it uses (`'static`), and so must the body that it wraps",
    note = "for a layer that is not, use `.on(runtime)`, or `.at(WorkerPool::new(runtime).push_dispatch())`"
)]
pub trait LayerSource<B: Body, W: Layer<B>>: Sources {
    /// A source of the same bodies, each in a layer.
    #[doc(hidden)]
    fn layered(source: Self::Source<B>, layer: W) -> Self::Source<W::Layered>;
}

impl<B: Body, W: Layer<B>> LayerSource<B, W> for Push {
    fn layered(source: Infallible, _layer: W) -> Infallible {
        source
    }
}

impl<'env, B, W> LayerSource<B, W> for Pull<'env>
where
    B: Body + Send + 'env,
    W: Layer<B> + Send + 'env,
{
    fn layered(source: BoxedSource<'env, B>, layer: W) -> BoxedSource<'env, W::Layered> {
        Box::pin(LayeredSource::new(source, layer))
    }
}

/// A source of bodies, and the layer around each.
struct LayeredSource<'env, B, W> {
    source: BoxedSource<'env, B>,
    layer: W,
    /// The number of bodies that were pulled from `source`.
    pulled: usize,
    /// Bodies that were pulled and are in no layer: after a batch, those behind one whose layer has panicked.
    bodies: VecDeque<B>,
    /// Why the batch has ended in which they were pulled.
    end: Option<BatchEnd>,
}

impl<'env, B, W> LayeredSource<'env, B, W> {
    fn new(source: BoxedSource<'env, B>, layer: W) -> Self {
        Self { source, layer, pulled: 0, bodies: VecDeque::new(), end: None }
    }
}

// The source is pinned in a box, and bodies are not pinned before they start.
impl<B, W> Unpin for LayeredSource<'_, B, W> {}

impl<B: Body, W: Layer<B>> BodySource<W::Layered> for LayeredSource<'_, B, W> {
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        self.source.time_limits()
    }

    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: &mut usize,
        most: usize,
        layered: &mut VecDeque<W::Layered>,
    ) -> BatchEnd {
        let Self { source, layer, pulled, bodies, end } = self.get_mut();
        if end.is_none() {
            *end = Some(source.as_mut().pull_batch(cx, pulled, most, bodies));
        }
        // Once for the batch, as for the closure.
        let wrapped = catch(|| {
            for _ in 0..most {
                let Some(body) = bodies.pop_front() else { break };
                *next += 1;
                layered.push_back(layer.layer(Attempt::first(*next - 1), body));
            }
        });
        match wrapped {
            Err(panic) => BatchEnd::BodyPanicked(*next - 1, panic),
            Ok(()) if !bodies.is_empty() => BatchEnd::Full,
            Ok(()) => {
                // An item whose closure has panicked has an index, too.
                *next = *pulled;
                end.take().unwrap_or(BatchEnd::Full)
            }
        }
    }
}
