//! The seam: what a loop may ask of a runtime, one capability per trait.
//!
//! A runtime is a *value*: a unit struct or a cheap handle. So runtimes can be passed, stored, wrapped
//! and used side by side. A missing runtime is an error where the value is made, before any loop starts.

use core::num::NonZeroUsize;
use core::time::Duration;

/// Spawns futures on the runtime's threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot spawn tasks on threads",
    label = "expected a runtime that implements `Spawn`",
    note = "pass a runtime, for instance `forloop::runtime()?`, or the one that `forloop::run` passes to its closure"
)]
pub trait Spawn {
    /// Spawns `future` and detaches it. A caller that needs its output or its completion wraps it first, as
    /// [`spawn`](crate::spawn) does.
    ///
    /// The future is dropped no later than runtime shutdown. An implementation never polls it before `spawn`
    /// was called, and never panics for a reason of its own.
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
}

/// Spawns futures on the current thread; they need not be `Send`.
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
    /// It is dropped no later than the end of the scope. An implementation never polls it before
    /// `spawn_scoped` was called, and never panics for a reason of its own.
    #[track_caller]
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'env);
}

/// A clock and its timers.
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
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<Self>;

    /// Returns the time since an origin that the runtime chooses. It is monotonic.
    fn now(&self) -> Duration;
}

/// Runs a future to completion on the current thread.
///
/// For a program's `main` and for tests. No strategy calls it.
pub trait BlockOn {
    /// Blocks the current thread until `future` is ready and returns its output.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// A runtime that has threads and a clock, and can be cloned and sent.
///
/// Use a smaller bound where it suffices: most strategies need no runtime, and a spawned loop needs only
/// [`Spawn`].
pub trait Runtime: Spawn + Timer + Clone + Send + Sync + 'static {}

impl<R: Spawn + Timer + Clone + Send + Sync + 'static> Runtime for R {}

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
}

impl<'a, R: Timer> Timer for &'a R {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<'a, R> {
        (**self).sleep(duration)
    }

    fn now(&self) -> Duration {
        (**self).now()
    }
}
