//! Threads that run borrowing tasks, and the handle that spawns such tasks.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;

use async_executor::Executor;
use forloop_core::{CancelToken, Panic, SpawnScoped};
use futures_lite::future::block_on;

/// Threads that run tasks which borrow for `'env`, while the owner of the threads blocks.
///
/// [`parallel`](crate::parallel()) uses this with one thread per core.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
/// use forloop_core::each;
/// use forloop_parallel::Threads;
///
/// let numbers = [1, 2, 3];
/// let threads = Threads::of(NonZeroUsize::new(3).unwrap());
/// let cores = threads.cores();
/// let squares = each(&numbers).limit(cores.threads()).on_scoped(cores).gather(|n| async move { n * n });
/// assert_eq!(threads.block_on(squares), [1, 4, 9]);
/// ```
pub struct Threads<'env> {
    executor: Arc<Executor<'env>>,
    threads: NonZeroUsize,
}

impl<'env> Threads<'env> {
    /// Uses one thread per core.
    pub fn new() -> Self {
        Self::of(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// Uses `threads` threads, besides the one that blocks.
    pub fn of(threads: NonZeroUsize) -> Self {
        Self { executor: Arc::new(Executor::new()), threads }
    }

    /// Returns the handle that spawns tasks here.
    pub fn cores(&self) -> Cores<'env> {
        Cores { executor: Arc::downgrade(&self.executor), threads: self.threads }
    }

    /// Runs `future` on the current thread, and the tasks on the other threads, until the future is ready.
    ///
    /// Tasks that have not completed by then wait for the next call. Dropping this value drops them.
    ///
    /// # Panics
    ///
    /// Resumes a panic of `future` after the threads have stopped.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let shutdown = CancelToken::new();
        thread::scope(|scope| {
            // Dropped on a panic of `future` too: the scope joins the threads, which wait for the shutdown.
            let guard = ShutdownGuard(&shutdown);
            let started = (1..=self.threads.get()).filter(|index| {
                let thread = thread::Builder::new().name(format!("forloop-{index}"));
                thread.spawn_scoped(scope, || self.run_tasks(&shutdown)).is_ok()
            });
            let output = match started.count() {
                0 => block_on(self.executor.run(future)),
                // The caller's thread does not run tasks: while it polled one, the loop could not process
                // the completion of another.
                _ => block_on(future),
            };
            drop(guard);
            output
        })
    }

    /// Runs tasks until the shutdown.
    fn run_tasks(&self, shutdown: &CancelToken) {
        while !shutdown.is_cancelled() {
            // A panic ends its task, not the thread: the other tasks keep running. Its payload may panic, too, when
            // it is dropped; a `Panic` catches that.
            let run = || block_on(self.executor.run(shutdown.cancelled()));
            drop(catch_unwind(AssertUnwindSafe(run)).map_err(Panic::from));
        }
    }
}

impl Default for Threads<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Threads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Shuts the threads down when it is dropped.
struct ShutdownGuard<'a>(&'a CancelToken);

impl Drop for ShutdownGuard<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The handle to the threads of a [`parallel`](crate::parallel()) call. It spawns tasks that borrow for
/// `'env`.
///
/// A handle may be kept after the call; a task that is spawned then is dropped at once.
#[derive(Clone)]
pub struct Cores<'env> {
    // Weak: a task may hold a handle, and must not keep its own executor alive.
    executor: Weak<Executor<'env>>,
    threads: NonZeroUsize,
}

impl Cores<'_> {
    /// Returns the number of threads that run tasks.
    ///
    /// This is a good limit for bodies that compute. A thread that completes a short body is idle until the
    /// loop starts the next one, so a higher limit, such as twice the number, may be faster.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
    }
}

impl<'env> SpawnScoped<'env> for Cores<'env> {
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'env) {
        if let Some(executor) = self.executor.upgrade() {
            executor.spawn(future).detach();
        }
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }
}

impl fmt::Debug for Cores<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cores").field("threads", &self.threads).finish_non_exhaustive()
    }
}
