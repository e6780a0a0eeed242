//! A loop and its body become a drive.

use futures_core::Stream;

use super::Drive;
use super::spawner::BodySpawner;
use super::worker_policy::OnWorkers;
use crate::admission::MaybeQueue;
use crate::body::Body;
use crate::looping::{LimitSet, Loop};
use crate::options::{ItemPolicy, LoopParts, OutcomeRule, WorkerKind};
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
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        let Self { source, place, limit, policy, origin, timer: _ } = self;
        let limit = limit.bodies();
        // A strategy that knows errors has a place for every other failure, too.
        let handles_outcomes = C::HAS_OUTCOMES || is_error.is_some();
        let mut parts = LoopParts::new(policy, limit, origin, is_error);
        let on_workers = || C::WorkerKind::part(&mut parts);
        let (source, spawner, running) = match P::Dispatch::body_source(source, body, on_workers) {
            // The workers pull the items and start the bodies.
            Ok(source) if C::HAS_RULES => (None, None, place.pull_set::<true>(source)),
            Ok(source) => (None, None, place.pull_set::<false>(source)),
            Err((source, body)) => {
                let running = place.set();
                (Some(source), Some(BodySpawner { body, place }), running)
            }
        };
        let LoopParts { policy, interruption, attempts, .. } = parts;
        let policy = (policy, handles_outcomes);
        let mut admission = C::AdmissionQueue::new(is_error);
        if !C::HAS_RULES {
            return Drive::new(source, spawner, admission, running, limit, policy, origin);
        }
        if let Some(queue) = admission.queue_mut() {
            queue.shared = attempts;
        }
        let drive = Drive::new(source, spawner, admission, running, limit, policy, origin);
        drive.delegated(interruption)
    }
}
