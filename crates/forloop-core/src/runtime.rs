//! The seam: what a loop may ask of a runtime, one capability per trait.
//!
//! A runtime is a *value*: a unit struct or a cheap handle. So runtimes can be passed, stored, wrapped
//! and used side by side. A missing runtime is an error where the value is made, before any loop starts.

use alloc::boxed::Box;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::time::Duration;

/// Spawns futures on the runtime's threads.
///
/// # Contract
///
/// This is what every loop takes for granted of a *task*: a future that was passed to [`spawn`](Self::spawn), or to
/// [`SpawnLocal`] or [`SpawnScoped`]. The crate `forloop-conformance` tests each point, and names the one that does not
/// hold.
///
/// - **Its first poll is after the call has returned.** A poll inside the call would run in the middle of what the
///   caller has borrowed or locked.
/// - **It is polled after each wake.** A wake *during a poll* counts: it requests another poll. Wakes may be merged until
///   the next poll, and a poll without a wake is legal.
/// - **`wake` only requests the poll**, and returns before it. A waker may be called on any thread, at any time, also
///   after the task or the runtime has ended. Then it does nothing.
/// - **A task that wakes itself lets others run.** Between a wake of a task and the poll that follows, the runtime makes a
///   bounded number of polls, as a queue does. A loop whose bodies are always ready yields by waking itself after 256
///   polls, and bodies may wait for one another in the same way. A runtime that polls such a task again at once
///   starves what is queued behind it, and a loop of bodies that wait for one another may hang.
/// - **A completed task is not polled again**, and its future is dropped, although wakers of it still exist.
/// - **The runtime holds no lock and no borrow while it polls, wakes or drops a task.** Each of these may spawn, wake or
///   drop another.
/// - **The future is dropped at the latest when the runtime ends**, also if it waits, and although its wakers exist. A
///   loop on another runtime then reports its bodies as cancelled, and does not wait forever.
///
/// The futures that loops pass to a runtime do not panic: a body's panic is kept for the task that awaits it. Futures
/// of others may panic, and `spawn` itself never does for a reason of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot spawn tasks on threads",
    label = "expected a runtime that implements `Spawn`",
    note = "pass a runtime, for instance `forloop::runtime()?`, or the one that `forloop::run` passes to its closure",
    note = "for a handle of tokio's, pass `forloop::tokio::Tokio::from(handle)`"
)]
pub trait Spawn {
    /// Spawns `future` and detaches it. A caller that needs its output or its completion wraps it first, as
    /// [`spawn`](crate::spawn) does.
    ///
    /// The [contract](Self#contract) says when the future is polled and dropped.
    ///
    /// [`Location::caller`](core::panic::Location::caller) is the place in the program that spawns the task. For a body of
    /// a loop it is in this crate: the loop spawns it when it is polled.
    #[track_caller]
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static);

    /// The number of threads that run tasks. It is the default number of workers of a worker pool.
    ///
    /// The default implementation returns the available parallelism of the machine, or one without the
    /// feature `std`.
    fn threads(&self) -> NonZeroUsize {
        available_threads()
    }
}

/// Spawns futures on the current thread; they need not be `Send`.
///
/// The [contract of `Spawn`](Spawn#contract) holds for them, too. Each is polled and dropped on one thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot spawn tasks on the current thread",
    label = "expected a single-threaded runtime that implements `SpawnLocal`",
    note = "remove `.on_local(..)` to run the bodies in the caller's task, which needs no runtime",
    note = "wrap an `async_executor::LocalExecutor` in `forloop::smol::Local`",
    note = "wrap a `LocalSet` or a `LocalRuntime` of tokio in `forloop::tokio::Local`"
)]
pub trait SpawnLocal {
    /// Spawns `future` and detaches it.
    #[track_caller]
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static);
}

/// Spawns futures on threads where they may block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no blocking thread pool",
    label = "expected a runtime that implements `SpawnBlocking`",
    note = "pass a runtime, for instance `forloop::runtime()?`, or the one that `forloop::run` passes to its closure"
)]
pub trait SpawnBlocking {
    /// Spawns `future` on one thread of the runtime's blocking thread pool, and detaches it.
    ///
    /// It starts when a thread of the pool is free. It is dropped no later than runtime shutdown, unless it
    /// is executing a blocking call at that moment.
    #[track_caller]
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static);
}

