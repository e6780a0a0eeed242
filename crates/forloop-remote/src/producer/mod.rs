//! The producer's part of the protocol: what its loop waits for, and the task that asks the broker.

mod driver;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::Timer;

use crate::call_error::CallError;
use crate::end::End;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::job::{Job, JobKey};
use crate::pending::Pending;
use crate::queue::{Queue, lock};
use crate::runtime::SharedRuntime;
use crate::settings::Settings;

/// What a run shares with its driver.
///
/// The loop's thread only puts jobs into the table and commands into the queue. The driver, one task of the runtime, sends them in batches:
/// while one batch is on its way, the next one gathers. It completes jobs and removes them from the table.
pub(crate) struct Producer {
    run: String,
    /// What distinguishes this producer from others of the run.
    token: String,
    engine: Arc<dyn Engine>,
    runtime: SharedRuntime,
    settings: Settings,
    table: Mutex<Table>,
    commands: Queue<Command>,
}

struct Table {
    /// What was started and has no end yet.
    pending: BTreeMap<JobKey, Arc<Pending>>,
    /// Why no job can be submitted any more.
    fatal: Option<CallError>,
    /// The driver has ended, and takes no more commands.
    has_ended: bool,
}

/// What the driver is to do.
enum Command {
    /// Submit a job.
    Submit(Arc<Pending>),
    /// Stop a job.
    Stop(Arc<Pending>),
    /// Submit and stop again all that is pending: an answer may have been lost.
    Reconcile,
    /// End: no loop uses the run any more.
    Close,
    /// Delete the run, reply and end.
    Forget(Reply),
}

/// The answer to a request to delete the run. If it is dropped, the answer is an error.
struct Reply(Arc<Queue<Result<(), EngineError>>>);

impl Drop for Reply {
    fn drop(&mut self) {
        self.0.push(Err(EngineError::unavailable("the driver of the run has ended")));
    }
}

impl Producer {
    /// Starts the driver of a run whose lease was acquired with this token.
    pub(crate) fn start(
        run: &str,
        token: String,
        engine: Arc<dyn Engine>,
        runtime: SharedRuntime,
        settings: Settings,
    ) -> Arc<Self> {
        let producer = Arc::new(Self {
            run: run.to_owned(),
            token,
            engine,
            runtime,
            settings,
            table: Mutex::new(Table { pending: BTreeMap::new(), fatal: None, has_ended: false }),
            commands: Queue::new(),
        });
        producer.clone().spawn_driver();
        producer
    }

    /// Submits a job.
    ///
    /// # Errors
    ///
    /// If the run cannot submit any more, or another loop waits for a job with this key.
    pub(crate) fn submit(&self, job: Job) -> Result<Arc<Pending>, CallError> {
        let key = job.key;
        let pending = Arc::new(Pending::new(job));
        let mut table = lock(&self.table);
        if let Some(error) = &table.fatal {
            return Err(error.clone());
        }
        if table.pending.get(&key).is_some_and(|known| !known.is_stopped()) {
            return Err(CallError::RunInUse);
        }
        let stopped = table.pending.insert(key, pending.clone());
        drop(table);
        if let Some(stopped) = stopped {
            // A loop that was dropped, or is about to end, does not delay the next one.
            stopped.complete(End::Cancelled);
        }
        self.commands.push(Command::Submit(pending.clone()));
        Ok(pending)
    }

    /// Requests a stop of a job. Its end comes later, or has come.
    pub(crate) fn stop(&self, pending: &Arc<Pending>) {
        if pending.request_stop() {
            self.commands.push(Command::Stop(pending.clone()));
        }
    }

    /// Ends the driver.
    pub(crate) fn close(&self) {
        self.commands.push(Command::Close);
    }

    /// Deletes the run, and ends the driver.
    pub(crate) async fn forget(&self) -> Result<(), EngineError> {
        let reply = Arc::new(Queue::new());
        self.commands.push(Command::Forget(Reply(reply.clone())));
        if lock(&self.table).has_ended {
            self.commands.drop_all();
        }
        reply.take().await.into_iter().next().unwrap_or(Ok(()))
    }

    /// Completes a job, if it has no end yet.
    ///
    /// A job that was stopped for a loop before this one, or for a producer before this one, is submitted again.
    fn complete(&self, key: JobKey, end: End) {
        let mut table = lock(&self.table);
        let Some(pending) = table.pending.get(&key).cloned() else { return };
        if matches!(end, End::Cancelled | End::NotRun) && !pending.is_stopped() {
            drop(table);
            self.commands.push(Command::Submit(pending));
            return;
        }
        table.pending.remove(&key);
        drop(table);
        pending.complete(end);
    }

    /// Completes everything that is pending.
    fn complete_all(&self, end: &End) {
        let pending = std::mem::take(&mut lock(&self.table).pending);
        pending.values().for_each(|pending| pending.complete(end.clone()));
    }

    /// Completes everything that is pending, and refuses what comes.
    fn fail(&self, error: CallError) {
        lock(&self.table).fatal.get_or_insert_with(|| error.clone());
        self.complete_all(&End::Call(error));
    }

    fn pending(&self) -> Vec<Arc<Pending>> {
        lock(&self.table).pending.values().cloned().collect()
    }

    fn now(&self) -> Duration {
        self.runtime.now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.runtime.sleep(duration)
    }
}
