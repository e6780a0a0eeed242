//! The bodies of a loop on worker processes, on this machine or on others. The loop stays where it is.
//!
//! A *producer* runs forloop's own loop: it pulls the items and decides what starts, what is retried and when to stop.
//! *Workers* run the bodies. A *broker* that exists (Redis or Valkey) is between them: it stores, delivers and
//! redelivers. Limits, keys, rates, retries, deadlines and observers are those of the local loop, in one place and exact,
//! because only the bodies are elsewhere.
//!
//! ```
//! use forloop_core::{BlockOn, Runtime};
//! use forloop_remote::{Bodies, Body, OnRemote, Remote};
//!
//! // A name and a version: no code travels.
//! const SQUARE: Body<u64, u64> = Body::named("square", 1);
//!
//! async fn squares(runtime: impl Runtime, url: &str) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
//!     let bodies = Bodies::new().with(SQUARE, |n| async move { Ok(n * n) });
//!     let remote = Remote::connect(&runtime, url, &bodies).await?;
//!     let run = remote.run("squares-of-november").await?;
//!     let items = forloop_core::each(1..=3).limit(2)?.on_remote(&run);
//!     let squares = items.try_gather(|n| SQUARE.call(n)).await?;
//!     run.forget().await?;
//!     Ok(squares)
//! }
//!
//! # let runtime = forloop_smol::Smol;
//! // `local:` runs the bodies in this process: nothing to install. Values pass through serde, too.
//! assert_eq!(runtime.block_on(squares(runtime, "local:")).unwrap(), [1, 4, 9]);
//! ```
//!
//! # The protocol
//!
//! A *job* is one attempt at one item of a *run*, and its key is (run, index, attempt). It has the name and version of its
//! body, the item as JSON, and a fingerprint of both; it may have a [context](Run::context). All that the broker knows of it is one
//! of these states:
//!
//! ```text
//!           submit            take             complete
//!  (none) ---------> queued ---------> held -------------> done(outcome)
//!    ^                 |               | ^ |
//!    | stop            |       reclaim | | | complete(cancelled), after a stop
//!    +-----------------+               +-+ |
//!    +-------------------------------------+
//!
//!  marks on a held job:  started        by `begin`, for `once()`
//!                        started alone  by `begin`, after two deaths
//!                        stopped        by `stop`: its worker drops the body
//! ```
//!
//! | step | who | what it does, atomically | if it is repeated |
//! |---|---|---|---|
//! | *hold* | producer | acquires or renews the lease of the run | renews it |
//! | *submit* | producer | queues each job that is not known; answers for each: queued, known, done with its outcome, or different | changes nothing, and answers |
//! | *watch* | producer | waits for outcomes of the run, and returns those that are new | may return one again |
//! | *stop* | producer | removes a queued job; marks a held one; answers for each: its end, or that it comes later | changes nothing, and answers |
//! | *take* | worker | delivers queued jobs of the bodies it has, no more than it has room for, and begins their leases | delivers others |
//! | *begin* | worker | marks a held job as started by this worker | answers the same |
//! | *renew* | worker | extends leases; answers for each: kept, stopped, or taken over | extends again |
//! | *complete* | worker | records outcome and acknowledgement in one step; **the first outcome wins** | changes nothing |
//! | *reclaim* | worker | takes over jobs whose lease is over, and counts a death for each; completes those that are lost | takes over others |
//! | *forget* | producer | deletes everything of the run | changes nothing |
//!
//! What was stopped has no outcome that lasts: a run that is resumed later runs it.
//!
//! Each step is idempotent, so a party without an answer repeats it. *Reconcile* is no step of its own: after each error the
//! producer submits again all that it waits for, and stops again all that it has stopped. What the broker has forgotten is then queued
//! again, what it knows is answered. A job that waits for longer than a lease is submitted again without an error, too.
//!
//! What each party may assume:
//!
//! - The *producer*: an outcome that it has received never changes. It delivers the first one to its loop, and a later
//!   one of the same key is dropped. Only one producer holds a run; a submission by another is refused.
//! - The *worker*: as long as it has renewed within the lease, no other worker runs what it holds. If it could not, it stops
//!   its bodies by its own clock, before the lease is over.
//! - The *broker*: nothing. Jobs and outcomes are bytes; a value that does not decode is an error of that item alone.
//!
//! # Who is to blame for a crash
//!
//! All bodies of a process die with it, and at most one of them is the cause. So a death convicts no job. After
//! two deaths a job runs *alone*: its worker first lets everything else complete, marks the job as started alone, and runs nothing
//! else beside it. A job that dies twice while it was alone is [`Lost`](forloop_core::Outcome::Lost).
//!
//! A body with [`once`](Body::once) is marked before it begins. If its worker dies after the mark, the outcome is `Lost`, and
//! the body does not run again.
//!
//! # Faults, and what happens
//!
//! | fault | what happens |
//! |---|---|
//! | a worker dies (`kill -9`, power) | its jobs are redelivered when their lease is over; a `once()` body that had started is `Lost` |
//! | a worker is frozen for longer than the lease | as above. Once it continues, it drops its bodies; an outcome that it sends is not the first. While it is frozen, the limit may be exceeded by what it held |
//! | a worker has no connection | it stops its bodies before the lease is over, and they run elsewhere |
//! | a body aborts its process | it runs alone after two deaths, and is `Lost` after two more; its neighbours complete |
//! | the producer dies | workers complete what they hold. A producer with the same run id waits until the old lease is over, and resumes: known outcomes are ready at once, running jobs are attached to |
//! | the items differ when a run is resumed | [`CallError::DifferentItem`], an error of each such item |
//! | a second producer of a run that is held | [`RemoteError::RunHeld`] |
//! | the producer is frozen, and another has the run | its submissions are refused: [`CallError::RunTaken`] for what waits |
//! | the broker restarts | producer and workers reconnect with a back-off; the producer reconciles |
//! | the broker has lost the end of its log | the producer reconciles: what was forgotten runs again. A mark of a `once()` body may be among that: it needs a broker that syncs each write |
//! | the broker is away for longer than the [patience](Remote::patience) | [`CallError::Unavailable`], an error of each item that waits |
//! | no worker serves a body's name and version | after the patience [`CallError::NotServed`], with what is served |
//! | a payload exceeds the [limit](Bodies::payload_limit) | [`CallError::TooLarge`], an error of that item; nothing is sent |
//! | a value does not encode or decode | [`CallError::Encode`], [`CallError::Decode`], an error of that item |
//! | the loop is dropped, or stops | what is queued is removed; bodies that run are dropped by their worker at its next renewal, within a second. A stopped loop waits for that, but no longer than two leases |
//!
//! Bodies are executed **at least once**, and each item has **exactly one outcome**. In the broker there are at most as many
//! queued and running jobs as the loop's limit, and the outcomes of the run until [`forget`](Run::forget), or until the
//! [expiry](Remote::expiry) of a run whose producer has ended.
//!
//! # The engine
//!
//! [`Engine`] is the seam to a broker: one method for each step of the table. Its methods are batches and return boxed
//! futures; each is atomic for each job. It names no runtime: this crate spawns and sleeps by forloop's own seam.
//!
//! # Security
//!
//! Payloads are data: only bodies that are registered by name run. Sizes are checked before decoding. A client that can write to the broker can
//! call each registered body with any item, and read each payload.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod bodies;
mod body;
mod call_error;
mod end;
mod engine;
mod error;
mod job;
mod pending;
mod place;
mod producer;
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod remote;
mod run;
mod runtime;
mod settings;
mod status;
mod worker;

pub use crate::bodies::{Bodies, CallContext, RunningBody};
pub use crate::body::{Body, Call};
pub use crate::call_error::CallError;
pub use crate::end::End;
pub use crate::engine::{Delivery, Engine, EngineFuture, Lease, Submission};
pub use crate::error::{EngineError, RemoteError};
pub use crate::job::{BodyId, Job, JobKey};
pub use crate::place::{OnRemote, RemoteJob};
pub use crate::remote::Remote;
pub use crate::run::Run;
pub use crate::status::{BodyStatus, RunStatus, Status, WorkerStatus};
pub use crate::worker::Work;
