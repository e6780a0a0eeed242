//! Where a body runs: in the caller's own task, or as a task of a runtime.

mod blocking;
mod layered;
mod scoped;

pub use self::blocking::{SpawnedBlocking, SyncBody, spawn_blocking, sync_body};
pub use self::layered::{Layer, Layered};
pub use self::scoped::{SpawnedScoped, spawn_scoped};

use core::pin::Pin;
use core::task::{Context, Poll};

use alloc::boxed::Box;

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::admission::{MaybeQueue, NoQueue};
use crate::task::{Task, next_end, spawn, spawn_local};
use crate::workers::{BoxedSource, PoolHandle, SourceBodies};
use crate::{Outcome, Spawn, SpawnLocal};

/// Where the bodies of a loop run.
///
/// [`Inline`], [`ParentWaker`](crate::ParentWaker), [`Spawned`], [`WorkerPool`](crate::WorkerPool),
/// [`PushPool`](crate::PushPool), [`SpawnedLocal`], [`SpawnedScoped`] and [`SpawnedBlocking`] are all there are, and any of them with each
/// body [`Layered`]; a loop takes one
/// through [`Loop::with_parent_waker`](crate::Loop::with_parent_waker), [`Loop::on`](crate::Loop::on),
/// [`Loop::on_workers`](crate::Loop::on_workers), [`Loop::on_local`](crate::Loop::on_local),
/// [`Loop::on_scoped`](crate::Loop::on_scoped), [`Loop::on_blocking`](crate::Loop::on_blocking) and
/// [`Loop::at`](crate::Loop::at).
#[diagnostic::on_unimplemented(
    message = "`{B}` cannot run there",
    label = "this body cannot run as a task",
    note = "a spawned body owns what it uses (`'static`, so clone or move it in) and, unless the \
            runtime is single-threaded, is `Send`; a body that borrows runs in the caller's task: \
            leave out `.on(..)`"
)]
pub trait Place<B: Body> {
    /// A body that has been started here.
    type Job: JobHandle<Output = B::Returns>;

    /// How bodies come here: [`Push`] or [`Pull`].
    type Dispatch;

    /// Starts `body`.
    fn start(&self, body: B) -> Self::Job;

    /// Starts `body`, which is that of this attempt at this item.
    fn start_attempt(&self, _attempt: Attempt, body: B) -> Self::Job {
        self.start(body)
    }

    /// Who runs such bodies here, if neither the caller's task nor they themselves do: those of a well, if
    /// there is one.
    #[doc(hidden)]
    fn pool(&self, _well: Option<BoxedSource<B>>) -> Option<PoolHandle<Self::Job>> {
        None
    }
}

/// Which item a body is called with, and the how many-th time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The item's index in the input.
    pub index: usize,
    /// The how many-th attempt at it, from 1.
    pub attempt: u32,
}

impl Attempt {
    pub(crate) fn first(index: usize) -> Self {
        Self { index, attempt: 1 }
    }
}

/// Bodies are brought by the caller's task: it pulls the items and calls the body's closure.
#[derive(Debug, Clone, Copy)]
pub struct Push;

/// Bodies are drawn by those who run them: they pull the items and call the body's closure, on whatever
/// thread they are.
#[derive(Debug, Clone, Copy)]
pub struct Pull;

/// How the bodies of a loop over `S` with the closure `F`, which takes an `I`, come to where they run.
///
/// [`Push`] and [`Pull`] are all there are; which of them is up to the [`Place`].
#[diagnostic::on_unimplemented(
    message = "the items or the closure of this loop cannot be shared by workers",
    label = "workers pull the items and call the closure on threads of the runtime",
    note = "items and closure own what they use (`'static`: put `move` before the closure and clone what \
            it needs) and are `Send`; if they must borrow, run each body `.on(runtime)`, or bring the \
            bodies to the workers: `.at(WorkerPool::new(runtime).push_dispatch())`"
)]
pub trait Dispatch<S: Stream, F, I> {
    /// The well from which bodies are drawn; or source and closure again, if they are brought.
    #[doc(hidden)]
    fn body_source<B>(source: S, body: F, admit: Option<fn(S::Item) -> I>) -> Dispatched<S, F, B>
    where
        F: FnMut(I) -> B;
}

/// What becomes of a loop's source and closure.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub enum Dispatched<S, F, B> {
    /// The loop's own task pulls and calls.
    Push(S, F),
    /// Whoever has this does.
    Pull(BoxedSource<B>),
}

impl<S: Stream, F, I> Dispatch<S, F, I> for Push {
    fn body_source<B>(source: S, body: F, _admit: Option<fn(S::Item) -> I>) -> Dispatched<S, F, B>
    where
        F: FnMut(I) -> B,
    {
        Dispatched::Push(source, body)
    }
}

impl<S, F, I> Dispatch<S, F, I> for Pull
where
    S: Stream + Send + 'static,
    F: Send + 'static,
    I: 'static,
{
    fn body_source<B>(source: S, body: F, admit: Option<fn(S::Item) -> I>) -> Dispatched<S, F, B>
    where
        F: FnMut(I) -> B,
    {
        match admit {
            Some(admit) => Dispatched::Pull(Box::pin(SourceBodies::new(source, admit, body))),
            None => Dispatched::Push(source, body),
        }
    }
}

/// A body that has been started, wherever it runs.
pub trait JobHandle {
    /// What the body returns.
    type Output;

