//! The seam: what a loop may ask of a runtime, one capability per trait.
//!
//! A runtime is a *value*: a unit struct or a cheap handle. So runtimes can be passed, stored,
//! wrapped and used side by side, and a missing one is noticed where the value is made, before
//! any loop starts.

use core::num::NonZeroUsize;
use core::time::Duration;

/// Starts a future on the runtime's threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run tasks on its threads",
    label = "this is not a runtime value",
    note = "pass a runtime, for instance `forloop::runtime()?`, or the one `forloop::run` hands to your closure"
)]
pub trait Spawn {
    /// Starts `future` and lets it go: whoever wants its result or its end wraps it first, as
    /// [`spawn`](crate::spawn) does.
    ///
    /// The future has been dropped, at the latest, when the runtime has shut down. An
    /// implementation never polls it before `spawn` was called and never panics for a reason of
    /// its own.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static);

    /// How many threads run tasks here: as many workers serve a loop that is told no other number.
    ///
    /// Unless an implementation knows better, as many as the machine runs side by side; one, without
    /// the feature `std`.
    fn threads(&self) -> NonZeroUsize {
        #[cfg(feature = "std")]
        {
            use core::sync::atomic::{AtomicUsize, Ordering};

            // To ask the operating system takes longer than a small loop.
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

/// Starts a future on the current thread; the future need not be `Send`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run tasks on the current thread",
    label = "this is not a single-threaded runtime value",
    note = "a loop without `.on_local(..)` needs no runtime: spawn the loop itself; to give it an \
            `async_executor::LocalExecutor`, wrap that in `forloop::smol::Local`"
)]
pub trait SpawnLocal {
    /// Starts `future` and lets it go.
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static);
}

/// Starts a future on a thread where it may block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no threads for what blocks",
    label = "this is not a runtime value with a pool of threads that may block",
    note = "pass a runtime, for instance `forloop::runtime()?`, or the one `forloop::run` hands to your closure"
)]
pub trait SpawnBlocking {
    /// Runs `future` to its end on one thread of the runtime's pool for work that blocks, and lets it go.
    ///
    /// It begins when a thread of the pool is free. It has been dropped, at the latest, when the runtime
    /// has shut down; unless it is in the middle of a step then, which nobody can stop.
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static);
}

/// Starts a future that borrows for `'env` on threads that end before that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run tasks that borrow",
    label = "these are not the threads of a scope",
    note = "pass the `cores` of `forloop::parallel(|cores| ..)`; for a runtime, use `.on(runtime)`, whose \
            bodies own what they use"
)]
pub trait SpawnScoped<'env> {
    /// Starts `future` and lets it go.
    ///
    /// It has been dropped, at the latest, when the scope ends. An implementation never polls it before
    /// `spawn_scoped` was called and never panics for a reason of its own.
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'env);
}

/// Tells the time and waits for it to pass.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no clock",
    label = "this is not a runtime value with timers",
    note = "pass a runtime, for instance the one `forloop::run` hands to your closure"
)]
pub trait Timer {
    /// Returns a future that is ready once `duration` has passed since this call.
    ///
    /// The future owns what it needs, but its type has no name: a struct that keeps one is generic
    /// over it, or boxes it.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<Self>;

    /// Returns the time since an origin of the runtime's choosing; it never goes back.
    fn now(&self) -> Duration;
}

/// Runs a future to its end on the current thread.
///
/// For a program's `main` and for tests: no strategy calls it.
pub trait BlockOn {
    /// Blocks the current thread until `future` is ready and returns its output.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// A runtime that has threads and a clock, and can be handed around.
///
/// Ask for less where less will do: most strategies need no runtime at all, and a spawned loop
/// needs only [`Spawn`].
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
