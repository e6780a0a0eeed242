//! A single type for all backends whose bodies are tasks, so that the laws compile once for all of them.

use std::convert::Infallible;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use forloop_core::places::{
    Attempt, Completer, Place, Push, Spawned, SpawnedLocal, SpawnedScoped, SpawnedSet,
};
use forloop_core::types::{GroupDriver, GroupFuture};
use forloop_core::{Spawn, SpawnLocal, SpawnScoped, Task, Timer};

use crate::backend::{Backend, Job, Spawning};

type Local = Pin<Box<dyn Future<Output = ()>>>;

/// Any backend whose bodies are tasks, as a trait object: it boxes spawned futures and sleeps.
///
/// Its loops use the same [`Spawned`], [`SpawnedLocal`] or [`SpawnedScoped`] as on the backend itself. Groups run on
/// [`Spawning::runtime`].
pub struct Tasks {
    backend: Box<dyn Boxed>,
}

impl Tasks {
    /// Erases the type of `backend`.
    pub fn new<B: Spawning<Place: TaskPlace> + 'static>(backend: B) -> Self {
        // The laws are compiled for inexact clocks, so they would check less than for the backend itself.
        const { assert!(B::SPAWNED && !B::EXACT, "the laws for tasks are compiled for real clocks") };
        Self { backend: Box::new(backend) }
    }

    /// Whether the clock can be used only on this thread.
    pub(crate) fn is_on_one_thread(&self) -> bool {
        self.backend.is_on_one_thread()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").finish_non_exhaustive()
    }
}

impl Backend for Tasks {
    type Place = AnyPlace;
    type Clock = AnyClock;
    type Group = forloop_core::Group<AnyRuntime, String>;

    const SPAWNED: bool = true;

    fn place(&self) -> AnyPlace {
        self.backend.place()
    }

    fn clock(&self) -> AnyClock {
        self.backend.clock()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.runtime(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut output = None;
        self.backend.block_on(pin!(async { output = Some(future.await) }));
        output.expect("`block_on` returns when its future is ready")
    }
}

impl Spawning for Tasks {
    type Runtime = AnyRuntime;

    fn runtime(&self) -> AnyRuntime {
        self.backend.runtime()
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        match self.backend.place() {
            AnyPlace::Spawned(Spawned(runtime)) => forloop_core::spawn(&runtime, job),
            AnyPlace::SpawnedLocal(SpawnedLocal(runtime)) => {
                forloop_core::spawn_local(&runtime, job)
            }
            AnyPlace::SpawnedScoped(SpawnedScoped(scope)) => {
                forloop_core::spawn_scoped(&scope, job)
            }
        }
    }
}

/// A [`Spawning`] backend as a trait object.
trait Boxed {
    fn is_on_one_thread(&self) -> bool;

    fn place(&self) -> AnyPlace;

    fn clock(&self) -> AnyClock;

    fn runtime(&self) -> AnyRuntime;

    fn block_on(&self, future: Pin<&mut dyn Future<Output = ()>>);
}

impl<B: Spawning<Place: TaskPlace>> Boxed for B {
    fn is_on_one_thread(&self) -> bool {
        B::ON_ONE_THREAD
    }

    fn place(&self) -> AnyPlace {
        Backend::place(self).erase()
    }

    fn clock(&self) -> AnyClock {
        AnyClock { clock: Arc::new(Backend::clock(self)) }
    }

    fn runtime(&self) -> AnyRuntime {
        AnyRuntime { runtime: Arc::new(Spawning::runtime(self)) }
    }

    fn block_on(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        Backend::block_on(self, future);
    }
}

/// A place that starts a task for each body: [`Spawned`], [`SpawnedLocal`] or [`SpawnedScoped`].
#[diagnostic::on_unimplemented(
    message = "the laws are not compiled for the place `{Self}`",
    note = "they are for `Spawned`, `SpawnedLocal` and `SpawnedScoped`, and for `PushPool` in `forloop_conformance::Workers`"
)]
pub trait TaskPlace {
    /// Erases the type of the runtime.
    fn erase(self) -> AnyPlace;
}

impl<R: Spawn + Send + Sync + 'static> TaskPlace for Spawned<R> {
    fn erase(self) -> AnyPlace {
        AnyPlace::Spawned(Spawned(AnyRuntime { runtime: Arc::new(self.0) }))
    }
}

impl<R: SpawnLocal + 'static> TaskPlace for SpawnedLocal<R> {
    fn erase(self) -> AnyPlace {
        AnyPlace::SpawnedLocal(SpawnedLocal(AnyLocal { runtime: Rc::new(self.0) }))
    }
}

