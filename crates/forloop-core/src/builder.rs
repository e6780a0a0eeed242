//! How a loop begins, and the methods that choose where its bodies run.

use core::num::NonZeroUsize;

use futures_core::Stream;

use crate::body::IsResult;
use crate::looping::{IsIterator, IsStream, Iter, LimitUnset, Loop, NoOptions};
use crate::options::{Fallible, conditions, rules};
use crate::place::{
    Inline, Layered, ParentWaker, ScopedWorkers, Spawned, SpawnedBlocking, SpawnedLocal,
    SpawnedScoped, WorkerPool,
};
use crate::{Spawn, SpawnBlocking, SpawnLocal, SpawnScoped};

/// Begins a loop over anything that can be iterated: a vector, an array, a range, an iterator.
///
/// Set the limit next: [`sequential`](Loop::sequential), [`limit`](Loop::limit) or
/// [`unbounded`](Loop::unbounded). The loop pulls items one by one, and only when a body can be
/// started, so the iterator may be endless.
///
/// While the iterator is asked for an item, nothing else runs in this task. If that takes longer than five milliseconds,
/// the loop yields after it, so bodies and other tasks wait for one item. An iterator of exact size must be slow for
/// twenty items before that is noticed.
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
#[doc(alias = "map_concurrent")]
#[doc(alias = "parallel map")]
#[doc(alias = "p-map")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn each<I: IsIterator>(items: I) -> Loop<Iter<I::Iter>, Inline, LimitUnset> {
    Loop::new(Iter::new(items.iterate()))
}

/// Begins a loop over a [`Stream`], whose items arrive over time.
///
/// The loop polls the stream only while a body can be started.
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
#[doc(alias = "buffer_unordered")]
#[doc(alias = "map_concurrent")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn each_stream<S: IsStream>(stream: S) -> Loop<S, Inline, LimitUnset> {
    Loop::new(stream)
}

/// Begins a loop over a fallible source: lines of a file, rows of a cursor, anything that iterates
/// over `Result`s.
///
/// The body gets the value of each `Ok`. At the first `Err` the loop pulls no further item and cancels
/// the bodies. Once they have stopped, the strategy gives that error as
/// [`Cause::Source`](crate::Cause::Source) or [`LoopError::Source`](crate::LoopError::Source), so it
/// cannot be mistaken for a body's error. To have the bodies complete instead, pass the `Result`s to
/// them: use [`each`].
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::Cause;
///
/// let rows = ["1", "2", "three"].map(str::parse::<u32>);
/// let doubled = forloop::try_each(rows).sequential().gather(async |n| n * 2).await;
///
/// let interrupted = doubled.unwrap_err();
/// assert!(matches!(interrupted.cause, Cause::Source { index: 2, .. }));
/// assert_eq!(interrupted.ready.len(), 2);
/// # });
/// ```
#[cfg_attr(feature = "simulation", track_caller)]
pub fn try_each<I, E>(items: I) -> Loop<Iter<I::Iter>, Inline, LimitUnset, Fallible<E>>
where
    I: IsIterator<Item: IsResult<Error = E>>,
{
    each(items).with(|NoOptions| Fallible::new())
}

/// Begins a loop over a fallible stream: see [`try_each`].
#[cfg_attr(feature = "simulation", track_caller)]
pub fn try_each_stream<S, E>(stream: S) -> Loop<S, Inline, LimitUnset, Fallible<E>>
where
    S: IsStream + Stream<Item: IsResult<Error = E>>,
{
    each_stream(stream).with(|NoOptions| Fallible::new())
}

impl<S: Stream, L, C, M> Loop<S, Inline, L, C, M> {
    /// Runs each body as a task of `runtime`, on its threads.
    ///
    /// A body must own what it uses (`'static`) and be `Send`. The caller's task still pulls the items
    /// and calls the body's closure, and the loop waits for every task that it has started.
    ///
    /// # Examples
    ///
    /// A body that needs the runtime, or anything else, gets its own clone.
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
    /// # Task-locals
    ///
    /// A body is a task of its own, so thread-locals and the runtime's task-locals of the caller are not those of the
    /// body. The closure runs in the caller's task: clone what a body needs there, and set it in the body.
    ///
    /// # Cancel safety
    ///
    /// When a strategy returns, every task that it has started has stopped. A strategy that is dropped
    /// asks every task to stop. The runtime drops each when it next polls it.
    #[doc(alias = "spawn")]
    #[doc(alias = "spawn_on")]
    pub fn on<R: Spawn>(self, runtime: R) -> Loop<S, Spawned<R>, L, C, M> {
        self.at(Spawned(runtime))
    }

