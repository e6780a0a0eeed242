//! The runtime-neutral core of forloop: runs the body of a for-loop concurrently, on any async
//! runtime or on none.
//!
//! Programs depend on `forloop`, which adds the runtimes. Libraries that take a runtime as an
//! argument, and adapters for other runtimes, may depend on this crate alone.
//!
//! The crate is `no_std` with `alloc`. The default feature `std` catches panics in bodies and makes
//! cancellation wait for tasks that the body spawned.
//!
//! Begin with [`each`], or with a free function on existing futures such as [`gather()`]. An adapter
//! implements [`Spawn`] and [`Timer`] for a type of its own.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without this feature, links to what it adds are plain text.
#![cfg_attr(not(feature = "std"), allow(rustdoc::broken_intra_doc_links))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// From the bottom up: a module imports only from its own block and from the blocks above it.
mod body;
mod budget;
mod indices;
mod item_map;
mod outcome;
mod pace;
mod runtime;
#[cfg(not(feature = "simulation"))]
mod simulation;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod single;
mod wait_group;

mod engine;

mod cancel_handle;
mod spawn_task;
mod task;
mod token;
mod with_item;
#[cfg(feature = "std")]
mod work_queue;

mod place;

mod looping;

mod admission;

mod options;

mod driver;

mod builder;
mod chunks;

mod strategy;

#[doc(hidden)]
pub use crate::admission::{AdmissionQueue, MaybeQueue, NoQueue};
pub use crate::body::{Attempt, Body, IsResult, ReturnsResult, TryBody, UnitBody};
pub use crate::builder::{each, each_stream, try_each, try_each_stream};
pub use crate::cancel_handle::CancelHandle;
#[doc(hidden)]
pub use crate::chunks::{ChunkOf, FallibleItems, PlainItems};
pub use crate::chunks::{Chunks, ChunksWithin};
pub use crate::driver::{BodySpawner, Spawner};
#[doc(hidden)]
pub use crate::driver::{OnWorkers, SharedPolicy, WorkerPolicy};
pub use crate::engine::{FutureSet, JobHandle, Key};
pub use crate::looping::{
    Bounded, Const, IsIterator, IsStream, Iter, Limit, LimitSet, LimitUnset, Loop, NoOptions,
    TimerSet, TimerUnset, WithTimer,
};
pub use crate::options::*;
#[doc(hidden)]
pub use crate::options::{
    Adds, AddsCondition, AddsInterrupt, AddsOutcomes, AddsRule, AddsTimeLimit, LoopOption,
    option_table,
};
#[doc(hidden)]
pub use crate::outcome::StopReason;
pub use crate::outcome::{
    BodyError, BoxError, Cancelled, Cause, Closed, Failure, Interrupted, LoopError, Outcome,
    OutcomeKind, Panic, Summary, TimedOut, ZeroLimit,
};
#[doc(hidden)]
pub use crate::place::{
    BodySet, BoxedSource, Completer, IntoSource, PoolSet, SpawnedSet, StopBodies, TimeLimits,
    WorkerOptions,
};
pub use crate::place::{
    Dispatch, Inline, InlineJob, Layer, LayerSource, Layered, ParentWaker, ParentWakerJob, Place,
    Pull, Push, PushPool, ScopedWorkers, Sources, Spawned, SpawnedBlocking, SpawnedLocal,
    SpawnedScoped, SyncBody, WorkerPool, spawn_blocking, sync_body,
};
pub use crate::runtime::{
    BlockOn, LocalTimer, Runtime, Sleep, Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, Timer,
};
pub use crate::spawn_task::{spawn, spawn_local, spawn_scoped};
pub use crate::strategy::{
    AsCompleted, Child, Completed, FailFast, FailureMode, FilterBody, Group, GroupDriver,
    GroupFuture, InOrder, LocalScope, ReadySignal, ResultReceiver, Results, Scope, Settled,
    StartError, Supervise, Supervised, TaskSet, Unordered, Wait, as_completed, gather, local_scope,
    race, race_ok, scope, sequential, settle, task_group, task_list, try_gather, until, wait,
};
pub use crate::task::Task;
pub use crate::token::{CancelToken, Cancellation, DropGuard};
pub use crate::with_item::{ItemError, WithItem, with_item};
#[cfg(feature = "std")]
pub use crate::work_queue::{WorkHandle, WorkItem, WorkQueue};
#[cfg(feature = "backon")]
pub use backon;
