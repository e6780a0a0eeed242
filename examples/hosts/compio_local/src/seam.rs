//! The compio runtime of the current thread, whose tasks and timers stay there.

use std::future::pending;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use forloop::{BlockOn, LocalTimer, SpawnLocal};

/// The runtime that this thread is in.
///
/// It holds no runtime, because a task that held its own would keep it alive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compio;

impl SpawnLocal for Compio {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        compio::runtime::spawn(future).detach();
    }
}

impl LocalTimer for Compio {
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        // Counts from this call. A moment that the clock cannot show never comes.
        match Instant::now().checked_add(duration) {
            Some(due) => Box::pin(compio::time::sleep_until(due)),
            None => Box::pin(pending()),
        }
    }

    fn now_local(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A runtime, for the thread that blocks.
#[derive(Debug)]
pub(crate) struct CompioThread {
    runtime: compio::runtime::Runtime,
}

impl CompioThread {
    pub(crate) fn new() -> Self {
        let runtime = compio::runtime::Runtime::new().expect("a runtime can be started");
        Self { runtime }
    }
}

impl BlockOn for CompioThread {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

// The tests ask for all three of one value. They call these inside of its `block_on`.

impl SpawnLocal for CompioThread {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        Compio.spawn_local(future);
    }
}

impl LocalTimer for CompioThread {
    type Sleep = <Compio as LocalTimer>::Sleep;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        Compio.sleep_local(duration)
    }

    fn now_local(&self) -> Duration {
        Compio.now_local()
    }
}