    /// Whether the body ends only while it is polled, so that the order of polls is the order of
    /// ends; and stops at once when it is asked to, by being dropped.
    const INLINE: bool;

    /// Whether workers may run it.
    #[doc(hidden)]
    const ON_POOL: bool = false;

    /// Whether it is polled with the waker of whoever polls its loop, and not with one of its own.
    #[doc(hidden)]
    const PARENT_WAKER: bool = false;

    /// Has `cx` woken when the body ends, without taking its end; at once, if it has ended. Only for
    /// bodies that go on by themselves.
    fn watch(self: Pin<&mut Self>, cx: &mut Context<'_>);

    /// Polls for the body's end.
    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<Self::Output>>;

    /// Sees to it that the body does not go on; it need not hear of it yet.
    fn mark_cancelled(self: Pin<&Self>);

    /// Asks the body to stop; `true` if nothing is left to wait for once it has been dropped.
    fn cancel(self: Pin<&mut Self>) -> bool;

    /// Asks a body without time to stop, once it has been polled; `true` as for
    /// [`cancel`](Self::cancel).
    fn expire(self: Pin<&mut Self>) -> bool;

    /// Where this body stands among those that were woken together: the lowest first. `None` if it
    /// goes on by itself and has not ended: to poll it would tell nothing.
    fn rank(self: Pin<&Self>, index: usize) -> Option<usize>;

    /// The body's place in the order of ends, once it has ended.
    fn ended_at(&self) -> usize;

    /// The place in the order of ends of something that ends now, beside bodies of this kind.
    fn end_now() -> usize;
}

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

/// In the caller's own task: a body may borrow, need not be `Send`, and shares the caller's core.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl<B: Body> Place<B> for Inline {
    type Job = InlineJob<B>;
    type Dispatch = Push;

    fn start(&self, body: B) -> InlineJob<B> {
        InlineJob { body }
    }
}

pin_project! {
    /// A body in the caller's own task.
    #[derive(Debug)]
    pub struct InlineJob<B> {
        #[pin]
        body: B,
    }
}

impl<B> InlineJob<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body }
    }
}

impl<B: Body> JobHandle for InlineJob<B> {
    type Output = B::Returns;

    const INLINE: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Returns>> {
        self.project().body.poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

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
        // Seen when it happens: the order they are seen in is the order of ends.
        0
    }
}

/// As tasks of a runtime with threads, one per body.
#[derive(Debug, Clone, Copy)]
pub struct Spawned<R>(pub R);

impl<R: Spawn, B: Body<Returns: Send> + Send + 'static> Place<B> for Spawned<R> {
    type Job = Task<B::Returns>;
    type Dispatch = Push;

    fn start(&self, body: B) -> Task<B::Returns> {
        spawn(&self.0, body)
    }
}

/// As tasks of a runtime on the current thread, one per body.
#[derive(Debug, Clone, Copy)]
pub struct SpawnedLocal<R>(pub R);

impl<R: SpawnLocal, B: Body + 'static> Place<B> for SpawnedLocal<R> {
    type Job = Task<B::Returns>;
    type Dispatch = Push;

    fn start(&self, body: B) -> Task<B::Returns> {
        spawn_local(&self.0, body)
    }
}

impl<T> JobHandle for Task<T> {
    type Output = T;

    const INLINE: bool = false;

    fn watch(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        Self::watch(&self, cx);
    }

    fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        Self::poll_outcome(self.get_mut(), cx)
    }

    fn mark_cancelled(self: Pin<&Self>) {
        Self::mark_cancelled(&self);
    }

    fn cancel(self: Pin<&mut Self>) -> bool {
        self.request_cancel();
        false
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        self.request_expiry();
        false
    }

    fn rank(self: Pin<&Self>, _index: usize) -> Option<usize> {
        Self::ended_at(&self)
    }

    fn ended_at(&self) -> usize {
        Self::ended_at(self).unwrap_or(usize::MAX)
    }

    fn end_now() -> usize {
        next_end()
    }
}

/// What a loop calls for each item must return a future: the body.
///
/// Every future is a body; the trait exists so that the compiler can say so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of a concurrent loop",
    label = "the closure returns this instead of a future",
    note = "return an `async` block: `|item| async move {{ .. }}`, or call an `async fn`"
)]
pub trait Body: Future<Output = Self::Returns> {
    /// What the body returns: a future's output.
    type Returns;
}

/// A body that may fail: it returns a `Result`.
///
/// Every such body is one; the trait exists so that the compiler can say so.
#[diagnostic::on_unimplemented(
    message = "this strategy is for bodies that may fail, and this one returns no `Result`",
    label = "needs bodies that return a `Result<T, E>`",
    note = "`gather`, `race`, `as_completed` and `stream` take bodies that return anything"
)]
pub trait TryBody<T, E>: Body<Returns = Result<T, E>> {}

#[diagnostic::do_not_recommend]
impl<B: Body<Returns = Result<T, E>>, T, E> TryBody<T, E> for B {}

/// A body that returns nothing.
#[diagnostic::on_unimplemented(
    message = "this strategy keeps nothing, and its body returns something",
    label = "needs bodies that return `()`",
    note = "`gather` keeps every output; a body that may fail is for `try_for_each` or `settle`"
)]
pub trait UnitBody: Body<Returns = ()> {}

#[diagnostic::do_not_recommend]
impl<B: Body<Returns = ()>> UnitBody for B {}

#[diagnostic::do_not_recommend]
impl<F: Future + ?Sized> Body for F {
    type Returns = F::Output;
}
