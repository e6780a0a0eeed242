//! `wait`: a set of running bodies, until all, one, a failure or a time.

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::budget::BUDGET;
use crate::engine::{CapacityHint, JobHandle};
use crate::place::{BodySet, PoolHandle};
use crate::place::{Inline, InlineJob, Place, Spawned};
use crate::{Outcome, Spawn, Task, Timer};

/// A set of running bodies to [`wait`] for, as often as one likes.
///
/// Made [of futures](TaskSet::new), which run in the caller's task while they are waited for, or
/// [of tasks](TaskSet::spawn), which run by themselves. Each has an index: its place in the order
/// of putting in.
///
/// Dropping the set stops what still runs in it.
#[must_use = "dropping a set stops what runs in it; `wait` for it"]
pub struct TaskSet<J: JobHandle> {
    bodies: BodySet<J>,
    /// Ends that were seen by a wait that was dropped before it could tell them.
    done: Vec<Completed<J::Output>>,
    next: usize,
}

/// A body that has ended, and how.
#[derive(Debug)]
pub struct Completed<T> {
    /// The body's place in the order of putting in.
    pub index: usize,
    /// How it ended. For a body that returns a `Result`, `outcome.into()` lifts its error:
    /// `Outcome<Result<T, E>>` becomes `Outcome<T, E>`.
    pub outcome: Outcome<T>,
}

impl<F: Future> TaskSet<InlineJob<F>> {
    /// Makes a set of futures that run in the caller's task, while they are waited for.
    pub fn new(futures: impl IntoIterator<Item = F>) -> Self {
        Self::at(&Inline, futures)
    }

    /// Puts one more future in and returns its index.
    pub fn push(&mut self, future: F) -> usize {
        self.insert(InlineJob::new(future))
    }
}

impl<T> TaskSet<Task<T>> {
    /// Starts every future as a task of `runtime`, at once.
    pub fn spawn<F>(runtime: &impl Spawn, futures: impl IntoIterator<Item = F>) -> Self
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Self::at(&Spawned(runtime), futures)
    }

    /// Puts one more task in and returns its index.
    pub fn push_task(&mut self, task: Task<T>) -> usize {
        self.insert(task)
    }
}

impl<T> FromIterator<Task<T>> for TaskSet<Task<T>> {
    fn from_iter<I: IntoIterator<Item = Task<T>>>(tasks: I) -> Self {
        Self::of(None, tasks)
    }
}

impl<J: JobHandle> TaskSet<J> {
    /// Starts every future at `place`: what [`new`](Self::new) and [`spawn`](Self::spawn) do for
    /// the places they name.
    pub fn at<P, F>(place: &P, futures: impl IntoIterator<Item = F>) -> Self
    where
        P: Place<F, Job = J>,
        F: Future,
    {
        Self::of(place.pool(None), futures.into_iter().map(|future| place.start(future)))
    }

    fn of(pool: Option<PoolHandle<J>>, jobs: impl IntoIterator<Item = J>) -> Self {
        let jobs = jobs.into_iter();
        let mut bodies = BodySet::new(pool);
        bodies.expect(CapacityHint::of(usize::MAX, jobs.size_hint()));
        let mut running = Self { bodies, done: Vec::new(), next: 0 };
        for job in jobs {
            running.put(job);
        }
        running.bodies.dispatch();
        running
    }

    fn insert(&mut self, job: J) -> usize {
        let index = self.put(job);
        self.bodies.dispatch();
        index
    }

    fn put(&mut self, job: J) -> usize {
        let index = self.next;
        self.next += 1;
        self.bodies.insert(index, job);
        index
    }

    /// How many bodies have not ended yet, or ended and were not told.
    pub fn len(&self) -> usize {
        self.bodies.len() + self.done.len()
    }

