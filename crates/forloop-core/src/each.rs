//! The loop builder: items, how many at once, where; the strategies add what becomes of the
//! results.

use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use crate::admission::MaybeQueue;
use crate::drive::Drive;
use crate::place::{
    Body, BodySpawner, Dispatch, Dispatched, Inline, JobHandle, Place, Spawned, SpawnedBlocking,
    SpawnedLocal, SpawnedScoped,
};
use crate::policy::{ItemPolicy, NoOptions, OutcomePolicy};
use crate::simulation::Origin;
use crate::{Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, WorkerPool, ZeroLimit};

/// Begins a loop over anything that can be iterated: a vector, an array, a range, an iterator.
///
/// Say next how many bodies may run at once: [`sequential`](Loop::sequential),
/// [`limit`](Loop::limit) or [`unbounded`](Loop::unbounded). Items are pulled one by one, and only
/// when a body can be started: an endless iterator is welcome.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let words = vec!["to", "be", "or"];
/// let lengths = forloop::each(&words).limit(2)?.gather(|word| async move { word.len() }).await;
/// assert_eq!(lengths, [2, 2, 2]);
/// # Ok::<(), forloop::ZeroLimit>(())
/// # }).unwrap();
/// ```
#[cfg_attr(feature = "simulation", track_caller)]
pub fn each<I: IntoIterator>(items: I) -> Loop<Iter<I::IntoIter>, Inline, LimitUnset> {
    Loop::new(Iter { items: items.into_iter() })
}

/// Begins a loop over a [`Stream`]: items that arrive in time, one by one.
///
/// The stream is polled only while a body can be started.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let squares = forloop::each_stream(futures_lite::stream::iter(1..=3))
///     .unbounded()
///     .gather(|n| async move { n * n })
///     .await;
/// assert_eq!(squares, [1, 4, 9]);
/// # });
/// ```
#[cfg_attr(feature = "simulation", track_caller)]
pub fn each_stream<S: IsStream>(stream: S) -> Loop<S, Inline, LimitUnset> {
    Loop::new(stream)
}

/// A loop: its items, how many bodies may run at once, where they run, and what may keep it from
/// its end.
///
/// These are said first, in any order:
///
/// - how many at once, by [`sequential`](Loop::sequential), [`limit`](Loop::limit) or
///   [`unbounded`](Loop::unbounded): there is no default;
/// - where, by [`on`](Loop::on), without which the bodies run in the caller's own task, where they may
///   borrow and need not be `Send`;
/// - what may cut it short: [`timeout`](Loop::timeout) for each body, [`deadline`](Loop::deadline)
///   for the loop, a signal to [`cancel_on`](Loop::cancel_on); and whether to
///   [`catch_panics`](Loop::catch_panics). What a strategy gives then is in the table of [`Policy`](crate::Policy).
///
/// What the loop gives is up to the strategy, which takes the body: a closure that is called with each
/// item and returns a future.
///
/// | strategy | gives |
/// |---|---|
/// | [`gather`](Loop::gather) | every output, in input order |
/// | [`try_gather`](Loop::try_gather) | the same, or stops at the first failure in time |
/// | [`settle`](Loop::settle) | every outcome, good or bad, in input order |
/// | [`collect`](Loop::collect), [`try_collect`](Loop::try_collect) | any collection of the outputs, in input order |
/// | [`extend`](Loop::extend) | nothing: the outputs are put into a collection as they finish |
/// | [`fold`](Loop::fold), [`try_fold`](Loop::try_fold) | one value of all outputs, made as they finish |
/// | [`filter_map`](Loop::filter_map), [`try_filter_map`](Loop::try_filter_map) | what bodies did not leave out, in input order |
/// | [`for_each`](Loop::for_each), [`try_for_each`](Loop::try_for_each) | nothing; the second stops at the first failure |
/// | [`race`](Loop::race), [`race_ok`](Loop::race_ok) | the first output, or the first value, in time; the others are stopped |
/// | [`first_ok`](Loop::first_ok) | the first so many values in time; the others are stopped |
/// | [`as_completed`](Loop::as_completed) | a stream of index and output, as they finish |
/// | [`stream`](Loop::stream), [`stream_unordered`](Loop::stream_unordered) | a stream of outputs, in input order or as they finish |
#[derive(Debug, Clone)]
#[must_use = "a loop does nothing until its strategy is awaited"]
pub struct Loop<S, P = Inline, L = Bounded, C = NoOptions> {
    source: S,
    place: P,
    limit: L,
    policy: C,
    origin: Origin,
}