    /// Runs the bodies on all cores, on the threads of a scope. Items, closure and bodies may borrow.
    ///
    /// The threads are those of `forloop::parallel(|cores| ..)`, which blocks its caller until every task has
    /// completed. So what a loop uses may borrow what outlives that call, and only needs to be `Send`. A closure that
    /// uses a variable of its own surroundings must be `move`.
    ///
    /// Each thread has a worker, which pulls items and polls their bodies. Otherwise as [`on_workers`](Self::on_workers):
    /// a body that blocks its thread delays those that its worker has started. For bodies that block, or wait for one
    /// another by blocking, use [`on_scoped_tasks`](Self::on_scoped_tasks).
    ///
    /// # Cancel safety
    ///
    /// As [`on_workers`](Self::on_workers).
    ///
    /// # Costs
    ///
    /// As [`on_workers`](Self::on_workers): some allocations for each worker, none per item.
    #[doc(alias = "rayon")]
    #[doc(alias = "par_iter")]
    pub fn on_scoped<'env, R: SpawnScoped<'env>>(
        self,
        scope: R,
    ) -> Loop<S, ScopedWorkers<'env, R>, L, C, M> {
        self.at(ScopedWorkers::new(scope))
    }

    /// Runs each body as a task on the threads of a scope, on all cores. The bodies may borrow.
    ///
    /// As [`on_scoped`](Self::on_scoped), for bodies that block, and for items or a closure that are not `Send`: a body
    /// that blocks occupies one thread and delays no other body while threads are free. A task costs more than a short
    /// body.
    ///
    /// # Cancel safety
    ///
    /// As [`on`](Self::on).
    pub fn on_scoped_tasks<'env, R: SpawnScoped<'env>>(
        self,
        scope: R,
    ) -> Loop<S, SpawnedScoped<R>, L, C, M> {
        self.at(SpawnedScoped(scope))
    }

    /// Runs each body as a task that may block, on the runtime's blocking thread pool.
    ///
    /// Bodies are futures here, too: `|path| async move { fs::read(path) }`, or a plain closure in
    /// [`sync_body`](crate::sync_body()). A body that awaits keeps its thread. Thread pools have limits of their own
    /// (512 threads on tokio, 500 on smol and async-std by default), so prefer [`limit`](Self::limit) to
    /// [`unbounded`](Self::unbounded).
    ///
    /// A body must not wait for another call that needs a thread of the same pool, such as a
    /// [`spawn_blocking`](crate::spawn_blocking()) or a file of tokio's: if all threads have such bodies, none completes.
    /// Keep [`limit`](Self::limit) below the pool's size, or wait outside the pool.
    ///
    /// A body that has started cannot be stopped before its next await, and a loop that stops waits for it. A body
    /// that is still queued for a thread when the loop stops, or when its time-out expires, is never run. A body that
    /// has timed out keeps its permit until it has stopped, so no more bodies than the limit run.
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
    /// As [`on`](Self::on), except that a blocking call in progress runs to completion.
    #[doc(alias = "spawn_blocking")]
    #[doc(alias = "to_thread")]
    #[doc(alias = "run_in_executor")]
    pub fn on_blocking<R: SpawnBlocking>(self, runtime: R) -> Loop<S, SpawnedBlocking<R>, L, C, M> {
        self.at(SpawnedBlocking(runtime))
    }

    /// Runs the bodies on a few workers: tasks of `runtime`, as many as it has threads, each of which
    /// pulls items and polls their bodies as the caller's own task would.
    ///
    /// Choose
    ///
    /// - `on_workers` to run many bodies on all cores: each costs about what it costs in the caller's own
    ///   task, and the runtime schedules a few tasks only. A body that blocks its thread, or computes for
    ///   long without an `await`, delays the bodies that its worker has started. Those that the worker has
    ///   not started are taken over by a worker that has nothing else to do. The rest of that worker's
    ///   share of the limit is not used meanwhile. Bodies that take less than a tenth of a microsecond gain nothing from a
    ///   second core: leave them in the caller's task;
    /// - [`on`](Self::on) for bodies that block, and for a few that compute for long beside others that must
    ///   not wait: each is a task, scheduled by itself.
    ///
    /// The workers pull the items and call the body's closure, one worker at a time and in input order.
    /// So items, closure and bodies must own what they use (`'static`) and be `Send`: write `move |item|`,
    /// and clone into the closure what it needs. If they must borrow, see
    /// [`WorkerPool::push_dispatch`].
    ///
    /// # Options
    ///
    /// Every option works on workers, and so do a [`layer`](Self::layer) and a [fallible source](crate::try_each):
    ///
    /// | option | on workers |
    /// |---|---|
    /// | [`timeout`](Self::timeout) | each worker has a timer of its own |
    /// | [`catch_panics`](Self::catch_panics), [`layer`](Self::layer) | as elsewhere |
    /// | [`deadline`](Self::deadline), [`cancel_on`](Self::cancel_on), [`drain_on`](Self::drain_on) | polled by the caller's task; bodies that were pulled when the loop is drained complete |
    /// | [`try_each`](crate::try_each), [`try_each_stream`](crate::try_each_stream) | at the source's first error, no further item is pulled |
    #[doc = concat!("| ", rules!(), conditions!(), " | called by the worker that pulls, one at a time |")]
    ///
    /// The options of the last row decide when items start, or see what happens. In a loop with one of them, the workers
    /// share a driver that has all of the loop's options, and the items that wait. The worker that pulls reports the bodies
    /// that have completed on it, and takes the items that may start. So these options see starts and completions in the
    /// order in which workers report them, at the latest when a worker has nothing else to do. An item counts as started
    /// when a worker takes it. When such a loop stops, observers receive that the bodies which run are cancelled, although
    /// one on another worker may complete at that time.
    ///
    /// The layer, the error of the source and the clock of [`timeout`](Self::timeout) must be `Send` and own what they use,
    /// as the closure does; in a loop with an option of the last row, all options must, and the items be `Send`.
    ///
    /// Bodies that were pulled and not started when the source fails, or the loop is cancelled, do not run. They are among
    /// [`pending`](crate::Interrupted::pending).
    ///
    /// # Task-locals
    ///
    /// Closure and bodies run in the worker's task, so the caller's thread-locals and task-locals are not theirs. Capture
    /// the values in the closure.
    ///
    /// # Costs
    ///
    /// A few allocations for the loop and for each worker, none per item. A worker pulls as many items at a
    /// time as it starts in some thirty microseconds: one where bodies compute for long, and up to 256, or 64 KiB of
    /// bodies, where they are short, but never more than its share of the limit. It reads the clock twice for a batch,
    /// and where bodies are short only for every eighth. Options that decide when items start cost what they cost elsewhere, and
    /// one worker at a time calls them.
    ///
    /// A strategy that gives one result receives successful outputs in large batches, and failures that stop it at
    /// once. [`fold`](Self::fold) and [`extend`](Self::extend) receive them at the latest when the worker has nothing to
    /// do, or has returned to its executor a few times. A stream of results receives each output by the end of its
    /// worker's round. Such a trip to another thread costs more than a short body.
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
    /// As for [`on`](Self::on): a strategy that returns has stopped every body that it started. A strategy
    /// that is dropped has cancelled the workers, and each body is dropped when the runtime next polls its
    /// worker.
    #[doc(alias = "worker pool")]
    #[doc(alias = "ThreadPoolExecutor")]
    pub fn on_workers<R>(self, runtime: R) -> Loop<S, WorkerPool<R>, L, C, M>
    where
        R: Spawn + Clone + Send + Sync + 'static,
    {
        self.at(WorkerPool::new(runtime))
    }

    /// Runs the bodies on at most this number of workers: see [`on_workers`](Self::on_workers).
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
    pub fn on_workers_of<R>(
        self,
        runtime: R,
        workers: NonZeroUsize,
    ) -> Loop<S, WorkerPool<R>, L, C, M>
    where
        R: Spawn + Clone + Send + Sync + 'static,
    {
        self.at(WorkerPool::of(runtime, workers))
    }

    /// Runs each body as a task of a single-threaded `runtime`. A body must own what it uses (`'static`),
    /// but need not be `Send`. `forloop::smol::Local` and `forloop::tokio::Local` are such runtimes.
    #[doc(alias = "spawn_local")]
    pub fn on_local<R: SpawnLocal>(self, runtime: R) -> Loop<S, SpawnedLocal<R>, L, C, M> {
        self.at(SpawnedLocal(runtime))
    }

    /// Runs each body at `place`, as [`on`](Self::on), [`on_workers`](Self::on_workers) and
    /// [`on_local`](Self::on_local) do for the places they name.
    pub fn at<Q>(self, place: Q) -> Loop<S, Q, L, C, M> {
        self.map_place(|Inline| place)
    }
}

