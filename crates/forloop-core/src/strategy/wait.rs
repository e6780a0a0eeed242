//! `wait`: waits for a set of futures or tasks until all, one, a failure or a time-out.

use alloc::vec::Vec;
use core::fmt;
use core::future::Pending;
use core::ops::ControlFlow;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::body::Attempt;
use crate::budget::{BUDGET, Repolls, Turn, count_polls, end_turn};
use crate::engine::{CapacityHint, Completion, FutureSet};
use crate::looping::{TimerSet, TimerUnset, WithTimer};
use crate::place::{BodySet, Inline, InlineJob, Place, StopBodies};
use crate::simulation::Origin;
use crate::{LocalTimer, Outcome, Spawn, Task, spawn};

/// A set of futures or tasks to [`wait`] for, any number of times.
///
/// A set is made [of futures](TaskSet::new), which run in the caller's task while they are waited
/// for, or of tasks, which run by themselves: it [spawns](TaskSet::spawn) them, or [takes](TaskSet::from_tasks) them. Each has an index, in the order of
/// insertion.
///
/// Dropping the set cancels what still runs in it. [`request_cancel`](TaskSet::request_cancel) cancels one, and
/// [`cancel`](TaskSet::cancel) waits until all have stopped.
#[doc(alias = "JoinMap")]
#[doc(alias = "FutureGroup")]
#[must_use = "dropping a set cancels what runs in it; `wait` for it"]
#[doc(alias = "JoinSet")]
#[doc(alias = "FuturesUnordered")]
pub struct TaskSet<J, R: BodySet<Job = J> = FutureSet<J>> {
    bodies: R,
    /// Completions that no wait has returned yet.
    done: Vec<Completed<R::Output>>,
    next_index: usize,
    /// The polls since a wait last returned `Pending`. The count belongs to the set and not to one wait: a task
    /// whose waits for this set are all ready at once must yield, too.
    polls_this_turn: usize,
    repolls: Repolls,
}

// The set catches the panics of what it polls, so a panic that unwinds past it comes from elsewhere.
impl<J: UnwindSafe, R: BodySet<Job = J, Output: UnwindSafe>> UnwindSafe for TaskSet<J, R> {}
impl<J, R> RefUnwindSafe for TaskSet<J, R>
where
    J: RefUnwindSafe,
    R: BodySet<Job = J, Output: RefUnwindSafe>,
{
}

/// A future or task of a set that has completed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completed<T> {
    /// Its index, in the order of insertion.
    pub index: usize,
    /// How it has completed. For a future that returns a `Result`, `outcome.into()` lifts the error:
    /// `Outcome<Result<T, E>>` becomes `Outcome<T, E>`.
    pub outcome: Outcome<T>,
}

impl<F: Future> TaskSet<InlineJob<F>> {
    /// Makes a set of futures, which run in the caller's task while they are waited for.
    ///
    /// A [`Task`] is a future, too, and its output is a `Result`: one that was cancelled completes with
    /// `Outcome::Ok(Err(Cancelled))`. In a set made by [`from_tasks`](Self::from_tasks) it completes with
    /// [`Outcome::Cancelled`].
    pub fn new(futures: impl IntoIterator<Item = F>) -> Self {
        Self::at(&Inline, futures)
    }

    /// Adds a future and returns its index.
    pub fn push(&mut self, future: F) -> usize {
        let mut future = Some(future);
        self.insert(&mut |()| InlineJob::new(future.take().expect("it is put once")))
    }
}

impl<F: Future> Extend<F> for TaskSet<InlineJob<F>> {
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.push(future);
        }
    }
}

