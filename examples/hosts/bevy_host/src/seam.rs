//! Bevy's task pools as the host of loops, and the reasons why a pool cannot run them.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;

use bevy_tasks::{ComputeTaskPool, TaskPool};
use forloop::Spawn;

/// A task pool whose threads run the tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bevy {
    pool: &'static TaskPool,
    threads: NonZeroUsize,
}

impl Bevy {
    /// Returns the pool for computations, which exists once the app's plugins are built.
    pub(crate) fn compute() -> Result<Self, NoThreads> {
        Self::try_from(&**ComputeTaskPool::try_get().ok_or(NoThreads::NoPool)?)
    }
}

impl TryFrom<&'static TaskPool> for Bevy {
    type Error = NoThreads;

    fn try_from(pool: &'static TaskPool) -> Result<Self, NoThreads> {
        // Built without threads, a pool reports one thread: the one that ticks it.
        let has_any = bevy_tasks::cfg::multi_threaded! { if { true } else { false } };
        let threads = NonZeroUsize::new(pool.thread_num()).filter(|_| has_any);
        let threads = threads.ok_or(if has_any { NoThreads::Zero } else { NoThreads::Feature })?;
        Ok(Self { pool, threads })
    }
}

impl Spawn for Bevy {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.pool.spawn(future).detach();
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }
}

/// Why a pool would never run a spawned task, so that a loop would wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoThreads {
    NoPool,
    Zero,
    Feature,
}

impl fmt::Display for NoThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPool => {
                "Bevy has no task pool yet: add `TaskPoolPlugin` to the app and start loops when its \
                 plugins are built, or call `ComputeTaskPool::get_or_init`"
            }
            Self::Zero => "Bevy's task pool has no threads: build it with `num_threads(1)` or more",
            Self::Feature => {
                "Bevy is built without threads: enable the feature `multi_threaded` of `bevy`, or of \
                 `bevy_tasks`; or await the loop where it is, without `.on(..)`"
            }
        })
    }
}

impl Error for NoThreads {}
