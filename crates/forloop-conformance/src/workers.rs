//! A backend whose loops run on a worker pool.

use std::num::NonZeroUsize;

use forloop_core::Task;
use forloop_core::places::{PushPool, WorkerPool};
use forloop_core::types::{GroupDriver, GroupFuture};

use crate::backend::{Backend, Job, Spawning};

/// Any backend whose bodies are tasks, with its loops on a pool of four workers. Its groups and tasks are those of the
/// backend.
#[derive(Debug)]
pub struct Workers<B>(pub B);

impl<B: Spawning> Backend for Workers<B> {
    type Place = PushPool<B::Runtime>;
    type Clock = B::Clock;
    type Group = B::Group;

    const SPAWNED: bool = true;

    fn place(&self) -> Self::Place {
        WorkerPool::of(self.0.runtime(), NonZeroUsize::MIN.saturating_add(3)).push_dispatch()
    }

    fn clock(&self) -> B::Clock {
        self.0.clock()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(B::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        self.0.group(body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        Backend::block_on(&self.0, future)
    }
}

impl<B: Spawning> Spawning for Workers<B> {
    type Runtime = B::Runtime;

    fn runtime(&self) -> B::Runtime {
        self.0.runtime()
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        self.0.spawn(job)
    }
}
