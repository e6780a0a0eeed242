//! The trait of all places.

use super::body_set::BodySet;
use super::dispatch::Sources;
use crate::body::{Attempt, Body};

/// Where the bodies of a loop run.
///
/// The places are
///
/// - [`Inline`](crate::place::Inline), the default: in the caller's task;
/// - [`ParentWaker`](crate::place::ParentWaker), by
///   [`Loop::with_parent_waker`](crate::Loop::with_parent_waker): in the caller's task, with the caller's
///   waker;
/// - [`Spawned`](crate::place::Spawned), by [`Loop::on`](crate::Loop::on): a task for each body;
/// - [`SpawnedLocal`](crate::place::SpawnedLocal), by [`Loop::on_local`](crate::Loop::on_local): a task on the
///   current thread for each body;
/// - [`SpawnedScoped`](crate::place::SpawnedScoped), by [`Loop::on_scoped_tasks`](crate::Loop::on_scoped_tasks): a task
///   that borrows, on the threads of a scope;
/// - [`SpawnedBlocking`](crate::place::SpawnedBlocking), by [`Loop::on_blocking`](crate::Loop::on_blocking): a
///   task that may block its thread;
/// - [`WorkerPool`](crate::place::WorkerPool) and [`PushPool`](crate::place::PushPool), by
///   [`Loop::on_workers`](crate::Loop::on_workers): on a few workers;
/// - [`ScopedWorkers`](crate::place::ScopedWorkers), by [`Loop::on_scoped`](crate::Loop::on_scoped): on workers that borrow, on
///   the threads of a scope;
/// - [`Layered`](crate::place::Layered), by [`Loop::layer`](crate::Loop::layer): at any of these, with each body
///   wrapped.
///
/// [`Loop::at`](crate::Loop::at) takes any of them as a value.
#[diagnostic::on_unimplemented(
    message = "`{B}` cannot be spawned on this runtime",
    label = "the body cannot run as a task of its own",
    note = "a spawned body must own what it uses (`'static`): move or clone it into the body",
    note = "a spawned body must be `Send`, unless the runtime is single-threaded",
    note = "remove `.on(..)` to run bodies that borrow in the caller's task"
)]
pub trait Place<B: Body> {
    /// The set that holds the running bodies of a loop here.
    type Set: BodySet<Output = B::Returns>;

    /// How bodies get here: [`Push`](crate::place::Push) or [`Pull`](crate::place::Pull).
    type Dispatch: Sources;

    /// Makes the set for a loop that starts the bodies.
    fn set(&self) -> Self::Set;

    /// Makes the set for a loop whose workers pull the bodies from `source`. If the loop `HAS_RULES`, the source has a driver
    /// that decides when they start.
    fn pull_set<const HAS_RULES: bool>(
        self,
        source: <Self::Dispatch as Sources>::Source<B>,
    ) -> Self::Set
    where
        Self: Sized;

    /// Starts `body`, made for this attempt at this item. What it returns is stored in the set.
    fn start(
        &self,
        attempt: Attempt,
        body: B,
        completer: <Self::Set as BodySet>::Completer,
    ) -> <Self::Set as BodySet>::Job;
}
