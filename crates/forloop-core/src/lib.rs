//! The runtime-neutral core of forloop: runs the body of a for-loop concurrently, on any async
//! runtime or on none.
//!
//! Programs depend on `forloop`, which adds the runtimes to what is here; libraries that take a
//! runtime as an argument, and adapters for other runtimes, may depend on this crate alone. It is
//! `no_std` with `alloc`; the feature `std` (on by default) catches the panics of bodies, and has
//! whoever cancels a body wait for the tasks that it had started.
//!
//! Begin with [`each`], or with a free function on ready-made futures such as [`gather()`]. An adapter
//! implements [`Spawn`] and [`Timer`] for a value of its own.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod admission;
mod budget;
mod counter;
mod drive;
mod each;
mod engine;
mod error;
mod event;
mod interrupted;
mod outcome;
mod panic;
mod parent_waker;
mod place;
mod policy;
mod runtime;
#[cfg(not(feature = "simulation"))]
mod simulation;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod strategy;
mod task;
mod token;
mod wait_group;
mod with_item;
mod workers;

#[doc(hidden)]
pub use crate::admission::{AdmissionQueue, MaybeQueue, NoQueue};
pub use crate::each::{
    Bounded, IsStream, Iter, Limit, LimitSet, LimitUnset, Loop, each, each_stream,
};
pub use crate::error::{BoxError, Cancelled, Closed, Failure, LoopError, ZeroLimit};
pub use crate::event::{Event, OutcomeKind};
pub use crate::interrupted::{Cause, Interrupted};
pub use crate::outcome::Outcome;
pub use crate::panic::Panic;
pub use crate::parent_waker::{ParentWaker, ParentWakerJob};
pub use crate::place::{
    Attempt, Body, BodySpawner, Dispatch, Inline, InlineJob, JobHandle, Layer, Layered, Place,
    Pull, Push, Spawned, SpawnedBlocking, SpawnedLocal, SpawnedScoped, Spawner, SyncBody, TryBody,
    UnitBody, spawn_blocking, spawn_scoped, sync_body,
};
pub use crate::policy::{
    AllOrNothing, CancelOn, CatchPanics, Counts, Deadline, DrainOn, Fallible, Interrupt, IsResult,
    ItemPolicy, Key, LimitBy, NoOptions, Observed, Observer, OutcomeOption, OutcomePolicy, Policy,
    RaisesPanics, Stagger, StopOnCounts, StopOnOutput, Timeout, WeightBy, WithInterrupt,
    WithOutcomes, WithRule, try_each, try_each_stream,
};
#[cfg(feature = "retry")]
pub use crate::policy::{AnyError, Retry, RetryIf, Retrying};
#[cfg(feature = "rate")]
pub use crate::policy::{InvalidRate, Rate, Rated};
#[doc(hidden)]
pub use crate::policy::{ItemRule, OutcomeRule, Rule};
pub use crate::runtime::{BlockOn, Runtime, Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, Timer};
pub use crate::strategy::{
    AsCompleted, Child, Completed, FailFast, FailureMode, FilterBody, Group, GroupDriver,
    GroupFuture, InOrder, LocalScope, ReadySignal, ResultReceiver, Results, Scope, Settled,
    StartError, Supervise, Supervised, TaskSet, Unordered, Wait, as_completed, gather, local_scope,
    race, race_ok, scope, sequential, settle, task_group, task_list, try_gather, wait,
};
pub use crate::task::{Task, spawn, spawn_local};
pub use crate::token::{CancelToken, Cancellation};
pub use crate::with_item::{ItemError, WithItem, with_item};
pub use crate::workers::{PoolJob, PushPool, WorkerPool};
#[cfg(feature = "retry")]
pub use backon;
