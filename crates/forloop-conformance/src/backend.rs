//! The backends that the laws run on: every runtime with a clock and a `block_on`, the caller's task without a
//! runtime, and other implementations of [`Backend`].

use std::pin::Pin;
use std::time::Duration;

use forloop_core::places::{Place, Push, Spawned};
use forloop_core::types::{Child, GroupDriver, GroupFuture, ReadySignal};
use forloop_core::{BlockOn, Closed, Scope, Spawn, StartError, Task, Timer};

use crate::probe::VirtualClock;

/// A boxed body. The laws are generic over the place where bodies run, not over the type of the body.
pub type Job<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Boxes a body.
pub fn job<T>(future: impl Future<Output = T> + Send + 'static) -> Job<T> {
    Box::pin(future)
}

/// Boxes the closure of a body. So a loop has the same type in all laws with the same options and items, and compiles
/// once for all of them.
pub(crate) fn boxed<'a, I, T>(
    body: impl FnMut(I) -> Job<T> + 'a,
) -> Box<dyn FnMut(I) -> Job<T> + 'a> {
    Box::new(body)
}

/// A duration that no test waits for.
pub const LONG: Duration = Duration::from_secs(3600);

/// A place for loops, with its clock and `block_on`.
///
/// It is implemented for every runtime value that is [`Spawn`], [`Timer`], [`BlockOn`], `Clone`, `Send` and `Sync`.
/// Implement it for a runtime without such a value: one whose owner blocks and whose handle spawns, an executor on the
/// current thread, or a simulated clock.
pub trait Backend: Sized {
    /// Where bodies run.
    type Place: Clone
        + Place<Job<()>, Dispatch = Push>
        + Place<Job<u64>, Dispatch = Push>
        + Place<Job<Vec<u64>>, Dispatch = Push>
        + Place<Job<Option<u64>>, Dispatch = Push>
        + Place<Job<Result<(), String>>, Dispatch = Push>
        + Place<Job<Result<u64, String>>, Dispatch = Push>
        + Place<Job<Result<Option<u64>, String>>, Dispatch = Push>;

    /// The clock of this backend.
    type Clock: Timer + Clone + Send + Sync + 'static;

    /// The handle to a group on this backend.
    type Group: Group;

    /// Whether bodies are tasks of a runtime.
    const SPAWNED: bool;

    /// Whether the clock stands still while a task can run, so that times are exact.
    ///
    /// [`Tasks`](crate::Tasks) does not accept such a backend, because its laws are compiled for real clocks.
    const EXACT: bool = false;

    /// Whether the clock can be used only on the thread that made the backend, where all tasks run.
    const ON_ONE_THREAD: bool = false;

    /// Returns the place where bodies run.
    fn place(&self) -> Self::Place;

    /// Returns the clock.
    fn clock(&self) -> Self::Clock;

    /// Returns a group on this backend.
    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static>;

    /// Blocks on a future.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// A backend whose bodies are tasks.
pub trait Spawning: Backend {
    /// The runtime with which tasks spawn tasks.
    type Runtime: Spawn + Clone + Send + Sync + 'static;

    /// Returns the runtime with which tasks spawn tasks. It runs while the backend blocks.
    fn runtime(&self) -> Self::Runtime;

    /// Spawns a task.
    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T>;
}

/// The handle to a group, in the caller's task or spawned.
pub trait Group: Clone + Send + 'static {
    /// Spawns a child.
    fn spawn(&self, child: Job<Result<u64, String>>) -> Child<u64>;

    /// Spawns a child, unless the group is closed.
    ///
    /// # Errors
    ///
    /// If the group is closed.
    fn try_spawn(&self, child: Job<Result<u64, String>>) -> Result<Child<u64>, Closed>;

    /// Spawns a child, and waits until it is ready.
    fn start<'a>(
        &'a self,
        child: impl FnOnce(ReadySignal<u64>) -> Job<Result<u64, String>> + Send + 'a,
    ) -> impl Future<Output = Result<(Child<u64>, u64), StartError<String>>> + Send + 'a;

    /// Cancels the group.
    fn cancel(&self);

    /// The number of children that have not completed.
    fn running(&self) -> usize;
}

impl<R: Spawn + Clone + Send + Sync + 'static> Group for forloop_core::Group<R, String> {
    fn spawn(&self, child: Job<Result<u64, String>>) -> Child<u64> {
        self.spawn(child)
    }

    fn try_spawn(&self, child: Job<Result<u64, String>>) -> Result<Child<u64>, Closed> {
        self.try_spawn(child)
    }

    fn start<'a>(
        &'a self,
        child: impl FnOnce(ReadySignal<u64>) -> Job<Result<u64, String>> + Send + 'a,
    ) -> impl Future<Output = Result<(Child<u64>, u64), StartError<String>>> + Send + 'a {
        self.start(child)
    }

    fn cancel(&self) {
        self.cancel();
    }

    fn running(&self) -> usize {
        self.len()
    }
}

impl Group for Scope<'static, String> {
    fn spawn(&self, child: Job<Result<u64, String>>) -> Child<u64> {
        self.spawn(child)
    }

    fn try_spawn(&self, child: Job<Result<u64, String>>) -> Result<Child<u64>, Closed> {
        self.try_spawn(child)
    }

    fn start<'a>(
        &'a self,
        child: impl FnOnce(ReadySignal<u64>) -> Job<Result<u64, String>> + Send + 'a,
    ) -> impl Future<Output = Result<(Child<u64>, u64), StartError<String>>> + Send + 'a {
        self.start(child)
    }

    fn cancel(&self) {
        self.cancel();
    }

    fn running(&self) -> usize {
        self.len()
    }
}

impl<R: Spawn + Timer + BlockOn + Clone + Send + Sync + 'static> Backend for R {
    type Place = Spawned<R>;
    type Clock = R;
    type Group = forloop_core::Group<R, String>;

    const SPAWNED: bool = true;

    fn place(&self) -> Spawned<R> {
        Spawned(self.clone())
    }

    fn clock(&self) -> R {
        self.clone()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.clone(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        BlockOn::block_on(self, future)
    }
}

impl<R: Spawn + Timer + BlockOn + Clone + Send + Sync + 'static> Spawning for R {
    type Runtime = R;

    fn runtime(&self) -> R {
        self.clone()
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop_core::spawn(self, job)
    }
}

/// The caller's task without a runtime: a bare `block_on`, with a virtual clock.
#[derive(Debug, Default)]
pub struct Inline {
    clock: VirtualClock,
}

impl Backend for Inline {
    type Place = forloop_core::places::Inline;
    type Clock = VirtualClock;
    type Group = Scope<'static, String>;

    const SPAWNED: bool = false;
    const EXACT: bool = true;

    fn place(&self) -> forloop_core::places::Inline {
        forloop_core::places::Inline
    }

    fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::scope(body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.clock.block_on(future)
    }
}

/// The same as [`Inline`], but bodies are polled with the waker of the task that polls the loop.
#[derive(Debug, Default)]
pub struct ParentWaker {
    in_task: Inline,
}

impl Backend for ParentWaker {
    type Place = forloop_core::places::ParentWaker;
    type Clock = VirtualClock;
    type Group = Scope<'static, String>;

    const SPAWNED: bool = false;
    const EXACT: bool = true;

    fn place(&self) -> forloop_core::places::ParentWaker {
        forloop_core::places::ParentWaker
    }

    fn clock(&self) -> VirtualClock {
        self.in_task.clock()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        self.in_task.group(body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.in_task.block_on(future)
    }
}
