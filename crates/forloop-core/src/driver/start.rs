//! A loop and its body become a drive.

use futures_core::Stream;

use super::Drive;
use super::spawner::BodySpawner;
use super::worker_policy::{OnWorkers, WorkerPolicy};
use crate::admission::MaybeQueue;
use crate::body::Body;
use crate::looping::{LimitSet, Loop};
use crate::options::{ItemPolicy, OutcomeRule};
use crate::place::{BodySet, Dispatch, Place};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// The loop on its way, with this body. `is_error` says which of its outputs are errors, if the strategy knows.
    #[inline]
    pub(crate) fn drive<F, B, J, I>(
        self,
        body: F,
        is_error: Option<fn(&B::Returns) -> bool>,
    ) -> Drive<S, BodySpawner<F, P>, J, C::AdmissionQueue<I, B::Returns>, C, C::SourceError>
    where
        S: Stream,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, I, OnWorkers<C>>>,
        J: BodySet<Output = B::Returns>,
    {
        let Self { source, place, limit, mut policy, origin, timer: _ } = self;
        let limit = limit.bodies();
        let admission = MaybeQueue::new(is_error);
        let on_workers = (!C::SEES_STARTS).then_some(|| WorkerPolicy::of(&mut policy));
        let (source, spawner, running) = match P::Dispatch::body_source(source, body, on_workers) {
            // The workers pull the items and start the bodies.
            Ok(body_source) => (None, None, place.pull_set(body_source)),
            Err((source, body)) => {
                let running = place.set();
                (Some(source), Some(BodySpawner { body, place }), running)
            }
        };
        Drive::new(source, spawner, admission, running, limit, policy, origin)
    }
}