impl<T> TaskSet<Task<T>> {
    /// Spawns every future as a task of `runtime`.
    #[track_caller]
    pub fn spawn<F>(runtime: &impl Spawn, futures: impl IntoIterator<Item = F>) -> Self
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let futures = futures.into_iter();
        let mut set = Self::empty(FutureSet::new(), futures.size_hint());
        // A loop, because in a closure the caller is not known any more.
        for future in futures {
            set.put_task(spawn(runtime, future));
        }
        set
    }

    /// Makes a set of tasks, as `collect` does. It owns the tasks, as it owns those that it has
    /// [spawned](Self::spawn).
    ///
    /// The outcome of a task that was cancelled is [`Outcome::Cancelled`], and that of one that panicked is
    /// [`Outcome::Panicked`]. The set does not poll a task to see it run, and is woken once when it completes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::types::Completed;
    /// use forloop::{Cancelled, Outcome, Spawn, TaskSet, spawn, wait};
    ///
    /// async fn compare(runtime: &impl Spawn) {
    ///     let cancelled = || {
    ///         let task = spawn(runtime, std::future::pending::<u32>());
    ///         task.request_cancel();
    ///         task
    ///     };
    ///     let (mut tasks, mut futures) =
    ///         (TaskSet::from_tasks([cancelled()]), TaskSet::new([cancelled()]));
    ///
    ///     let done: Vec<Completed<u32>> = wait(&mut tasks).await.0;
    ///     assert!(matches!(done[0].outcome, Outcome::Cancelled | Outcome::NotRun));
    ///
    ///     let done: Vec<Completed<Result<u32, Cancelled>>> = wait(&mut futures).await.0;
    ///     assert!(matches!(done[0].outcome, Outcome::Ok(Err(Cancelled))));
    /// }
    /// ```
    pub fn from_tasks(tasks: impl IntoIterator<Item = Task<T>>) -> Self {
        let tasks = tasks.into_iter();
        let mut set = Self::empty(FutureSet::new(), tasks.size_hint());
        for task in tasks {
            set.put_task(task);
        }
        set
    }

    /// Adds a task and returns its index.
    pub fn push_task(&mut self, task: Task<T>) -> usize {
        self.put_task(task)
    }

    fn put_task(&mut self, task: Task<T>) -> usize {
        let mut task = Some(task);
        self.put(&mut |()| task.take().expect("it is put once"))
    }
}

impl<T> FromIterator<Task<T>> for TaskSet<Task<T>> {
    fn from_iter<I: IntoIterator<Item = Task<T>>>(tasks: I) -> Self {
        Self::from_tasks(tasks)
    }
}

impl<T> Extend<Task<T>> for TaskSet<Task<T>> {
    fn extend<I: IntoIterator<Item = Task<T>>>(&mut self, tasks: I) {
        for task in tasks {
            self.put_task(task);
        }
    }
}

impl<J, R: BodySet<Job = J>> TaskSet<J, R> {
    /// Starts every future at `place`, as [`new`](Self::new) and [`spawn`](Self::spawn) do for the
    /// places they name.
    pub fn at<P, F>(place: &P, futures: impl IntoIterator<Item = F>) -> Self
    where
        P: Place<F, Set = R>,
        F: Future,
    {
        let mut futures = futures.into_iter();
        let mut set = Self::empty(place.set(), futures.size_hint());
        loop {
            let mut next = futures.next();
            if next.is_none() {
                break;
            }
            let attempt = Attempt::first(set.next_index);
            set.put(&mut |completer| {
                place.start(attempt, next.take().expect("it is put once"), completer)
            });
        }
        set.bodies.dispatch();
        set
    }

    /// A set to which about as many bodies are added as `size_hint` says.
    fn empty(mut bodies: R, size_hint: (usize, Option<usize>)) -> Self {
        bodies.set_origin(Origin::unknown());
        bodies.set_capacity_hint(CapacityHint::of(usize::MAX, size_hint));
        Self {
            bodies,
            done: Vec::new(),
            next_index: 0,
            polls_this_turn: 0,
            repolls: Repolls::new(),
        }
    }

    fn insert(&mut self, make: &mut impl FnMut(R::Completer) -> J) -> usize {
        let index = self.put(make);
        self.bodies.dispatch();
        index
    }

    fn put(&mut self, make: &mut impl FnMut(R::Completer) -> J) -> usize {
        let index = self.next_index;
        self.next_index += 1;
        self.bodies.insert(index, make);
        index
    }

    /// The number of futures or tasks that no wait has returned yet.
    pub fn len(&self) -> usize {
        self.bodies.len() + self.done.len()
    }