/// Spawns futures that borrow for `'env` on threads that end before that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot spawn tasks that borrow",
    label = "expected scoped threads, which implement `SpawnScoped`",
    note = "pass the `cores` of `forloop::parallel(|cores| ..)`",
    note = "use `.on(runtime)` to spawn the bodies on a runtime, if they own what they use"
)]
pub trait SpawnScoped<'env> {
    /// Spawns `future` and detaches it.
    ///
    /// The [contract of `Spawn`](Spawn#contract) holds for it. The runtime ends with the scope, so it is dropped no later.
    #[track_caller]
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'env);

    /// The number of threads that run tasks. It is the number of workers of
    /// [`on_scoped`](crate::Loop::on_scoped).
    ///
    /// The default implementation returns what that of [`Spawn::threads`] does.
    fn threads(&self) -> NonZeroUsize {
        available_threads()
    }
}

/// A clock and its timers.
///
/// # Contract
///
/// - **[`now`](Self::now) never goes back**, on one thread and between several. It may start anywhere.
/// - **A sleep is never early** by the clock that `now` reads: round up to what the timer can count. It may be late,
///   because the clock decides whether a body has timed out, and the timer only wakes.
/// - **It counts from the call of [`sleep`](Self::sleep)**, and not from its first poll.
/// - **It wakes the task that has polled it last**, which need not be the first.
/// - A duration may be as long as [`Duration::MAX`]: saturate, and do not overflow.
/// - The future is `Send` and owns what it needs, because it may be polled on another thread than the one that called
///   `sleep`. If the timers of a runtime stay on their thread, it holds an instant and a waker only. A runtime without such
///   timers implements [`LocalTimer`] instead, or uses `SystemTimer` of the crate `forloop-timer`, which works on any
///   thread.
/// - A dropped sleep may leave a wake behind, which wakes no task. Such an entry uses memory until it is due: remove it
///   if that is cheap.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no clock",
    label = "expected a runtime or a clock that implements `Timer`",
    note = "pass a runtime, for instance the one that `forloop::run` passes to its closure"
)]
pub trait Timer {
    /// Returns a future that is ready once `duration` has passed since this call.
    ///
    /// The future owns what it needs. Its type has no name, so a struct that stores it is generic over it
    /// or boxes it.
    ///
    /// An implementation may return `impl Future<Output = ()> + Send + use<..>`, which is the same. With `impl Sleep` the
    /// compiler's message for a sleep that is not `Send` is short.
    fn sleep(&self, duration: Duration) -> impl Sleep + use<Self>;

    /// Returns the time since an origin that the runtime chooses. It is monotonic.
    fn now(&self) -> Duration;
}

/// The sleep of a [`Timer`]: a future that may move to another thread.
///
/// Every such future is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the sleep of a `Timer`, because it is not `Send`",
    label = "a sleep of a `Timer` may move to another thread",
    note = "implement `LocalTimer` instead of `Timer` for a runtime whose timers stay on their thread",
    note = "or use `SystemTimer` of the crate `forloop-timer`, which works on any thread"
)]
pub trait Sleep: Future<Output = ()> + Send {}

#[diagnostic::do_not_recommend]
impl<F: Future<Output = ()> + Send> Sleep for F {}

