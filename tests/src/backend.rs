//! Backends that are not runtime values: a tokio runtime, whose owner blocks and whose handle spawns; a program that
//! drives its executors; and threads whose owner blocks.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use forloop::places::{Spawned, SpawnedLocal, SpawnedScoped};
use forloop::smol::{Executor, Local, Smol};
use forloop::timer::SystemTimer;
use forloop::types::{GroupDriver, GroupFuture};
use forloop::{
    BlockOn, Cores, LocalTimer, Spawn, SpawnLocal, SpawnScoped, Task, Threads, Timer, tokio,
};
use forloop_conformance::{Backend, Job, Spawning};

/// A tokio runtime that is shut down after its test.
#[derive(Debug)]
pub struct Tokio {
    owner: tokio::OwnedRuntime,
}

impl Tokio {
    /// Runs tasks on the thread that blocks.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be started.
    pub fn current_thread() -> Self {
        Self { owner: tokio::OwnedRuntime::current_thread().expect("a runtime can be started") }
    }

    /// Runs tasks on four threads.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be started.
    pub fn multi_thread() -> Self {
        let threads = NonZeroUsize::new(4);
        Self {
            owner: tokio::OwnedRuntime::multi_thread(threads).expect("a runtime can be started"),
        }
    }
}

impl Backend for Tokio {
    type Place = Spawned<tokio::Tokio>;
    type Clock = tokio::Tokio;
    type Group = forloop::Group<tokio::Tokio, String>;

    const SPAWNED: bool = true;

    fn place(&self) -> Self::Place {
        Spawned(self.owner.runtime())
    }

    fn clock(&self) -> tokio::Tokio {
        self.owner.runtime()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.owner.runtime(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.owner.block_on(future)
    }
}

impl Spawning for Tokio {
    type Runtime = tokio::Tokio;

    fn runtime(&self) -> tokio::Tokio {
        self.owner.runtime()
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop::spawn(&self.owner.runtime(), job)
    }
}

/// A tokio runtime for tasks that need not be `Send`.
#[derive(Debug)]
pub struct TokioLocal {
    owner: Rc<::tokio::runtime::LocalRuntime>,
}

impl Default for TokioLocal {
    fn default() -> Self {
        let mut builder = ::tokio::runtime::Builder::new_current_thread();
        let owner = builder.enable_all().build_local(::tokio::runtime::LocalOptions::default());
        Self { owner: Rc::new(owner.expect("a runtime can be started")) }
    }
}

impl Backend for TokioLocal {
    type Place = SpawnedLocal<tokio::Local>;
    type Clock = tokio::Tokio;
    type Group = forloop::Group<tokio::Tokio, String>;

    const SPAWNED: bool = true;

    fn place(&self) -> Self::Place {
        SpawnedLocal(self.owner.clone().into())
    }

    fn clock(&self) -> tokio::Tokio {
        self.owner.handle().clone().into()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.runtime(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.owner.block_on(future)
    }
}

impl Spawning for TokioLocal {
    type Runtime = tokio::Tokio;

    fn runtime(&self) -> tokio::Tokio {
        self.owner.handle().clone().into()
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop::spawn_local(&tokio::Local::from(self.owner.clone()), job)
    }
}

/// The same runtime by itself: its tasks and its timers are used on its thread alone.
#[derive(Debug)]
pub struct TokioThread {
    owner: Rc<::tokio::runtime::LocalRuntime>,
    clock: tokio::Tokio,
}

impl Default for TokioThread {
    fn default() -> Self {
        let TokioLocal { owner } = TokioLocal::default();
        Self { clock: owner.handle().clone().into(), owner }
    }
}

impl SpawnLocal for TokioThread {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        tokio::Local::from(self.owner.clone()).spawn_local(future);
    }
}

impl LocalTimer for TokioThread {
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        Box::pin(::tokio::time::sleep(duration))
    }

    fn now_local(&self) -> Duration {
        self.clock.now()
    }
}

impl BlockOn for TokioThread {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.owner.block_on(future)
    }
}

/// A program that drives a `LocalExecutor` of its own, tick by tick. Groups, and tasks that tasks spawn, need `Spawn`,
/// so they run on an `Executor` that the same program drives.
#[derive(Debug)]
pub struct Host {
    local: Local,
    shared: Executor,
    executor: Rc<async_executor::LocalExecutor<'static>>,
}

impl Default for Host {
    fn default() -> Self {
        let executor = Rc::new(async_executor::LocalExecutor::new());
        Self {
            local: executor.clone().into(),
            shared: Arc::new(async_executor::Executor::new()).into(),
            executor,
        }
    }
}

impl Backend for Host {
    type Place = SpawnedLocal<Local>;
    type Clock = Smol;
    type Group = forloop::Group<Executor, String>;

    const SPAWNED: bool = true;

    fn place(&self) -> Self::Place {
        SpawnedLocal(self.local.clone())
    }

    fn clock(&self) -> Smol {
        Smol
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.shared.clone(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        BlockOn::block_on(&self.shared, self.executor.run(future))
    }
}

impl Spawning for Host {
    type Runtime = Executor;

    fn runtime(&self) -> Executor {
        self.shared.clone()
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop::spawn_local(&self.local, job)
    }
}

/// Threads whose owner blocks on the loop, so that bodies may borrow.
#[derive(Debug, Default)]
pub struct Scoped {
    threads: Threads<'static>,
}

/// The same threads, for tasks that own their data.
#[derive(Debug, Clone)]
pub struct Owning {
    cores: Cores<'static>,
}

impl Spawn for Owning {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.cores.spawn_scoped(future);
    }

    fn threads(&self) -> NonZeroUsize {
        self.cores.threads()
    }
}

impl Backend for Scoped {
    type Place = SpawnedScoped<Cores<'static>>;
    type Clock = SystemTimer;
    type Group = forloop::Group<Owning, String>;

    const SPAWNED: bool = true;

    fn place(&self) -> Self::Place {
        SpawnedScoped(self.threads.cores())
    }

    fn clock(&self) -> SystemTimer {
        SystemTimer
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.runtime(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.threads.block_on(future)
    }
}

impl Spawning for Scoped {
    type Runtime = Owning;

    fn runtime(&self) -> Owning {
        Owning { cores: self.threads.cores() }
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop::spawn_scoped(&self.threads.cores(), job)
    }
}
