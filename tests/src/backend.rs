//! The backends a promise is checked on.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use forloop::{BlockOn, Child, Closed, LoopError, On, OnLocal, Place, Scope, Spawn, Task, Timer};

/// A body of any kind: promises are generic over where it runs, not over what it is.
pub type Job<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Makes a body.
pub fn job<T>(future: impl Future<Output = T> + Send + 'static) -> Job<T> {
    Box::pin(future)
}

/// Somewhere to run loops.
pub trait Backend: Sized {
    /// Where bodies run.
    type Place: Clone
        + Place<Job<()>>
        + Place<Job<u64>>
        + Place<Job<Vec<u64>>>
        + Place<Job<Result<(), String>>>
        + Place<Job<Result<u64, String>>>;

    /// The clock of this backend.
    type Clock: Timer + Clone + Send + Sync + 'static;

    /// The handle to a group that runs here.
    type Group: Group;

    /// Whether bodies are tasks of a runtime.
    const SPAWNED: bool;

    /// Starts the backend.
    fn start() -> Self;

    /// Returns the place where bodies run.
    fn place(&self) -> Self::Place;

    /// Returns the clock.
    fn clock(&self) -> Self::Clock;

    /// Runs a group here.
    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> impl Future<Output = Result<T, LoopError<String>>> + 'static;

    /// Blocks on a loop.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// A backend whose bodies are tasks.
pub trait Spawning: Backend {
    /// Starts a task.
    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T>;
}

/// The handle to a group, in-task or spawned.
pub trait Group: Clone + Send + 'static {
    /// Spawns a child.
    fn spawn(&self, child: Job<Result<u64, String>>) -> Child<u64>;

    /// Spawns a child, or says that the group is closed.
    ///
    /// # Errors
    ///
    /// If the group is closed.
    fn try_spawn(&self, child: Job<Result<u64, String>>) -> Result<Child<u64>, Closed>;

    /// Cancels the group.
    fn cancel(&self);
}

impl<R: Spawn + Clone + Send + 'static> Group for forloop::Group<R, String> {
    fn spawn(&self, child: Job<Result<u64, String>>) -> Child<u64> {
        self.spawn(child)
    }

    fn try_spawn(&self, child: Job<Result<u64, String>>) -> Result<Child<u64>, Closed> {
        self.try_spawn(child)
    }

    fn cancel(&self) {
        self.cancel();
    }
}

impl Group for Scope<'static, String> {
    fn spawn(&self, child: Job<Result<u64, String>>) -> Child<u64> {
        self.spawn(child)
    }

    fn try_spawn(&self, child: Job<Result<u64, String>>) -> Result<Child<u64>, Closed> {
        self.try_spawn(child)
    }

    fn cancel(&self) {
        self.cancel();
    }
}

/// No runtime at all, on a bare `block_on`.
#[derive(Debug)]
pub struct InTask;

impl Backend for InTask {
    type Place = forloop::InTask;
    type Clock = forloop::smol::Smol;
    type Group = Scope<'static, String>;

    const SPAWNED: bool = false;

    fn start() -> Self {
        Self
    }

    fn place(&self) -> forloop::InTask {
        forloop::InTask
    }

    fn clock(&self) -> Self::Clock {
        forloop::smol::Smol
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> impl Future<Output = Result<T, LoopError<String>>> + 'static {
        forloop::scope(body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        futures_lite::future::block_on(future)
    }
}

macro_rules! spawned {
    ($(#[$doc:meta])* $name:ident, $runtime:ty, $owner:ty, $start:expr, $value:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            owner: $owner,
        }

        impl $name {
            fn value(&self) -> $runtime {
                let value: fn(&$owner) -> $runtime = $value;
                value(&self.owner)
            }
        }

        impl Backend for $name {
            type Place = On<$runtime>;
            type Clock = $runtime;
            type Group = forloop::Group<$runtime, String>;

            const SPAWNED: bool = true;

            fn start() -> Self {
                Self { owner: $start }
            }

            fn place(&self) -> Self::Place {
                On(self.value())
            }

            fn clock(&self) -> $runtime {
                self.value()
            }

            fn group<T: Send + 'static>(
                &self,
                body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
            ) -> impl Future<Output = Result<T, LoopError<String>>> + 'static {
                forloop::task_group(self.value(), body)
            }

            fn block_on<F: Future>(&self, future: F) -> F::Output {
                self.owner.block_on(future)
            }
        }

        impl Spawning for $name {
            fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
                forloop::spawn(&self.value(), job)
            }
        }
    };
}

spawned! {
    /// smol, a thread per core.
    Smol, forloop::smol::Smol, forloop::smol::Smol, forloop::smol::Smol, |smol| *smol
}

spawned! {
    /// async-std, its global threads.
    AsyncStd,
    forloop::async_std::AsyncStd,
    forloop::async_std::AsyncStd,
    forloop::async_std::AsyncStd,
    |async_std| *async_std
}

spawned! {
    /// tokio on the thread that blocks.
    TokioCurrentThread,
    forloop::tokio::Tokio,
    forloop::tokio::Owned,
    forloop::tokio::Owned::current_thread().expect("a runtime can be started"),
    |owned| owned.runtime()
}

spawned! {
    /// tokio on threads of its own.
    TokioMultiThread,
    forloop::tokio::Tokio,
    forloop::tokio::Owned,
    forloop::tokio::Owned::multi_thread(std::num::NonZeroUsize::new(4)).expect("a runtime can be started"),
    |owned| owned.runtime()
}

/// A program that drives a `LocalExecutor` of its own, tick by tick. Groups need `Spawn`, so they
/// run on an `Executor` that the same program drives.
#[derive(Debug)]
pub struct Host {
    local: forloop::smol::Local,
    shared: forloop::smol::Executor,
    executor: Rc<async_executor::LocalExecutor<'static>>,
}

impl Backend for Host {
    type Place = OnLocal<forloop::smol::Local>;
    type Clock = forloop::smol::Smol;
    type Group = forloop::Group<forloop::smol::Executor, String>;

    const SPAWNED: bool = true;

    fn start() -> Self {
        let executor = Rc::new(async_executor::LocalExecutor::new());
        Self {
            local: executor.clone().into(),
            shared: Arc::new(async_executor::Executor::new()).into(),
            executor,
        }
    }

    fn place(&self) -> Self::Place {
        OnLocal(self.local.clone())
    }

    fn clock(&self) -> Self::Clock {
        forloop::smol::Smol
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> impl Future<Output = Result<T, LoopError<String>>> + 'static {
        forloop::task_group(self.shared.clone(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.shared.block_on(self.executor.run(future))
    }
}

impl Spawning for Host {
    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop::spawn_local(&self.local, job)
    }
}

/// A time that no test waits out.
pub const LONG: Duration = Duration::from_secs(3600);
