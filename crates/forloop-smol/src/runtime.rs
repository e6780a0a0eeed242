//! The runtime value of this adapter, and its timers.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, future, io, thread};

use forloop_core::{BlockOn, Panic, Spawn, SpawnBlocking, Timer};
use forloop_timer::SystemTimer;

/// smol, with a thread per core.
///
/// The threads start with the first task and run until the program exits. The environment variable
/// `SMOL_THREADS` sets their number, as it does for smol's own global executor.
///
/// # Panics
///
/// Panics if the system refuses a thread at the first task, or the thread and the file descriptors of the timers at the
/// first timer or [`block_on`](BlockOn::block_on). [`start_timers`](Self::start_timers) returns the latter as an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Smol;

thread_local! {
    /// Whether this thread runs tasks of `Smol`, or blocks on a future with it.
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
}

impl Smol {
    /// Returns a value if the caller runs on one of smol's threads, or inside
    /// [`block_on`](BlockOn::block_on).
    ///
    /// This serves callers that must know whether they may block. [`Smol`] itself can be used anywhere.
    pub fn current() -> Option<Self> {
        IS_HERE.get().then_some(Self)
    }

    /// Starts the timers and all that [`block_on`](BlockOn::block_on) needs; otherwise its first call does.
    ///
    /// # Errors
    ///
    /// Returns the error of the system if it refuses the thread or the file descriptors.
    pub fn start_timers() -> io::Result<()> {
        SystemTimer::start()
    }
}

impl Spawn for Smol {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        executor().spawn(future).detach();
    }

    fn threads(&self) -> NonZeroUsize {
        threads()
    }
}

impl SpawnBlocking for Smol {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        unblock(future);
    }
}

impl Timer for Smol {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        sleep(duration)
    }

    fn now(&self) -> Duration {
        now()
    }
}

impl BlockOn for Smol {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        struct Before(bool);
        impl Drop for Before {
            fn drop(&mut self) {
                IS_HERE.set(self.0);
            }
        }
        let _before = Before(IS_HERE.replace(true));
        smol::block_on(future)
    }
}

/// Runs `future` on smol's pool of blocking threads.
pub(crate) fn unblock(future: impl Future<Output = ()> + Send + 'static) {
    smol::unblock(|| smol::block_on(future)).detach();
}

/// Waits with async-io's timer.
pub(crate) fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + use<> {
    let timer = smol::Timer::after(duration);
    async move {
        timer.await;
    }
}

/// Returns the time since the first call.
pub(crate) fn now() -> Duration {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}

/// Returns the executor; the first call starts its threads.
fn executor() -> &'static smol::Executor<'static> {
    static EXECUTOR: smol::Executor<'static> = smol::Executor::new();
    static THREADS: OnceLock<()> = OnceLock::new();
    THREADS.get_or_init(|| {
        for index in 0..threads().get() {
            let thread = thread::Builder::new().name(format!("forloop-smol-{index}"));
            let spawned = thread.spawn(|| {
                IS_HERE.set(true);
                loop {
                    // A panic ends its task, not the thread: the other tasks keep running. Its payload may panic, too,
                    // when it is dropped; a `Panic` catches that.
                    let run = || smol::block_on(EXECUTOR.run(future::pending::<()>()));
                    drop(catch_unwind(AssertUnwindSafe(run)).map_err(Panic::from));
                }
            });
            spawned.expect("a thread for the executor can be started");
        }
    });
    &EXECUTOR
}

/// Returns the number of threads of the executor, which the first call determines.
fn threads() -> NonZeroUsize {
    static THREADS: OnceLock<NonZeroUsize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        let configured = env::var("SMOL_THREADS").ok().and_then(|threads| threads.parse().ok());
        configured.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    })
}