impl<S: SpawnScoped<'static> + 'static> TaskPlace for SpawnedScoped<S> {
    fn erase(self) -> AnyPlace {
        AnyPlace::SpawnedScoped(SpawnedScoped(AnyScope { threads: Rc::new(self.0) }))
    }
}

/// One of the places that start a task for each body.
#[derive(Debug, Clone)]
pub enum AnyPlace {
    /// On the threads of a runtime.
    Spawned(Spawned<AnyRuntime>),
    /// On the current thread.
    SpawnedLocal(SpawnedLocal<AnyLocal>),
    /// On the threads of a scope.
    SpawnedScoped(SpawnedScoped<AnyScope>),
}

impl<T: Send + 'static> Place<Job<T>> for AnyPlace {
    type Set = SpawnedSet<T>;
    type Dispatch = Push;

    fn set(&self) -> Self::Set {
        SpawnedSet::default()
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    fn start(&self, attempt: Attempt, body: Job<T>, completer: Completer<T>) {
        match self {
            Self::Spawned(place) => place.start(attempt, body, completer),
            Self::SpawnedLocal(place) => place.start(attempt, body, completer),
            Self::SpawnedScoped(place) => place.start(attempt, body, completer),
        }
    }
}

/// A multi-threaded runtime that boxes the futures it spawns.
#[derive(Clone)]
pub struct AnyRuntime {
    runtime: Arc<dyn BoxedSpawn + Send + Sync>,
}

/// [`Spawn`] as a trait object.
trait BoxedSpawn {
    fn spawn(&self, future: Job<()>);

    fn threads(&self) -> NonZeroUsize;
}

impl<R: Spawn> BoxedSpawn for R {
    fn spawn(&self, future: Job<()>) {
        Spawn::spawn(self, future);
    }

    fn threads(&self) -> NonZeroUsize {
        Spawn::threads(self)
    }
}

impl Spawn for AnyRuntime {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(Box::pin(future));
    }

    fn threads(&self) -> NonZeroUsize {
        self.runtime.threads()
    }
}

/// A runtime on the current thread that boxes the futures it spawns.
#[derive(Clone)]
pub struct AnyLocal {
    runtime: Rc<dyn BoxedSpawnLocal>,
}

/// [`SpawnLocal`] as a trait object.
trait BoxedSpawnLocal {
    fn spawn_local(&self, future: Local);
}

impl<R: SpawnLocal> BoxedSpawnLocal for R {
    fn spawn_local(&self, future: Local) {
        SpawnLocal::spawn_local(self, future);
    }
}

impl SpawnLocal for AnyLocal {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        self.runtime.spawn_local(Box::pin(future));
    }
}

/// Scoped threads that box the futures they spawn.
#[derive(Clone)]
pub struct AnyScope {
    threads: Rc<dyn BoxedSpawnScoped>,
}

/// [`SpawnScoped`] as a trait object.
trait BoxedSpawnScoped {
    fn spawn_scoped(&self, future: Job<()>);

    fn threads(&self) -> NonZeroUsize;
}

impl<S: SpawnScoped<'static>> BoxedSpawnScoped for S {
    fn spawn_scoped(&self, future: Job<()>) {
        SpawnScoped::spawn_scoped(self, future);
    }

    fn threads(&self) -> NonZeroUsize {
        SpawnScoped::threads(self)
    }
}

impl SpawnScoped<'static> for AnyScope {
    fn spawn_scoped(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.threads.spawn_scoped(Box::pin(future));
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads.threads()
    }
}

/// A clock that boxes its sleeps.
#[derive(Clone)]
pub struct AnyClock {
    clock: Arc<dyn BoxedTimer + Send + Sync>,
}

/// [`Timer`] as a trait object.
trait BoxedTimer {
    fn sleep(&self, duration: Duration) -> Job<()>;

    fn now(&self) -> Duration;
}

impl<C: Timer + 'static> BoxedTimer for C {
    fn sleep(&self, duration: Duration) -> Job<()> {
        Box::pin(Timer::sleep(self, duration))
    }

    fn now(&self) -> Duration {
        Timer::now(self)
    }
}

impl Timer for AnyClock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.clock.sleep(duration)
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }
}

macro_rules! debug {
    ($($erased:ident),*) => {
        $(impl fmt::Debug for $erased {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($erased)).finish_non_exhaustive()
            }
        })*
    };
}

debug!(AnyRuntime, AnyLocal, AnyScope, AnyClock);
