//! How an item becomes a running body.

use crate::admission::{MaybeQueue, NoQueue};
use crate::body::{Attempt, Body};
use crate::engine::JobHandle;
use crate::place::Place;

/// How an item becomes a running body: a closure and the place where its futures run.
#[derive(Debug, Clone)]
pub struct BodySpawner<F, P, Q = NoQueue> {
    pub(crate) body: F,
    pub(crate) place: P,
    /// Where items wait meanwhile.
    pub(crate) admission: Q,
}

/// Makes a running body, a `J`, of an item.
///
/// [`BodySpawner`] is all there is. `J` is a parameter and no associated type, so that what a loop is
/// made of is named in its type: were the kind of job looked up from place and body, no loop whose
/// bodies are boxed could be `Send` inside a spawned task.
pub trait Spawner<I, J: JobHandle> {
    /// Where items wait that have been pulled and do not run.
    #[doc(hidden)]
    type AdmissionQueue: MaybeQueue<I, J::Output>;

    /// Calls the body with `item` and starts what it returns.
    fn launch(&mut self, attempt: Attempt, item: I) -> J;

    /// Where items wait.
    #[doc(hidden)]
    fn admission(&self) -> &Self::AdmissionQueue;

    /// As [`admission`](Self::admission).
    #[doc(hidden)]
    fn admission_mut(&mut self) -> &mut Self::AdmissionQueue;
}

impl<I, F, B, P, Q> Spawner<I, P::Job> for BodySpawner<F, P, Q>
where
    F: FnMut(I) -> B,
    B: Body,
    P: Place<B>,
    Q: MaybeQueue<I, B::Returns>,
{
    type AdmissionQueue = Q;

    fn launch(&mut self, attempt: Attempt, item: I) -> P::Job {
        self.place.start_attempt(attempt, (self.body)(item))
    }

    fn admission(&self) -> &Q {
        &self.admission
    }

    fn admission_mut(&mut self) -> &mut Q {
        &mut self.admission
    }
}
