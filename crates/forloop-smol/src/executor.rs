//! Executors that the host drives.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use forloop_core::{BlockOn, Spawn, SpawnBlocking, SpawnLocal, Timer};

use crate::runtime::{now, sleep, unblock};

/// An [`async_executor::Executor`] that the host runs on its own threads.
///
/// Tasks make progress only while the host runs the executor. A task that holds a clone of this value keeps
/// the executor alive, as a clone of the `Arc` would. If the host stops running the executor, its loops stop
/// with it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use forloop_core::BlockOn;
/// use forloop_smol::Executor;
///
/// let executor = Arc::new(async_executor::Executor::new());
/// let runtime = Executor::from(executor.clone());
/// let squares = runtime.block_on(
///     forloop_core::each(0..4).unbounded().on(runtime.clone()).gather(|n| async move { n * n }),
/// );
/// assert_eq!(squares, [0, 1, 4, 9]);
/// ```
#[derive(Clone)]
pub struct Executor {
    inner: Arc<async_executor::Executor<'static>>,
}

impl From<Arc<async_executor::Executor<'static>>> for Executor {
    fn from(inner: Arc<async_executor::Executor<'static>>) -> Self {
        Self { inner }
    }
}

impl Spawn for Executor {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.inner.spawn(future).detach();
    }
}

impl SpawnBlocking for Executor {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        unblock(future);
    }
}

impl Timer for Executor {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        sleep(duration)
    }

    fn now(&self) -> Duration {
        now()
    }
}

impl BlockOn for Executor {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(self.inner.run(future))
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Executor(..)")
    }
}

/// An [`async_executor::LocalExecutor`] that the host ticks on its own thread. Tasks need not be `Send`.
///
/// # Examples
///
/// A program with its own main loop gives the executor a few ticks per frame.
///
/// ```
/// use std::rc::Rc;
/// use forloop_smol::Local;
///
/// let executor = Rc::new(async_executor::LocalExecutor::new());
/// let label = Rc::new("frame");
/// let lines = forloop_core::each(0..3).unbounded().on_local(Local::from(executor.clone())).gather(
///     move |n| {
///         let label = label.clone();
///         async move { format!("{label} {n}") }
///     },
/// );
/// let lines = executor.spawn(lines);
/// while !lines.is_finished() {
///     for _ in 0..4 {
///         executor.try_tick();
///     }
///     // Here the program draws its frame.
/// }
/// assert_eq!(smol::block_on(lines), ["frame 0", "frame 1", "frame 2"]);
/// ```
#[derive(Clone)]
pub struct Local {
    inner: Rc<async_executor::LocalExecutor<'static>>,
}

impl From<Rc<async_executor::LocalExecutor<'static>>> for Local {
    fn from(inner: Rc<async_executor::LocalExecutor<'static>>) -> Self {
        Self { inner }
    }
}

impl SpawnLocal for Local {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        self.inner.spawn(future).detach();
    }
}

impl SpawnBlocking for Local {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        unblock(future);
    }
}

impl Timer for Local {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        sleep(duration)
    }

    fn now(&self) -> Duration {
        now()
    }
}

impl BlockOn for Local {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(self.inner.run(future))
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Local(..)")
    }
}
