//! The seam to a broker.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::end::End;
use crate::error::EngineError;
use crate::job::{BodyId, Job, JobKey};
use crate::status::Status;

/// The answer to a step of the protocol, later.
pub type EngineFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// What a producer and its workers ask of a broker: the steps of the [protocol](crate#the-protocol).
///
/// # Contract
///
/// - A step is atomic for each of its jobs: it has happened, or not. If its future is dropped or returns
///   [`EngineError::Unavailable`], it may have happened.
/// - A step that is repeated changes nothing more, as the table of the protocol says.
/// - The first outcome of a job is recorded. A later one changes nothing, and is no error.
/// - What the broker has acknowledged it may forget in a crash. Then the job is not known, and a
///   [`complete`](Self::complete) of it changes nothing.
/// - A foreign or malformed entry in the broker is skipped and removed; it does not fail a step.
/// - Only [`outcomes`](Self::outcomes) and [`take`](Self::take) wait. A step does not wait forever for an answer.
pub trait Engine: Send + Sync + 'static {
    /// Acquires the lease of a run for this producer, or renews it. `false` if another producer holds it.
    ///
    /// If no producer renews it for the time of `expiry`, the broker may delete the run.
    fn hold<'a>(
        &'a self,
        run: &'a str,
        producer: &'a str,
        lease: Duration,
        expiry: Option<Duration>,
    ) -> EngineFuture<'a, bool>;

    /// Ends the lease of a run, if this producer holds it.
    fn release<'a>(&'a self, run: &'a str, producer: &'a str) -> EngineFuture<'a, ()>;

    /// Queues the jobs that are not known, and answers for each.
    ///
    /// # Errors
    ///
    /// [`EngineError::RunTaken`] if this producer does not hold the run.
    fn submit<'a>(
        &'a self,
        run: &'a str,
        producer: &'a str,
        jobs: &'a [Arc<Job>],
    ) -> EngineFuture<'a, Vec<Submission>>;

    /// Waits for outcomes of the run that no call has returned yet. Empty if there are none within `wait`.
    ///
    /// A call acknowledges what the one before it has returned.
    fn outcomes<'a>(&'a self, run: &'a str, wait: Duration)
    -> EngineFuture<'a, Vec<(JobKey, End)>>;

    /// Removes queued jobs, and marks held ones as stopped. Answers for each: its end if it is done, [`End::NotRun`] if it
    /// was queued or not known, and nothing if it is held and its end comes later.
    fn stop<'a>(&'a self, run: &'a str, jobs: &'a [JobKey]) -> EngineFuture<'a, Vec<Option<End>>>;

    /// Deletes everything of the run. Jobs that are held are not known afterwards.
    ///
    /// # Errors
    ///
    /// [`EngineError::RunTaken`] if another producer holds the run.
    fn forget<'a>(&'a self, run: &'a str, producer: &'a str) -> EngineFuture<'a, ()>;

    /// Takes up to `room` queued jobs of these bodies, each with a lease. Waits for the first, but no longer than `wait`.
    fn take<'a>(
        &'a self,
        worker: &'a str,
        bodies: &'a [BodyId],
        room: usize,
        lease: Duration,
        wait: Duration,
    ) -> EngineFuture<'a, Vec<Delivery>>;

    /// Marks a held job as started by this worker, and as started alone if `is_alone`. `false` if the worker does not hold it any more.
    fn begin<'a>(
        &'a self,
        worker: &'a str,
        delivery: &'a str,
        is_alone: bool,
    ) -> EngineFuture<'a, bool>;

    /// Extends the leases of these deliveries, and answers for each.
    fn renew<'a>(
        &'a self,
        worker: &'a str,
        deliveries: &'a [String],
        lease: Duration,
    ) -> EngineFuture<'a, Vec<Lease>>;

    /// Records each outcome, if it is the first of its job, and acknowledges the job. A job that ends as
    /// [cancelled](End::Cancelled) is reported to the producer and not known afterwards.
    fn complete<'a>(&'a self, worker: &'a str, ended: &'a [(String, End)]) -> EngineFuture<'a, ()>;

    /// Registers that the worker serves these bodies for the time of a lease, and takes over up to `room` jobs whose lease is over, and counts a death for each. Completes as [lost](End::Lost) those
    /// that are `once` and have started, or have died twice alone, and as [cancelled](End::Cancelled) those that are stopped.
    fn reclaim<'a>(
        &'a self,
        worker: &'a str,
        bodies: &'a [BodyId],
        room: usize,
        lease: Duration,
    ) -> EngineFuture<'a, Vec<Delivery>>;

    /// The bodies that workers serve.
    fn served(&self) -> EngineFuture<'_, Vec<BodyId>>;

    /// What the broker has. An engine need not report it.
    fn status(&self) -> EngineFuture<'_, Status> {
        Box::pin(async { Err(EngineError::Refused("this engine reports no status".into())) })
    }
}

/// What has become of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Submission {
    /// The job is queued or held: its outcome comes later.
    Pending,
    /// The job has this outcome already.
    Done(End),
    /// The run has another job with this key.
    Different,
}

/// A job that a worker has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What the engine calls it. A job that is delivered again may have the same name: who holds it is what counts.
    pub id: String,
    /// The job.
    pub job: Job,
    /// How often a worker has died that held it.
    pub deaths: u32,
}

/// Whether a worker still holds a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lease {
    /// It does, for another lease.
    Kept,
    /// It does, and the producer has stopped the job.
    Stopped,
    /// Another worker has it, or the job is done or not known.
    TakenOver,
}