impl<S: Stream, L, C, M> Loop<S, Inline, L, C, M> {
    /// Polls every body with the waker of the task that polls the loop, instead of a waker of its own.
    ///
    /// This is for executors whose timers and channels accept only the executor's own wakers, as
    /// `embassy-time` does with its integrated timers: there a loop without this panics. Bodies run in the
    /// caller's task as before, may borrow, and need not be `Send`. Strategies, limits and options are
    /// unchanged. The consumer of results, the source, timers and signals are polled with that waker, too.
    ///
    /// [`scope`](crate::scope) and [`local_scope`](crate::local_scope) have no such option. Nor have the free
    /// functions on futures, such as [`gather()`](crate::gather()); write
    /// `each(futures).unbounded().with_parent_waker().gather(|future| future)` instead. A
    /// [`TaskSet`](crate::TaskSet) is made with `TaskSet::at(&ParentWaker, futures)`. A loop inside a body
    /// needs the option itself.
    ///
    /// # Costs
    ///
    /// The loop does not know which body was woken, so each poll of the loop polls every running body once,
    /// in the order of their indices, even if there are more than 256. A wake costs one poll per running
    /// body instead of one poll. That is negligible for the few bodies of a small device; elsewhere, leave
    /// this out. The loop starts at most 256 new bodies in one poll, as without it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::future::poll_fn;
    /// use std::task::Poll;
    ///
    /// let caller = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    /// let looping = forloop::each(1..=3).limit(2)?.with_parent_waker();
    /// let squares = looping.gather(async |n: u32| {
    ///     let own = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    ///     assert!(own.will_wake(&caller));
    ///     n * n
    /// });
    /// assert_eq!(squares.await, [1, 4, 9]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    pub fn with_parent_waker(self) -> Loop<S, ParentWaker, L, C, M> {
        self.at(ParentWaker)
    }
}

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Wraps each body in a layer: for spans, stopwatches and the like.
    ///
    /// Choose where the bodies run before this. Workers wrap the bodies that they pull, so on
    /// [`on_workers`](Self::on_workers) the layer must be `Send` and own what it uses.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::places::{Attempt, Body, Layer};
    ///
    /// /// Prints each attempt, and boxes the body.
    /// struct Boxed;
    ///
    /// impl<B: Body> Layer<B> for Boxed {
    ///     type Layered = std::pin::Pin<Box<B>>;
    ///
    ///     fn layer(&self, attempt: Attempt, body: B) -> Self::Layered {
    ///         println!("attempt {} at item {}", attempt.attempt, attempt.index);
    ///         Box::pin(body)
    ///     }
    /// }
    ///
    /// let doubled = forloop::each([1, 2]).unbounded().layer(Boxed).gather(async |n| n * 2).await;
    /// assert_eq!(doubled, [2, 4]);
    /// # });
    /// ```
    pub fn layer<W>(self, layer: W) -> Loop<S, Layered<P, W>, L, C, M> {
        self.map_place(|place| Layered::new(place, layer))
    }
}