    /// Whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<J, R: StopBodies<Job = J>> TaskSet<J, R> {
    /// Cancels the future or task with this index, without waiting for it. The others keep running.
    ///
    /// A future in the caller's task is dropped by the call. A task is dropped at its current await. The next
    /// [`wait`] returns it with the outcome [`Outcome::Cancelled`], or [`Outcome::NotRun`] if it is a task that was
    /// never polled. If it had completed before, the call has no effect, and its outcome is what it would have been.
    /// Nor has it if there is no such index.
    ///
    /// It takes time in proportion to what runs in the set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::{Outcome, TaskSet, wait};
    ///
    /// let mut set = TaskSet::new((0..3).map(|_| std::future::pending::<()>()));
    /// set.request_cancel(1);
    /// let (done, pending) = wait(&mut set).first_completed().await;
    /// assert!(matches!(done[..], [forloop::types::Completed { index: 1, outcome: Outcome::Cancelled, .. }]));
    /// assert_eq!(pending.cancel().await.len(), 2);
    /// # });
    /// ```
    #[doc(alias = "abort")]
    pub fn request_cancel(&mut self, index: usize) {
        let stopped = self.bodies.stop_one(index);
        self.done
            .extend(stopped.map(|Completion { index, outcome, .. }| Completed { index, outcome }));
    }

    /// Cancels every future and task, waits until they have stopped, and returns what no wait has returned yet.
    ///
    /// That is also what completed first, with its value. The set is then empty, and can be filled again.
    ///
    /// # Cancel safety
    ///
    /// All are cancelled by the call. Dropping the returned future only stops waiting, and the next [`wait`] returns
    /// what it would have returned.
    #[doc(alias = "abort_all")]
    #[doc(alias = "shutdown")]
    pub fn cancel(&mut self) -> impl Future<Output = Vec<Completed<R::Output>>> {
        let done = &mut self.done;
        self.bodies.stop_each(|Completion { index, outcome, .. }| {
            done.push(Completed { index, outcome });
        });
        async move { wait(self).await.0 }
    }
}

impl<J, R: BodySet<Job = J>> fmt::Debug for TaskSet<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Waits until every future or task of a set has completed, or until the condition that was set.
///
/// It returns `(done, pending)`: what has completed, in completion order and each once; and the set,
/// in which the others can be waited for again. A failure or a panic is part of the outcome, and the
/// wait itself never fails. A wait for an empty set completes at the first poll.
///
/// Equivalent to Python's `asyncio.wait`.
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
/// let mut set = TaskSet::new([count(30), count(10), count(20)]);
///
/// let (done, pending) = forloop::wait(&mut set).first_completed().await;
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
/// Dropping a wait loses nothing: the set keeps what runs and what has completed for the next wait.
#[doc(alias = "asyncio.wait")]
#[doc(alias = "join_next")]
pub fn wait<J, R: BodySet<Job = J>>(set: &mut TaskSet<J, R>) -> Wait<'_, J, R> {
    Wait {
        set: Some(set),
        is_awaited: |_| false,
        has_examined_done: false,
        timer: TimerUnset,
        timeout: None,
    }
}

pin_project! {
    /// The future of [`wait`], and its condition.
    #[must_use = "a wait does nothing until it is awaited"]
    pub struct Wait<'a, J, R: BodySet<Job = J> = FutureSet<J>, M = TimerUnset, S = Pending<()>> {
        // `None` once the wait has completed.
        set: Option<&'a mut TaskSet<J, R>>,
        // Whether this outcome completes the wait.
        is_awaited: fn(&Outcome<R::Output>) -> bool,
        // Whether the completions that an earlier wait has left were examined.
        has_examined_done: bool,
        timer: M,
        #[pin]
        timeout: Option<S>,
    }
}

impl<'a, J, R: BodySet<Job = J>, M, S> Wait<'a, J, R, M, S> {
    /// Waits until at least one has completed. More than one is returned if more have completed by then.
    #[doc(alias = "FIRST_COMPLETED")]
    pub fn first_completed(self) -> Self {
        Self { is_awaited: |_| true, ..self }
    }

    /// Waits until one has failed or panicked, or until all have completed if none does.
    #[doc(alias = "FIRST_EXCEPTION")]
    pub fn first_failure<T, E>(self) -> Self
    where
        R: BodySet<Output = Result<T, E>>,
    {
        Self {
            is_awaited: |outcome| matches!(outcome, Outcome::Ok(Err(_)) | Outcome::Panicked(_)),
            ..self
        }
    }

