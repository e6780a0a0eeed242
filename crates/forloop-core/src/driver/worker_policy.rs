//! What workers that pull have of a loop's policy.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use futures_core::Stream;

use crate::Panic;
use crate::body::Body;
use crate::engine::Key;
use crate::options::{EachPulls, LoopParts, Policy, Rule, WorkerItems, WorkerKind};
use crate::outcome::catch;
use crate::place::{BoxedSource, IntoSource, SourceBodies, TimeLimits, WorkerOptions};

/// What workers that pull have of the policy `C`, if bodies return an `R`.
pub type OnWorkers<C, R> = <<C as Policy>::WorkerKind as WorkerKind>::Part<C, R>;

impl WorkerKind for EachPulls {
    type Part<C: Policy, R> = WorkerPolicy<C::WorkerItems, C::TimeLimits>;

    fn part<C: Policy, R>(parts: &mut LoopParts<C, R>) -> Self::Part<C, R> {
        let policy = parts.policy.as_mut().expect("the loop has its policy");
        WorkerPolicy { items: policy.worker_items(), policy: policy.time_limits() }
    }
}

/// What workers that pull have of a loop's policy: how they unwrap what the source gives, and the time limits of bodies.
#[derive(Debug)]
pub struct WorkerPolicy<E, L> {
    items: E,
    policy: L,
}

impl<'env, S, F, B, E, L> IntoSource<'env, S, F, B> for WorkerPolicy<E, L>
where
    S: Stream + Send + 'env,
    F: FnMut(E::Item) -> B + Send + 'env,
    B: Body,
    E: WorkerItems<S::Item> + Send + 'env,
    L: Rule + Send + 'static,
{
    fn into_source(self, source: S, body: F) -> BoxedSource<'env, B> {
        Box::pin(SourceBodies::new(source, body, self))
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
        time_limits(&self.policy)
    }
}

/// The limits of this policy for the time of bodies, for one worker.
pub(super) fn time_limits<L>(policy: &L) -> Option<Box<dyn TimeLimits + Send>>
where
    L: Rule + Send + 'static,
{
    if L::HAS_SIGNALS { WorkerLimits::of(policy) } else { None }
}

/// The time limits of the bodies on one worker.
struct WorkerLimits<L> {
    policy: L,
    /// The number of the last start in each slot. Of two attempts at an item in one slot, only the later one runs.
    starts: Vec<u32>,
    started: u32,
}

impl<L: Rule + Send + 'static> WorkerLimits<L> {
    fn of(policy: &L) -> Option<Box<dyn TimeLimits + Send>> {
        let policy = policy.for_worker()?;
        Some(Box::new(Self { policy, starts: Vec::new(), started: 0 }))
    }
}

impl<L: Rule + Send + 'static> TimeLimits for WorkerLimits<L> {
    fn for_another_worker(&self) -> Option<Box<dyn TimeLimits + Send>> {
        Self::of(&self.policy)
    }

    fn on_start(&mut self, body: Key, runs: &dyn Fn(Key) -> bool) -> Result<(), Panic> {
        let Self { policy, starts, started } = self;
        *started = started.wrapping_add(1);
        if starts.len() <= body.slot {
            starts.resize(body.slot + 1, 0);
        }
        starts[body.slot] = *started;
        let alive = |body: Key, start| starts[body.slot] == start && runs(body);
        catch(|| policy.on_start(body, *started, alive))
    }

    fn poll_timed_out(
        &mut self,
        cx: &mut Context<'_>,
        runs: &dyn Fn(Key) -> bool,
    ) -> Poll<Result<Key, Panic>> {
        let Self { policy, starts, .. } = self;
        let alive = |body: Key, start| starts[body.slot] == start && runs(body);
        match catch(|| policy.poll_timed_out(cx, alive)) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
