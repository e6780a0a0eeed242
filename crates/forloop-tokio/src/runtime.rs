//! The runtime value of this adapter, and its timers.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use forloop_core::{Spawn, SpawnBlocking, Timer};
use futures_lite::future::block_on;
use tokio::runtime::Handle;
use tokio::task::coop::consume_budget;
use tokio::time::Instant;

use crate::shutdown::Shutdown;

/// A handle to a running tokio runtime.
///
/// Tasks and timers make progress only while the runtime is driven. A multi-thread runtime has threads for that; a
/// current-thread one is driven only while a thread is inside its `block_on`. So a loop that is awaited elsewhere, on a
/// handle of a current-thread runtime that no thread blocks on, is pending until one does.
///
/// # In tokio-console
///
/// The location of a task is the line of the program that spawns it: the call of `forloop::spawn`, of a group's `spawn`, of
/// `TaskSet::spawn` or `task_list`. The tasks of a loop are spawned when the loop is polled, so their location is in
/// `forloop-core`. tokio takes a location only from the call, and a task has no name without `tokio_unstable`.
///
/// # Panics
///
/// A [`sleep`](Timer::sleep) panics with tokio's message on a runtime that has shut down, or that was built
/// without timers. A task that is spawned on a runtime that has shut down is cancelled; nothing panics. A body on a
/// blocking thread is cancelled at its next await.
#[derive(Debug, Clone)]
pub struct Tokio {
    handle: Handle,
    /// When this value was created, by the runtime's own clock, which a test may have paused.
    origin: Instant,
    shutdown: Arc<Shutdown>,
}

impl Tokio {
    /// Returns the tokio runtime that the caller runs on.
    ///
    /// # Errors
    ///
    /// Returns [`NoTokio`] outside every tokio runtime.
    pub fn current() -> Result<Self, NoTokio> {
        Handle::try_current().map(Self::from).map_err(|_| NoTokio)
    }

    /// Returns a value if tokio polls the caller: in a task, or inside `block_on`. There the caller must not block.
    ///
    /// In `spawn_blocking` and `block_in_place`, and on a thread that has only entered a handle, it returns `None`. So it
    /// does in a task that is `unconstrained`, which it does not recognise.
    ///
    /// This serves callers that must know whether they may block. It uses up the task's cooperative budget, so that the
    /// task yields at the next future of tokio's that it awaits.
    pub fn polling() -> Option<Self> {
        let current = Self::current().ok()?;
        has_budget().then_some(current)
    }
}

/// Whether tokio limits how long the caller runs before it yields. It does so where it polls, and nowhere else.
fn has_budget() -> bool {
    /// No budget is larger: tokio counts it in a `u8`.
    const POLLS: usize = 256;
    let mut cx = Context::from_waker(Waker::noop());
    (0..POLLS).any(|_| pin!(consume_budget()).poll(&mut cx).is_pending())
}

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        let origin = {
            let _entered = handle.enter();
            Instant::now()
        };
        Self { handle, origin, shutdown: Arc::default() }
    }
}

impl Spawn for Tokio {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(future));
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.handle.metrics().num_workers()).unwrap_or(NonZeroUsize::MIN)
    }
}

impl SpawnBlocking for Tokio {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        let (handle, shutdown) = (self.handle.clone(), self.shutdown.clone());
        // Not `handle.block_on`: in it tokio refuses to block the thread, as `blocking_recv` and `reqwest::blocking` do.
        // The thread has entered the runtime, so timers and sockets work.
        let work = move || block_on(shutdown.or_completed(&handle, future));
        drop(self.handle.spawn_blocking(work));
    }
}

impl Timer for Tokio {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        // Entered, so that the timer belongs to this runtime wherever it is awaited.
        let _entered = self.handle.enter();
        tokio::time::sleep(duration)
    }

    fn now(&self) -> Duration {
        let _entered = self.handle.enter();
        self.origin.elapsed()
    }
}

/// The caller does not run on a tokio runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTokio;

impl fmt::Display for NoTokio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no tokio runtime surrounds this code: run it inside `#[tokio::main]` or `Runtime::block_on`, \
             or create the value with `Tokio::from(handle)`",
        )
    }
}

impl Error for NoTokio {}