    /// Sets the clock of the [`timeout`](Self::timeout) that follows: see [`Loop::timer`](crate::Loop::timer).
    pub fn timer<C>(self, timer: &C) -> Wait<'a, J, R, WithTimer<C>, S>
    where
        C: LocalTimer + Clone + 'static,
    {
        self.with_timer(WithTimer(timer.clone()))
    }

    /// Returns the same wait with another source of clocks.
    #[doc(hidden)]
    pub fn with_timer<C>(self, timer: C) -> Wait<'a, J, R, C, S> {
        let Self { set, is_awaited, has_examined_done, timer: _, timeout } = self;
        Wait { set, is_awaited, has_examined_done, timer, timeout }
    }

    /// Waits no longer than `duration`, counted from the first poll. The wait then returns what has
    /// completed, and cancels nothing.
    ///
    /// A duration of zero waits for one tick of the timer, which is a millisecond on tokio. To see what has completed
    /// without waiting, poll the wait once. After waits have returned 256 completions without being pending, one is pending
    /// once, so that a loop around them yields to its executor: then poll it again.
    ///
    /// The wait is not `Send` if the sleeps of a [`LocalTimer`] are not. Those of a [`Timer`](crate::Timer) are.
    pub fn timeout(
        self,
        duration: Duration,
    ) -> Wait<'a, J, R, M, impl Future<Output = ()> + use<J, R, M, S>>
    where
        M: TimerSet,
    {
        let Self { set, is_awaited, has_examined_done, timer, .. } = self;
        let clock = timer.timer();
        let timeout = Some(async move { clock.sleep_in_place(duration).await });
        Wait { set, is_awaited, has_examined_done, timer, timeout }
    }
}

impl<'a, J, R, M, S> Future for Wait<'a, J, R, M, S>
where
    R: BodySet<Job = J>,
    S: Future<Output = ()>,
{
    type Output = (Vec<Completed<R::Output>>, &'a mut TaskSet<J, R>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let set = this.set.as_mut().expect("a wait is not polled again after it has completed");
        let own = set.polls_this_turn;
        let turn = Turn::enter(&mut set.polls_this_turn, &mut set.repolls);
        if set.polls_this_turn >= BUDGET {
            drop(turn);
            end_turn();
            set.polls_this_turn = 0;
            set.bodies.end_turn();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Before the bodies: one that uses up what the runtime allows a task in a turn would hide it forever.
        let is_over = this.timeout.as_pin_mut().is_some_and(|sleep| sleep.poll(cx).is_ready());
        let mut is_met = !core::mem::replace(this.has_examined_done, true)
            && set.done.iter().any(|done| (this.is_awaited)(&done.outcome));
        if R::PARENT_WAKER {
            let bodies = set.bodies.len();
            set.bodies.mark_all_due();
            let _: ControlFlow<()> = set.bodies.poll_due(cx.waker(), |completion| {
                let Completion { index, outcome, .. } = completion;
                is_met |= (this.is_awaited)(&outcome);
                set.done.push(Completed { index, outcome });
                ControlFlow::Continue(())
            });
            count_polls(&mut set.polls_this_turn, bodies);
        }
        // One round for each poll, so that bodies which wake themselves yield to the executor: a round that the
        // budget has split, or a new one. With the parent waker that was the round above.
        let mut is_round_complete = R::PARENT_WAKER || set.bodies.is_round_in_progress();
        while set.polls_this_turn < BUDGET {
            match set.bodies.poll_next_woken() {
                Some(completion) => {
                    count_polls(&mut set.polls_this_turn, 1);
                    if let Some(Completion { index, outcome, .. }) = completion {
                        is_met |= (this.is_awaited)(&outcome);
                        set.done.push(Completed { index, outcome });
                    }
                }
                None if is_met || is_round_complete || !set.bodies.next_round() => break,
                None => is_round_complete = true,
            }
        }
        if is_met || is_over || set.bodies.is_empty() {
            let set = this.set.take().expect("it was there above");
            turn.keep_own(&mut set.polls_this_turn, own);
            return Poll::Ready((core::mem::take(&mut set.done), set));
        }
        set.polls_this_turn = 0;
        if !set.bodies.sleep(cx) {
            drop(turn);
            end_turn();
            set.bodies.end_turn();
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<J, R: BodySet<Job = J>, M, S> fmt::Debug for Wait<'_, J, R, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("set", &self.set).finish_non_exhaustive()
    }
}