    /// Whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<J: JobHandle> fmt::Debug for TaskSet<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Waits for running bodies: until all have ended, unless told otherwise.
///
/// Gives `(done, pending)`: what has ended, in the order of ends, each once; and the set itself,
/// in which the others go on and can be waited for again. A body's failure or panic is part of its
/// outcome and fails no wait. On an empty set every wait is over at once.
///
/// Known from Python as `asyncio.wait`.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::TaskSet;
/// use futures_lite::future::yield_now;
///
/// let count = async |n: u32| { for _ in 0..n { yield_now().await } n };
/// let mut running = TaskSet::new([count(30), count(10), count(20)]);
///
/// let (done, pending) = forloop::wait(&mut running).first_completed().await;
/// assert_eq!(done[0].index, 1);
/// assert_eq!(pending.len(), 2);
///
/// let (done, pending) = forloop::wait(pending).await;
/// assert_eq!(done.iter().map(|done| done.index).collect::<Vec<_>>(), [2, 0]);
/// assert!(pending.is_empty());
/// # });
/// ```
///
/// # Cancel safety
///
/// Dropping a wait loses nothing: the set keeps what runs and what has ended, for the next wait.
pub fn wait<J: JobHandle>(running: &mut TaskSet<J>) -> Wait<'_, J> {
    Wait { running: Some(running), enough: |_| false, looked_back: false, timeout: None }
}

pin_project! {
    /// A wait that can be awaited: see [`wait`].
    #[must_use = "a wait does nothing until it is awaited"]
    pub struct Wait<'a, J: JobHandle, S = core::future::Pending<()>> {
        running: Option<&'a mut TaskSet<J>>,
        // Whether this end is the one that was waited for.
        enough: fn(&Outcome<J::Output>) -> bool,
        // Whether the ends that an earlier wait has seen were looked at.
        looked_back: bool,
        #[pin]
        timeout: Option<S>,
    }
}

impl<'a, J: JobHandle, S> Wait<'a, J, S> {
    /// Until at least one has ended; more, if more have ended by then.
    pub fn first_completed(self) -> Self {
        Self { enough: |_| true, ..self }
    }

    /// Until one has failed or panicked; until all have ended, if none does.
    pub fn first_failure<T, E>(self) -> Self
    where
        J: JobHandle<Output = Result<T, E>>,
    {
        Self {
            enough: |outcome| matches!(outcome, Outcome::Ok(Err(_)) | Outcome::Panicked(_)),
            ..self
        }
    }

    /// At most until `duration` has passed, counted from this call: the wait then gives what has
    /// ended, and the rest goes on.
    pub fn timeout<R: Timer>(
        self,
        timer: &R,
        duration: Duration,
    ) -> Wait<'a, J, impl Future<Output = ()> + Send + use<R, J, S>> {
        let sleep = timer.sleep(duration);
        Wait {
            running: self.running,
            enough: self.enough,
            looked_back: self.looked_back,
            timeout: Some(sleep),
        }
    }
}

impl<'a, J: JobHandle, S: Future<Output = ()>> Future for Wait<'a, J, S> {
    type Output = (Vec<Completed<J::Output>>, &'a mut TaskSet<J>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let running = this.running.as_mut().expect("a wait that is over is not polled again");
        let mut enough = !core::mem::replace(this.looked_back, true)
            && running.done.iter().any(|done| (this.enough)(&done.outcome));
        if J::PARENT_WAKER {
            running.bodies.mark_all_due();
            let _: ControlFlow<()> = running.bodies.poll_due(cx.waker(), |end| {
                enough |= (this.enough)(&end.outcome);
                running.done.push(Completed { index: end.index, outcome: end.outcome });
                ControlFlow::Continue(())
            });
        }
        // Those have had it.
        let mut had_its_round = J::PARENT_WAKER;
        for _ in 0..BUDGET {
            match running.bodies.poll_next_woken() {
                Some(None) => {}
                Some(Some(end)) => {
                    enough |= (this.enough)(&end.outcome);
                    running.done.push(Completed { index: end.index, outcome: end.outcome });
                }
                // Those that were woken together have had their turn together, and the executor
                // has its turn before theirs comes again.
                None if enough || had_its_round || !running.bodies.next_round() => break,
                None => had_its_round = true,
            }
        }
        let mut over = enough || running.bodies.is_empty();
        if !over {
            over = this.timeout.as_pin_mut().is_some_and(|sleep| sleep.poll(cx).is_ready());
        }
        if over {
            let running = this.running.take().expect("it was there above");
            return Poll::Ready((core::mem::take(&mut running.done), running));
        }
        if !running.bodies.sleep(cx) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<J: JobHandle, S> fmt::Debug for Wait<'_, J, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("running", &self.running).finish_non_exhaustive()
    }
}
