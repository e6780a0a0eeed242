//! A loop on a few workers: tasks of a runtime, each of which drives an engine of its own.
//!
//! The loop's own task, the *front*, pulls the items, calls the body's closure and keeps the limit, as
//! ever. Bodies travel in chunks to the [`worker`] with the fewest, are polled there as in-task bodies
//! are, and their ends come back in chunks. What the two sides share is in [`desk`]: queues and flags,
//! no lock. What the front knows of its workers is the [`crew`]; [`team`] is what a loop sees, whether
//! it has a crew or not.

mod crew;
mod desk;
mod team;
mod worker;

pub(crate) use self::crew::Crew;
pub(crate) use self::team::Team;

use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use self::crew::Front;
use crate::place::{Body, Place, Started};
use crate::task::next_end;
use crate::{Outcome, Spawn};

/// On a few workers: tasks of a runtime with threads, each of which runs many bodies.
///
/// [`Loop::on_workers`](crate::Loop::on_workers) says when to choose it.
#[derive(Debug, Clone, Copy)]
pub struct OnWorkers<R> {
    runtime: R,
    workers: Option<NonZeroUsize>,
}

impl<R> OnWorkers<R> {
    /// As many workers as the runtime has threads.
    pub fn new(runtime: R) -> Self {
        Self { runtime, workers: None }
    }

    /// So many workers.
    pub fn of(runtime: R, workers: NonZeroUsize) -> Self {
        Self { runtime, workers: Some(workers) }
    }
}

impl<R, B> Place<B> for OnWorkers<R>
where
    R: Spawn + Clone + Send + Sync + 'static,
    B: Body<Returns: Send> + Send + 'static,
{
    type Job = Errand<B>;

    fn start(&self, body: B) -> Errand<B> {
        Errand { body }
    }

    fn crew(&self) -> Option<Crew<Errand<B>>> {
        Some(Crew::new(Front::new(self.runtime.clone(), self.workers)))
    }
}

pin_project! {
    /// A body on its way to a worker.
    ///
    /// Where nobody has workers for it, it runs in the caller's own task.
    #[derive(Debug)]
    pub struct Errand<B> {
        #[pin]
        body: B,
    }
}

impl<B: Body> Started for Errand<B> {
    type Output = B::Returns;

    const IN_TASK: bool = true;
    const BY_WORKERS: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Returns>> {
        self.project().body.poll(cx).map(Outcome::Ok)
    }

    fn doom(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn ended_at(&self) -> usize {
        Self::end_now()
    }

    fn end_now() -> usize {
        // Workers see ends side by side.
        next_end()
    }
}
