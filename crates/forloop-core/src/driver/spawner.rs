//! How an item becomes a running body.

use crate::body::{Attempt, Body};
use crate::place::{BodySet, Place};

/// How an item becomes a running body: a closure and the place where its futures run.
#[derive(Debug, Clone)]
pub struct BodySpawner<F, P> {
    pub(crate) body: F,
    pub(crate) place: P,
}

/// Makes a running body of an item, for the set `J`.
///
/// [`BodySpawner`] is all there is. `J` is a parameter and no associated type, so that what a loop is
/// made of is named in its type: were the set looked up from place and body, no loop whose
/// bodies are boxed could be `Send` inside a spawned task.
pub trait Spawner<I, J: BodySet> {
    /// Calls the body with `item` and starts what it returns.
    fn launch(&mut self, attempt: Attempt, item: I, completer: J::Completer) -> J::Job;
}

impl<I, F, B, P> Spawner<I, P::Set> for BodySpawner<F, P>
where
    F: FnMut(I) -> B,
    B: Body,
    P: Place<B>,
{
    fn launch(
        &mut self,
        attempt: Attempt,
        item: I,
        completer: <P::Set as BodySet>::Completer,
    ) -> <P::Set as BodySet>::Job {
        self.place.start(attempt, (self.body)(item), completer)
    }
}
