//! The runtime value of this adapter, and its timers.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, future, thread};

use forloop_core::{BlockOn, Spawn, SpawnBlocking, Timer};

/// smol, with a thread per core.
///
/// The threads start with the first task and stay to the end of the program. `SMOL_THREADS` in
/// the environment says how many, as it does for smol's own global executor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Smol;

thread_local! {
    /// Whether this thread runs tasks here, or blocks on them.
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
}

impl Smol {
    /// Returns smol where this code runs on one of its threads, or inside [`block_on`](BlockOn::block_on).
    ///
    /// Only for whoever must not block there: it can be used anywhere.
    pub fn current() -> Option<Self> {
        IS_HERE.get().then_some(Self)
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

/// Runs `future` on smol's threads for what blocks.
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

/// The time since the first call.
pub(crate) fn now() -> Duration {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}

/// The executor and its threads, which start here the first time.
fn executor() -> &'static smol::Executor<'static> {
    static EXECUTOR: smol::Executor<'static> = smol::Executor::new();
    static THREADS: OnceLock<()> = OnceLock::new();
    THREADS.get_or_init(|| {
        for index in 0..threads().get() {
            let thread = thread::Builder::new().name(format!("forloop-smol-{index}"));
            let spawned = thread.spawn(|| {
                IS_HERE.set(true);
                loop {
                    // A task that panics ends here, not its thread: the others go on.
                    let run = || smol::block_on(EXECUTOR.run(future::pending::<()>()));
                    let _panicked = catch_unwind(AssertUnwindSafe(run));
                }
            });
            spawned.expect("a thread for the executor can be started");
        }
    });
    &EXECUTOR
}

/// How many threads the executor has, or will have: asked once.
fn threads() -> NonZeroUsize {
    static THREADS: OnceLock<NonZeroUsize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        let told = env::var("SMOL_THREADS").ok().and_then(|threads| threads.parse().ok());
        told.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    })
}