impl<S> Loop<S, Inline, LimitUnset> {
    #[cfg_attr(feature = "simulation", track_caller)]
    fn new(source: S) -> Self {
        Self { source, place: Inline, limit: LimitUnset, policy: NoOptions, origin: Origin::here() }
    }
}

impl<S: Stream, P, C> Loop<S, P, LimitUnset, C> {
    /// One body at a time: the next begins when the one before it has finished.
    pub fn sequential(self) -> Loop<S, P, Bounded, C> {
        self.at_most(1)
    }

    /// At most `limit` bodies at a time.
    ///
    /// Give a number, and get a `Result` to put a `?` behind (`.limit(50)?`); or give a
    /// [`NonZeroUsize`], which cannot be wrong, and get the loop itself.
    ///
    /// # Errors
    ///
    /// [`ZeroLimit`] if `limit` is 0: such a loop would never run a body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::num::NonZeroUsize;
    ///
    /// let jobs = NonZeroUsize::MIN.saturating_add(3);
    /// let doubled = forloop::each(0..5).limit(jobs).gather(|n| async move { n * 2 }).await;
    /// assert_eq!(doubled, [0, 2, 4, 6, 8]);
    ///
    /// assert_eq!(forloop::each(0..5).limit(0).err(), Some(forloop::ZeroLimit));
    /// # });
    /// ```
    pub fn limit<L: Limit>(self, limit: L) -> L::Limited<Loop<S, P, Bounded, C>> {
        limit.apply(|limit| self.at_most(limit.get()))
    }

    /// All bodies at once, however many items there are.
    pub fn unbounded(self) -> Loop<S, P, Bounded, C> {
        self.at_most(usize::MAX)
    }

    fn at_most(self, limit: usize) -> Loop<S, P, Bounded, C> {
        let Self { source, place, policy, origin, .. } = self;
        Loop { source, place, limit: Bounded { bodies: limit }, policy, origin }
    }
}

impl<S: Stream, L, C> Loop<S, Inline, L, C> {
    /// Runs each body as a task of `runtime`, on its threads.
    ///
    /// A body then owns what it uses and is `Send`. The loop still pulls the items and calls the
    /// body's closure itself, and still waits for every task it started.
    ///
    /// # Examples
    ///
    /// A body that needs the runtime, or anything else, gets a clone of its own.
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::time::Duration;
    ///
    /// async fn doubled(runtime: impl forloop::Runtime) -> Vec<u32> {
    ///     let items = forloop::each(0..10).unbounded().on(runtime.clone());
    ///     items
    ///         .gather(|n| {
    ///             let runtime = runtime.clone();
    ///             async move {
    ///                 runtime.sleep(Duration::from_millis(10)).await;
    ///                 n * 2
    ///             }
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// A strategy that returns has stopped every task it started. One that is dropped has asked
    /// every task to stop; each is gone when the runtime has next come to it.
    pub fn on<R: Spawn>(self, runtime: R) -> Loop<S, Spawned<R>, L, C> {
        self.at(Spawned(runtime))
    }

    /// Runs each body as a task on the threads of a scope, on all cores, while the bodies borrow.
    ///
    /// The threads are those of `forloop::parallel(|cores| ..)`, which blocks its caller until all of this has
    /// ended: so a body may borrow whatever lives around that call, and only needs to be `Send`. Otherwise as
    /// [`on`](Self::on): a body that blocks delays nobody, as long as there are threads.
    ///
    /// # Cancel safety
    ///
    /// As [`on`](Self::on).
    pub fn on_scoped<'env, R: SpawnScoped<'env>>(
        self,
        scope: R,
    ) -> Loop<S, SpawnedScoped<R>, L, C> {
        self.at(SpawnedScoped(scope))
    }

