//! A loop on a few workers: tasks of a runtime, each of which drives an engine of its own.
//!
//! As a rule the workers [draw](depot) their bodies: one after another takes the loop's source and the
//! body's closure, its [`well`], makes as many bodies as it has room for, and polls them as in-task bodies are. The loop's
//! own task, the *front*, hears of their ends and has the workers stop: that is [`drawing`].
//!
//! Where the source or the closure cannot be sent to a thread, or the loop's policy must see each body
//! begin, the front pulls the items and calls the closure itself. Then bodies travel in chunks to the
//! worker with the fewest: that is the [`crew`].
//!
//! Either way the ends come back in chunks. What the two sides share is in [`desk`] and [`depot`]: queues
//! and flags, no lock. A [`team`] is what a loop sees, whether it has workers or not.

mod bells;
mod crew;
mod depot;
mod desk;
mod drawing;
#[cfg(all(test, forloop_loom))]
mod model;
mod pace;
mod shared;
mod team;
mod well;
mod worker;

pub(crate) use self::crew::{Crew, Terms};
pub(crate) use self::desk::{SOURCE, Weight};
pub(crate) use self::team::Team;
pub(crate) use self::well::{BoxedWell, Spring};
pub(crate) use self::worker::Weighing;

use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use self::crew::Front;
use self::drawing::Drawers;
use crate::place::{Body, Brought, Drawn, Place, Started};
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

    /// The same workers, for a loop whose items or closure borrow or are not `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::OnWorkers;
    ///
    /// async fn lengths<R: forloop::Runtime>(runtime: R, words: &[String]) -> Vec<usize> {
    ///     let items = forloop::each(words).unbounded().at(OnWorkers::new(runtime).fed());
    ///     items
    ///         .gather(|word| {
    ///             let word = word.clone();
    ///             async move { word.len() }
    ///         })
    ///         .await
    /// }
    /// ```
    pub fn fed(self) -> Fed<R> {
        Fed { workers: self }
    }
}

impl<R, B> Place<B> for OnWorkers<R>
where
    R: Spawn + Clone + Send + Sync + 'static,
    B: Body<Returns: Send> + Send + 'static,
{
    type Job = Errand<B>;
    type Supply = Drawn;

    fn start(&self, body: B) -> Errand<B> {
        Errand { body }
    }

    fn crew(&self, well: Option<BoxedWell<B>>) -> Option<Crew<Errand<B>>> {
        let runtime = self.runtime.clone();
        Some(match well {
            Some(well) => Crew::new(Drawers::new(runtime, self.workers, well)),
            None => Crew::new(Front::new(runtime, self.workers)),
        })
    }
}

/// On a few workers, to which the caller's task brings the bodies.
///
/// It pulls the items and calls the body's closure itself, so these may borrow and need not be `Send`; each
/// body costs a part of a trip to another thread, which is more than a short body costs. Begins as
/// [`OnWorkers::fed`].
#[derive(Debug, Clone, Copy)]
pub struct Fed<R> {
    workers: OnWorkers<R>,
}

impl<R, B> Place<B> for Fed<R>
where
    R: Spawn + Clone + Send + Sync + 'static,
    B: Body<Returns: Send> + Send + 'static,
{
    type Job = Errand<B>;
    type Supply = Brought;

    fn start(&self, body: B) -> Errand<B> {
        Place::start(&self.workers, body)
    }

    fn crew(&self, _well: Option<BoxedWell<B>>) -> Option<Crew<Errand<B>>> {
        Place::crew(&self.workers, None)
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