/// A clock and its timers, which may stay on one thread.
///
/// This is what loops ask of a clock. Every [`Timer`] is a `LocalTimer`. A runtime with one thread for each core
/// implements it in place of `Timer`: its sleeps need not be `Send`. Then a loop with a time-out or a deadline is not
/// `Send` either, and stays on its thread, as the bodies do that use such a runtime.
///
/// # Contract
///
/// That of [`Timer`](Timer#contract), except that a sleep is polled and dropped on the thread that has made it.
///
/// # Examples
///
/// ```
/// use std::pin::Pin;
/// use std::time::{Duration, Instant};
/// # mod percore {
/// #     pub async fn sleep(_: std::time::Duration) {}
/// # }
///
/// #[derive(Clone)]
/// struct PerCore {
///     start: Instant,
/// }
///
/// impl forloop_core::LocalTimer for PerCore {
///     type Sleep = Pin<Box<dyn Future<Output = ()>>>;
///
///     fn sleep_local(&self, duration: Duration) -> Self::Sleep {
///         Box::pin(percore::sleep(duration))
///     }
///
///     fn now_local(&self) -> Duration {
///         self.start.elapsed()
///     }
/// }
///
/// # futures_lite::future::block_on(async {
/// let clock = PerCore { start: Instant::now() };
/// let lengths = forloop_core::each(["one", "three"])
///     .unbounded()
///     .timer(&clock)
///     .deadline(Duration::from_secs(5))
///     .gather(async |word| word.len());
/// assert_eq!(lengths.await.unwrap(), [3, 5]);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no clock",
    label = "expected a runtime or a clock that implements `Timer`",
    note = "pass a runtime, for instance the one that `forloop::run` passes to its closure",
    note = "a runtime whose timers stay on their thread implements `LocalTimer`; `SystemTimer` of the crate \
            `forloop-timer` works on any thread"
)]
pub trait LocalTimer {
    /// The future of a sleep. It has a name, because options store it; a future without one is boxed.
    ///
    /// A loop that waits for a time is `Send` only if this type is. Of a [`Timer`] it is.
    type Sleep: Future<Output = ()> + Unpin + 'static;

    /// Returns a future that is ready once `duration` has passed since this call.
    fn sleep_local(&self, duration: Duration) -> Self::Sleep;

    /// Returns the time since an origin that the runtime chooses. It is monotonic.
    fn now_local(&self) -> Duration;

    /// The same as [`sleep_local`](Self::sleep_local), for a future that stores the sleep in place. That of a [`Timer`]
    /// is not boxed.
    #[doc(hidden)]
    fn sleep_in_place(&self, duration: Duration) -> impl Future<Output = ()> + use<Self> {
        self.sleep_local(duration)
    }
}

#[diagnostic::do_not_recommend]
impl<R: Timer + 'static> LocalTimer for R {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        Box::pin(self.sleep(duration))
    }

    fn now_local(&self) -> Duration {
        self.now()
    }

    fn sleep_in_place(&self, duration: Duration) -> impl Future<Output = ()> + use<R> {
        self.sleep(duration)
    }
}

/// Runs a future to completion on the current thread.
///
/// For a program's `main` and for tests. No strategy calls it.
pub trait BlockOn {
    /// Blocks the current thread until `future` is ready and returns its output.
    ///
    /// The future is polled after each wake, from any thread. Tasks of the runtime run beside it.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// A runtime that has threads and a clock, and can be cloned and sent.
///
/// Use a smaller bound where it suffices: most strategies need no runtime, and a spawned loop needs only
/// [`Spawn`].
pub trait Runtime: Spawn + Timer + Clone + Send + Sync + 'static {}

impl<R: Spawn + Timer + Clone + Send + Sync + 'static> Runtime for R {}

/// The available parallelism of the machine, or one without the feature `std`.
fn available_threads() -> NonZeroUsize {
    #[cfg(feature = "std")]
    {
        use core::sync::atomic::{AtomicUsize, Ordering};

        // The system call takes longer than a small loop.
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        NonZeroUsize::new(THREADS.load(Ordering::Relaxed)).unwrap_or_else(|| {
            let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            THREADS.store(threads.get(), Ordering::Relaxed);
            threads
        })
    }
    #[cfg(not(feature = "std"))]
    NonZeroUsize::MIN
}

// A reference to a runtime is a runtime: `.on(&runtime)` where the loop does not outlive it.

impl<R: Spawn> Spawn for &R {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        (**self).spawn(future);
    }

    fn threads(&self) -> NonZeroUsize {
        (**self).threads()
    }
}

impl<R: SpawnLocal> SpawnLocal for &R {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        (**self).spawn_local(future);
    }
}

impl<R: SpawnBlocking> SpawnBlocking for &R {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        (**self).spawn_blocking(future);
    }
}

impl<'env, R: SpawnScoped<'env>> SpawnScoped<'env> for &R {
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'env) {
        (**self).spawn_scoped(future);
    }

    fn threads(&self) -> NonZeroUsize {
        (**self).threads()
    }
}

impl<'a, R: Timer> Timer for &'a R {
    fn sleep(&self, duration: Duration) -> impl Sleep + use<'a, R> {
        (**self).sleep(duration)
    }

    fn now(&self) -> Duration {
        (**self).now()
    }
}
