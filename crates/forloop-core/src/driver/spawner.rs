//! How an item becomes a running body.

use crate::body::{Attempt, Body};
use crate::engine::JobHandle;
use crate::place::Place;

/// How an item becomes a running body: a closure and the place where its futures run.
#[derive(Debug, Clone)]
pub struct BodySpawner<F, P> {
    pub(crate) body: F,
    pub(crate) place: P,
}

/// Makes a running body, a `J`, of an item.
///
/// [`BodySpawner`] is all there is. `J` is a parameter and no associated type, so that what a loop is
/// made of is named in its type: were the kind of job looked up from place and body, no loop whose
/// bodies are boxed could be `Send` inside a spawned task.
pub trait Spawner<I, J: JobHandle> {
    /// Calls the body with `item` and starts what it returns.
    fn launch(&mut self, attempt: Attempt, item: I) -> J;
}

impl<I, F, B, P> Spawner<I, P::Job> for BodySpawner<F, P>
where
    F: FnMut(I) -> B,
    B: Body,
    P: Place<B>,
{
    fn launch(&mut self, attempt: Attempt, item: I) -> P::Job {
        self.place.start(attempt, (self.body)(item))
    }
}
