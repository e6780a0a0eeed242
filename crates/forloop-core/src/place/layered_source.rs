//! A source of bodies with a layer around each, for workers that pull.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::cell::Cell;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::Context;

use super::dispatch::{Pull, Push, Sources};
use super::layer::Layer;
use super::pool::{BatchEnd, BodySource, BoxedSource, DeliveryRule, Pulling, TimeLimits};
use crate::body::{Attempt, Body};
use crate::engine::Completion;
use crate::outcome::{Outcome, catch};

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
    /// The attempt of each, if there is a driver in the source.
    attempts: VecDeque<Attempt>,
    /// Why the batch has ended in which they were pulled.
    end: Option<BatchEnd>,
}

impl<'env, B, W> LayeredSource<'env, B, W> {
    fn new(source: BoxedSource<'env, B>, layer: W) -> Self {
        Self {
            source,
            layer,
            pulled: 0,
            bodies: VecDeque::new(),
            attempts: VecDeque::new(),
            end: None,
        }
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

    fn has_signals(&self) -> bool {
        self.source.has_signals()
    }

    fn is_exhausted(mut self: Pin<&mut Self>) -> bool {
        self.bodies.is_empty() && self.source.as_mut().is_exhausted()
    }

    fn stop(mut self: Pin<&mut Self>) {
        self.source.as_mut().stop();
    }

    fn begin(mut self: Pin<&mut Self>, delivery: DeliveryRule<B::Returns>) {
        self.source.as_mut().begin(delivery);
    }

    fn pull_batch(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pull: Pulling<'_, W::Layered>,
    ) -> BatchEnd {
        let Self { source, layer, pulled, bodies, attempts, end } = self.get_mut();
        let Pulling { next, most, bodies: layered, attempts: layered_attempts, .. } = pull;
        let (exchange, released) = (pull.exchange, pull.released);
        if end.is_none() {
            let pull = Pulling {
                next: pulled,
                most,
                bodies,
                attempts,
                exchange: &mut *exchange,
                released,
            };
            *end = Some(source.as_mut().pull_batch(cx, pull));
        }
        let (attempt, upto) = (Cell::new(None), layered.len() + most);
        // Once for the batch, as for the closure.
        let mut layer_each = || {
            while layered.len() < upto {
                let Some(body) = bodies.pop_front() else { break };
                attempt.set(attempts.pop_front());
                let of_body = attempt.get().unwrap_or_else(|| {
                    *next += 1;
                    Attempt::first(*next - 1)
                });
                layered.push_back(layer.layer(of_body, body));
                layered_attempts.extend(attempt.get());
            }
        };
        while let Err(panic) = catch(&mut layer_each) {
            let Some(Attempt { index, .. }) = attempt.get() else {
                return BatchEnd::BodyPanicked(*next - 1, panic);
            };
            // A driver in the source has started it.
            let outcome = Outcome::Panicked(panic);
            exchange.reports.push(Completion { index, seq: 0, outcome });
        }
        if !bodies.is_empty() {
            return BatchEnd::Full;
        }
        // An item whose closure has panicked has an index, too.
        *next = *pulled;
        end.take().unwrap_or(BatchEnd::Full)
    }
}
