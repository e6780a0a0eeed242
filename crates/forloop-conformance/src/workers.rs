//! A backend whose loops run on a worker pool.

use std::num::NonZeroUsize;

use forloop_core::{Conduct, Fed, Grouped, OnWorkers, Task};

use crate::backend::{Backend, Job, Spawning};

/// Any backend whose bodies are tasks, with its loops on four workers. Groups and tasks are what they
/// are there.
#[derive(Debug)]
pub struct Workers<B>(pub B);

impl<B: Spawning> Backend for Workers<B> {
    type Place = Fed<B::Runtime>;
    type Clock = B::Clock;
    type Group = B::Group;

    const SPAWNED: bool = true;

    fn place(&self) -> Self::Place {
        OnWorkers::of(self.0.runtime(), NonZeroUsize::MIN.saturating_add(3)).fed()
    }

    fn clock(&self) -> B::Clock {
        self.0.clock()
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(B::Group) -> Job<Result<T, String>> + 'static,
    ) -> Grouped<impl Conduct<Value = T, Error = String> + 'static> {
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
