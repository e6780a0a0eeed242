//! A worker: takes jobs, runs their bodies, and reports their ends.

mod held;
mod running;
mod taking;

use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forloop_core::{ZeroLimit, race};

use self::held::Held;
use crate::bodies::Bodies;
use crate::end::End;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::job::BodyId;
use crate::queue::Queue;
use crate::runtime::SharedRuntime;
use crate::settings::Settings;

/// A worker of this process: [`Remote::work`](crate::Remote::work) makes it.
///
/// It runs the bodies that the process has, as tasks of the runtime, and no more of them at once than its [limit](Self::limit): what the process
/// can bear. The limit of a loop is another one, over all workers.
///
/// # Cancel safety
///
/// A worker that is dropped has cancelled its bodies. Their jobs are redelivered when their leases are over;
/// [`drain_on`](Self::drain_on) ends without that.
#[must_use = "a worker does nothing until `run` or `drain_on` is awaited"]
pub struct Work {
    worker: Worker,
}

impl Work {
    pub(crate) fn new(
        name: String,
        engine: Arc<dyn Engine>,
        bodies: Bodies,
        runtime: SharedRuntime,
        settings: Settings,
    ) -> Self {
        let ids = bodies.ids();
        let limit = forloop_core::Spawn::threads(&runtime).get();
        let worker = Worker {
            name,
            engine,
            bodies,
            ids,
            runtime,
            settings,
            limit,
            held: Held::new(),
            ended: Queue::new(),
            changed: Queue::new(),
            is_draining: AtomicBool::new(false),
        };
        Self { worker }
    }

    /// Sets how many bodies run at once. The default is the number of threads of the runtime.
    ///
    /// # Errors
    ///
    /// If `limit` is zero.
    pub fn limit(mut self, limit: usize) -> Result<Self, ZeroLimit> {
        self.worker.limit = NonZeroUsize::try_from(limit).map_err(|_| ZeroLimit)?.get();
        Ok(self)
    }

    /// Sets the name that the broker shows for this worker. No other worker may have it. The default is random.
    pub fn named(mut self, name: &str) -> Self {
        self.worker.name = name.to_owned();
        self
    }

    /// Works until the broker cannot be used.
    ///
    /// # Errors
    ///
    /// If the broker refuses what this worker does. A broker that is unavailable is no error: the worker waits for it.
    pub async fn run(self) -> Result<(), EngineError> {
        self.drain_on(std::future::pending::<()>()).await
    }

    /// Works until `signal` is ready, then takes no more jobs, and returns when those that it has have completed.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn drain_on(self, signal: impl Future + Send) -> Result<(), EngineError> {
        let worker = Arc::new(self.worker);
        // A dropped worker drops its bodies.
        let _stopping = StopOnDrop(&worker);
        let drain = async {
            signal.await;
            worker.is_draining.store(true, Ordering::SeqCst);
            worker.changed.push(());
            std::future::pending().await
        };
        let parts: [Pin<Box<dyn Future<Output = Result<(), EngineError>> + Send + '_>>; 4] = [
            Box::pin(drain),
            Box::pin(worker.take_jobs()),
            Box::pin(worker.report_ends()),
            Box::pin(worker.renew_leases()),
        ];
        // No part panics, and there are four.
        race(parts).await.map_or(Ok(()), |(_, ended)| ended)
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Worker { name, bodies, limit, .. } = &self.worker;
        let mut debug = f.debug_struct("Work");
        debug.field("name", name).field("bodies", bodies).field("limit", limit);
        debug.finish_non_exhaustive()
    }
}

/// Four futures side by side, in one task: the signal to drain; *taking* jobs and starting their bodies, in tasks of
/// their own; *reporting* ends in batches; *renewing* leases. A job is in `held` from its delivery until its end was
/// recorded, so a worker that cannot report takes nothing either.
struct Worker {
    name: String,
    engine: Arc<dyn Engine>,
    bodies: Bodies,
    ids: Vec<BodyId>,
    runtime: SharedRuntime,
    settings: Settings,
    limit: usize,
    held: Held,
    /// The ends of bodies, by delivery.
    ended: Queue<(String, End)>,
    /// Something has left `held`, or the worker is to drain.
    changed: Queue<()>,
    is_draining: AtomicBool,
}

/// Drops the bodies of a worker that has ended.
struct StopOnDrop<'a>(&'a Worker);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.0.held.take_all());
    }
}
