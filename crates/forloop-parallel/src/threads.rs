//! Threads for tasks that borrow, and the handle that starts such tasks.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;

use async_executor::Executor;
use forloop_core::{CancelToken, SpawnScoped};
use futures_lite::future::block_on;

/// Threads that run tasks which borrow for `'env`, while their owner blocks.
///
/// [`parallel`](crate::parallel()) is this with a thread for each core.
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
/// let squares = each(&numbers).limit(cores.twice()).on_scoped(cores).gather(|n| async move { n * n });
/// assert_eq!(threads.block_on(squares), [1, 4, 9]);
/// ```
pub struct Threads<'env> {
    executor: Arc<Executor<'env>>,
    threads: NonZeroUsize,
}

impl<'env> Threads<'env> {
    /// As many threads as the machine runs side by side.
    pub fn new() -> Self {
        Self::of(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// So many threads, beside the one that blocks.
    pub fn of(threads: NonZeroUsize) -> Self {
        Self { executor: Arc::new(Executor::new()), threads }
    }

    /// Returns the handle that starts tasks here.
    pub fn cores(&self) -> Cores<'env> {
        Cores { executor: Arc::downgrade(&self.executor), threads: self.threads }
    }

    /// Runs `future` on the current thread and the tasks on the others, until the future is ready.
    ///
    /// Tasks that have not ended by then wait for the next call, and are dropped with this value.
    ///
    /// # Panics
    ///
    /// Goes on with the panic of `future`, when the threads have ended.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let is_over = CancelToken::new();
        thread::scope(|scope| {
            // Also when it ends by a panic: the scope waits for the threads, and these for this.
            let over = Over(&is_over);
            let started = (1..=self.threads.get()).filter(|index| {
                let thread = thread::Builder::new().name(format!("forloop-{index}"));
                thread.spawn_scoped(scope, || self.work(&is_over)).is_ok()
            });
            let output = match started.count() {
                0 => block_on(self.executor.run(future)),
                // The caller's thread keeps out of the bodies: while it is in one of them, no loop would hear of
                // the end of another.
                _ => block_on(future),
            };
            drop(over);
            output
        })
    }

    /// Runs tasks until it is over.
    fn work(&self, is_over: &CancelToken) {
        while !is_over.is_cancelled() {
            // A task that panics ends here, not its thread: the others go on.
            let run = || block_on(self.executor.run(is_over.cancelled()));
            let _panicked = catch_unwind(AssertUnwindSafe(run));
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

/// Says that it is over.
struct Over<'a>(&'a CancelToken);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The handle to the threads of a [`parallel`](crate::parallel()) call: it starts tasks that borrow for
/// `'env`.
///
/// It may be kept for longer than the call; a task that is started then is dropped at once.
#[derive(Clone)]
pub struct Cores<'env> {
    // Tasks may hold a handle to where they run, and do not keep it.
    executor: Weak<Executor<'env>>,
    threads: NonZeroUsize,
}

impl Cores<'_> {
    /// How many threads run tasks here.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Twice as many: a good limit for bodies that compute. Each thread has one to run, and another for when
    /// that has ended.
    pub fn twice(&self) -> NonZeroUsize {
        self.threads.saturating_add(self.threads.get())
    }
}

impl<'env> SpawnScoped<'env> for Cores<'env> {
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'env) {
        if let Some(executor) = self.executor.upgrade() {
            executor.spawn(future).detach();
        }
    }
}

impl fmt::Debug for Cores<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cores").field("threads", &self.threads).finish_non_exhaustive()
    }
}
