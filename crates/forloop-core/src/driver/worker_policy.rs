//! What workers that pull have of a loop's policy.

use alloc::boxed::Box;
use core::task::{Context, Poll};

use crate::Panic;
use crate::engine::Key;
use crate::options::{Policy, Rule, WorkerItems};
use crate::outcome::catch;
use crate::place::{TimeLimits, WorkerOptions};

/// What workers that pull have of the policy `C`.
pub type OnWorkers<C> = WorkerPolicy<<C as Policy>::WorkerItems, <C as Policy>::TimeLimits>;

/// What workers that pull have of a loop's policy: how they unwrap what the source gives, and the time limits of bodies.
#[derive(Debug)]
pub struct WorkerPolicy<E, L> {
    items: E,
    policy: L,
}

impl<E, L> WorkerPolicy<E, L> {
    pub(super) fn of<C: Policy<WorkerItems = E, TimeLimits = L>>(policy: &mut C) -> Self {
        Self { items: policy.worker_items(), policy: policy.time_limits() }
    }
}

impl<G, E, L> WorkerOptions<G> for WorkerPolicy<E, L>
where
    E: WorkerItems<G>,
    L: Rule + Send + 'static,
{
    type Item = E::Item;

    #[inline]
    fn item_of(&mut self, given: G) -> Option<E::Item> {
        self.items.item_of(given)
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        if L::HAS_SIGNALS { WorkerLimits::of(&self.policy) } else { None }
    }
}

/// The time limits of the bodies on one worker.
struct WorkerLimits<L> {
    policy: L,
}

impl<L: Rule + Send + 'static> WorkerLimits<L> {
    fn of(policy: &L) -> Option<Box<dyn TimeLimits + Send>> {
        let policy = policy.for_worker()?;
        Some(Box::new(Self { policy }))
    }
}

impl<L: Rule + Send + 'static> TimeLimits for WorkerLimits<L> {
    fn for_another_worker(&self) -> Option<Box<dyn TimeLimits + Send>> {
        Self::of(&self.policy)
    }

    fn on_start(&mut self, body: Key, runs: &dyn Fn(Key) -> bool) -> Result<(), Panic> {
        // A body has one attempt: an option that retries sees each body start.
        catch(|| self.policy.on_start(body, 1, |body, _| runs(body)))
    }

    fn poll_timed_out(
        &mut self,
        cx: &mut Context<'_>,
        runs: &dyn Fn(Key) -> bool,
    ) -> Poll<Result<Key, Panic>> {
        match catch(|| self.policy.poll_timed_out(cx, |body, _| runs(body))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
