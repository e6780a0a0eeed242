//! A place that wraps each body before it starts: in a span, a stopwatch, a name.

use core::convert::Infallible;
use core::fmt;

use super::body_set::BodySet;
use super::{Place, Push};
use crate::body::{Attempt, Body};

/// Wraps each body of a loop in another future with the same output.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer for the body `{B}`",
    label = "expected a `Layer` for this body",
    note = "implement `Layer` for the type: its method `layer` takes a body and returns the wrapped body"
)]
pub trait Layer<B: Body> {
    /// The wrapped body.
    type Layered: Body<Returns = B::Returns>;

    /// Wraps a body, made for this attempt at this item. Called in the loop's own task.
    fn layer(&self, attempt: Attempt, body: B) -> Self::Layered;
}

/// A place with a [`Layer`] around each body.
#[derive(Clone)]
pub struct Layered<P, W> {
    place: P,
    layer: W,
}

impl<P, W> Layered<P, W> {
    pub(crate) fn new(place: P, layer: W) -> Self {
        Self { place, layer }
    }
}

impl<B: Body, P: Place<W::Layered>, W: Layer<B>> Place<B> for Layered<P, W> {
    type Set = P::Set;
    type Dispatch = Push;

    fn set(&self, _source: Option<Infallible>) -> P::Set {
        self.place.set(None)
    }

    fn start(
        &self,
        attempt: Attempt,
        body: B,
        completer: <P::Set as BodySet>::Completer,
    ) -> <P::Set as BodySet>::Job {
        self.place.start(attempt, self.layer.layer(attempt, body), completer)
    }
}

impl<P: fmt::Debug, W> fmt::Debug for Layered<P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layered").field("place", &self.place).finish_non_exhaustive()
    }
}