    /// Runs each body as a task that may block, on the runtime's pool of threads for that.
    ///
    /// Bodies are futures as ever: `|path| async move { fs::read(path) }`, or a plain closure in
    /// [`sync_body`](crate::sync_body()). One that awaits keeps its thread meanwhile, and pools have a limit of their own
    /// (512 threads on tokio, 500 on smol and async-std unless they were told otherwise): say
    /// [`limit`](Self::limit) and not [`unbounded`](Self::unbounded).
    ///
    /// A body that has begun cannot be stopped before its next await; a loop that stops waits for it. One
    /// that waits for a thread when its loop stops, or when its time is over, never begins. A body whose time is over
    /// keeps its place until it has ended, so no more than the limit run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::{fs, io, path::PathBuf};
    ///
    /// async fn sizes<R>(runtime: R, paths: Vec<PathBuf>) -> Result<Vec<usize>, Box<dyn std::error::Error>>
    /// where
    ///     R: forloop::SpawnBlocking,
    /// {
    ///     let files = forloop::each(paths).limit(4)?.on_blocking(runtime);
    ///     let files = files.try_gather(forloop::sync_body(|path: PathBuf| fs::read(path))).await?;
    ///     Ok(files.iter().map(Vec::len).collect())
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`on`](Self::on); but a body that is in the middle of a blocking call goes on to its end.
    pub fn on_blocking<R: SpawnBlocking>(self, runtime: R) -> Loop<S, SpawnedBlocking<R>, L, C> {
        self.at(SpawnedBlocking(runtime))
    }

    /// Runs the bodies on a few workers: tasks of `runtime`, as many as it has threads, each of which
    /// takes items as it has room for them and runs their bodies as the caller's own task would.
    ///
    /// Choose
    ///
    /// - `on_workers` to have many bodies on all cores: each costs about what it costs in the caller's
    ///   own task, and the runtime hears of a few tasks only. A body that blocks its thread, or computes
    ///   for long without an `await`, delays the others of its worker, and no other worker takes them
    ///   over; nor does another worker use its part of the limit meanwhile. Bodies that take less than a
    ///   microsecond gain nothing from a second core: leave them in the caller's task;
    /// - [`on`](Self::on) for bodies that block, and for a few that compute for long beside others that
    ///   must not wait: each is a task, scheduled by itself.
    ///
    /// The workers pull the items and call the body's closure, one worker at a time and in input order.
    /// So items, closure and bodies own what they use (`'static`) and are `Send`: write `move |item|`, and
    /// clone into the closure what it needs. Where they must borrow, see [`WorkerPool::push_dispatch`]. With
    /// [`timeout`](Self::timeout) and over [`try_each`](crate::try_each) the caller's task pulls and calls,
    /// because each body must be seen to begin.
    ///
    /// # Costs
    ///
    /// A few allocations for the loop and for each worker, none per item. A strategy that gives one result
    /// hears of good ends now and then, and of those that stop it at once; streams of results hear of each
    /// as soon as their worker has polled what it had to, and that trip to another thread costs more than
    /// a short body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// async fn doubled<R: forloop::Runtime>(runtime: R) -> Result<Vec<u32>, forloop::ZeroLimit> {
    ///     let items = forloop::each(0..1000).limit(64)?.on_workers(runtime);
    ///     Ok(items.gather(|n| async move { n * 2 }).await)
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As for [`on`](Self::on): a strategy that returns has stopped every body it started; one that is
    /// dropped has asked the workers to stop, and each body is gone when the runtime has next come to
    /// its worker.
    pub fn on_workers<R>(self, runtime: R) -> Loop<S, WorkerPool<R>, L, C>
    where
        R: Spawn + Clone + Send + Sync + 'static,
    {
        self.at(WorkerPool::new(runtime))
    }

    /// Runs the bodies on so many workers at most: see [`on_workers`](Self::on_workers).
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::num::NonZeroUsize;
    ///
    /// async fn doubled<R: forloop::Runtime>(runtime: R) -> Result<Vec<u32>, forloop::ZeroLimit> {
    ///     let two = NonZeroUsize::MIN.saturating_add(1);
    ///     let items = forloop::each(0..1000).limit(64)?.on_workers_of(runtime, two);
    ///     Ok(items.gather(|n| async move { n * 2 }).await)
    /// }
    /// ```
    pub fn on_workers_of<R>(self, runtime: R, workers: NonZeroUsize) -> Loop<S, WorkerPool<R>, L, C>
    where
        R: Spawn + Clone + Send + Sync + 'static,
    {
        self.at(WorkerPool::of(runtime, workers))
    }

    /// Runs each body as a task of a single-threaded `runtime`: it owns what it uses, but need not
    /// be `Send`.
    pub fn on_local<R: SpawnLocal>(self, runtime: R) -> Loop<S, SpawnedLocal<R>, L, C> {
        self.at(SpawnedLocal(runtime))
    }

    /// Runs each body at `place`: what [`on`](Self::on), [`on_workers`](Self::on_workers) and
    /// [`on_local`](Self::on_local) do for the places this library knows.
    pub fn at<Q>(self, place: Q) -> Loop<S, Q, L, C> {
        self.map_place(|Inline| place)
    }
}

