//! The runtime value of this adapter, and its timers.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use forloop_core::{BlockOn, Spawn, SpawnBlocking, Timer};
use forloop_timer::SystemTimer;

/// async-std, with its own global threads.
///
/// The threads start with the first task and run until the program exits. The environment variable
/// `ASYNC_STD_THREAD_COUNT` sets their number; the default is a thread per core.
///
/// # Panics
///
/// Panics if the system refuses a thread at the first task or [`block_on`](BlockOn::block_on). If it refuses the file
/// descriptors of the timers there, async-std's threads panic in turn, which may abort the program.
/// [`start_timers`](Self::start_timers) returns that as an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsyncStd;

impl AsyncStd {
    /// Returns a value if the caller runs in an async-std task, or inside [`block_on`](BlockOn::block_on).
    ///
    /// This serves callers that must know whether they may block. [`AsyncStd`] itself can be used anywhere.
    pub fn current() -> Option<Self> {
        async_std::task::try_current().map(|_| Self)
    }

    /// Starts the timers, which every use of async-std needs; otherwise the first use does.
    ///
    /// # Errors
    ///
    /// Returns the error of the system if it refuses the thread or the file descriptors.
    pub fn start_timers() -> io::Result<()> {
        SystemTimer::start()
    }
}

impl Spawn for AsyncStd {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(async_std::task::spawn(future));
    }

    fn threads(&self) -> NonZeroUsize {
        static THREADS: OnceLock<NonZeroUsize> = OnceLock::new();
        *THREADS.get_or_init(|| {
            let configured =
                env::var("ASYNC_STD_THREAD_COUNT").ok().and_then(|threads| threads.parse().ok());
            configured.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
        })
    }
}

impl SpawnBlocking for AsyncStd {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(async_std::task::spawn_blocking(|| async_std::task::block_on(future)));
    }
}

impl Timer for AsyncStd {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        // The duration counts from this call; async-std's own sleep counts from its first poll.
        let until = Instant::now().checked_add(duration);
        async move {
            match until {
                Some(until) => async_std::task::sleep(until - Instant::now()).await,
                None => std::future::pending().await,
            }
        }
    }

    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

impl BlockOn for AsyncStd {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }
}
