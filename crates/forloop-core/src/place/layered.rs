//! A place with a layer around each body.

use core::fmt;

use super::body_set::BodySet;
use super::dispatch::Sources;
use super::layer::Layer;
use super::layered_source::LayerSource;
use super::traits::Place;
use crate::body::{Attempt, Body};

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

impl<B, P, W> Place<B> for Layered<P, W>
where
    B: Body,
    P: Place<W::Layered, Dispatch: LayerSource<B, W>>,
    W: Layer<B>,
{
    type Set = P::Set;
    type Dispatch = P::Dispatch;

    fn set(&self) -> P::Set {
        self.place.set()
    }

    fn pull_set<const HAS_RULES: bool>(
        self,
        source: <P::Dispatch as Sources>::Source<B>,
    ) -> P::Set {
        self.place.pull_set::<HAS_RULES>(P::Dispatch::layered(source, self.layer))
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