impl<S, P, L, C> Loop<S, P, L, C> {
    /// The same loop, somewhere else.
    pub(crate) fn map_place<Q>(self, place: impl FnOnce(P) -> Q) -> Loop<S, Q, L, C> {
        let Self { source, place: before, limit, policy, origin } = self;
        Loop { source, place: place(before), limit, policy, origin }
    }

    /// The same loop under another policy.
    pub(crate) fn with<D>(self, policy: impl FnOnce(C) -> D) -> Loop<S, P, L, D> {
        let Self { source, place, limit, policy: before, origin } = self;
        Loop { source, place, limit, policy: policy(before), origin }
    }

    /// The loop on its way, with this body.
    #[inline]
    pub(crate) fn drive<F, B, J, I>(
        self,
        body: F,
    ) -> Drive<S, BodySpawner<F, P, C::AdmissionQueue<I, B::Returns>>, J, C>
    where
        S: Stream,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        self.drive_collecting(body, None)
    }

    /// [`drive`](Self::drive), where it is known whether an output is an error.
    #[inline]
    pub(crate) fn drive_collecting<F, B, J, I>(
        self,
        body: F,
        is_error: Option<fn(&B::Returns) -> bool>,
    ) -> Drive<S, BodySpawner<F, P, C::AdmissionQueue<I, B::Returns>>, J, C>
    where
        S: Stream,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        let Self { source, place, limit, policy, origin } = self;
        let limit = limit.bodies();
        let drive = match P::Dispatch::body_source(source, body, C::admit_any()) {
            Dispatched::Push(source, body) => {
                let pool = place.pool(None);
                let launcher = BodySpawner { body, place, admission: MaybeQueue::of(is_error) };
                Drive::new(source, launcher, pool, limit, policy)
            }
            Dispatched::Pull(body_source) => {
                Drive::of_crew(place.pool(Some(body_source)), limit, policy)
            }
        };
        drive.written_at(origin)
    }
}

/// It was not said yet how many bodies may run at once.
#[derive(Debug, Clone, Copy)]
pub struct LimitUnset;

/// At most so many bodies at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    bodies: usize,
}

/// A loop of which it was said how many bodies may run at once.
#[diagnostic::on_unimplemented(
    message = "this loop was not told how many bodies may run at once",
    label = "needs a number before it can run",
    note = "put `.sequential()`, `.limit(n)?` or `.unbounded()` in front of it"
)]
pub trait LimitSet {
    /// How many.
    fn bodies(&self) -> usize;
}

impl LimitSet for Bounded {
    fn bodies(&self) -> usize {
        self.bodies
    }
}

/// A number of bodies: a `usize`, which may turn out to be 0, or a [`NonZeroUsize`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a limit",
    label = "how many bodies may run at once is a `usize` or a `NonZeroUsize`",
    note = "a `usize` may be 0, so it gives a `Result`: `.limit(n)?`"
)]
pub trait Limit {
    /// `T`, or a `Result` of it where the number may be 0.
    type Limited<T>;

    /// Makes a loop with this limit.
    fn apply<T>(self, make: impl FnOnce(NonZeroUsize) -> T) -> Self::Limited<T>;
}

impl Limit for usize {
    type Limited<T> = Result<T, ZeroLimit>;

    fn apply<T>(self, make: impl FnOnce(NonZeroUsize) -> T) -> Result<T, ZeroLimit> {
        NonZeroUsize::new(self).map(make).ok_or(ZeroLimit)
    }
}

impl Limit for NonZeroUsize {
    type Limited<T> = T;

    fn apply<T>(self, make: impl FnOnce(Self) -> T) -> T {
        make(self)
    }
}

/// A stream, and nothing that only resembles one.
///
/// Every [`Stream`] is one; the trait exists so that the compiler can say what to do with a
/// vector.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream",
    label = "a stream is wanted here: items that arrive in time",
    note = "to loop over a vector, an array, a range or an iterator, use `forloop::each(..)`"
)]
pub trait IsStream: Stream {}

#[diagnostic::do_not_recommend]
impl<S: Stream> IsStream for S {}

/// An iterator's items as a stream that never waits.
#[derive(Debug, Clone)]
pub struct Iter<I> {
    items: I,
}

// The iterator is never pinned.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.items.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}
