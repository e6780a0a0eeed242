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

pub use crate::builder::{each, each_stream, try_each, try_each_stream};
pub use crate::cancel_handle::CancelHandle;
pub use crate::looping::{Const, Loop};
#[doc(hidden)]
pub use crate::options::option_table;
pub use crate::options::{Backoff, Event, Observer, Rate, Retry};
#[cfg(feature = "std")]
pub use crate::options::{SharedLimit, SharedRate};
pub use crate::outcome::{
    BodyError, BoxError, Cancelled, Cause, Closed, Failure, Interrupted, LoopError, Outcome,
    OutcomeKind, Panic, Summary, TimedOut, ZeroLimit,
};
pub use crate::place::{spawn_blocking, sync_body};
pub use crate::runtime::{
    BlockOn, LocalTimer, Runtime, Sleep, Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, Timer,
};
pub use crate::spawn_task::{spawn, spawn_local, spawn_scoped};
pub use crate::strategy::{
    Group, LocalScope, Scope, Settled, StartError, Supervised, TaskSet, Wait, as_completed, gather,
    local_scope, race, race_ok, scope, sequential, settle, task_group, task_list, try_gather,
    until, wait,
};
pub use crate::task::Task;
pub use crate::token::{CancelToken, Cancellation, DropGuard};
pub use crate::with_item::{ItemError, WithItem, with_item};
#[cfg(feature = "std")]
pub use crate::work_queue::{WorkHandle, WorkItem, WorkQueue};
#[cfg(feature = "backon")]
pub use backon;

/// Where bodies run, and what a place of one's own is made of.
pub mod places {
    pub use crate::body::{Attempt, Body, IsResult, ReturnsResult, TryBody, UnitBody};
    pub use crate::engine::{FutureSet, JobHandle, Key};
    #[doc(hidden)]
    pub use crate::place::{
        BatchEnd, BodySet, BodySource, BoxedSource, Completer, DeliveryRule, IntoSource, JobMode,
        PoolSet, PullConfig, Pulling, SourceFailure, SpawnedSet, StopBodies, TimeLimits,
        WorkerOptions,
    };
    pub use crate::place::{
        Dispatch, Inline, InlineJob, Layer, LayerSource, Layered, ParentWaker, ParentWakerJob,
        Place, Pull, Push, PushPool, ScopedWorkers, Sources, Spawned, SpawnedBlocking,
        SpawnedLocal, SpawnedScoped, SyncBody, WorkerPool,
    };
}

/// Types in the signatures of loops, options and strategies. Programs rarely name them.
pub mod types {
    #[doc(hidden)]
    pub use crate::admission::{AdmissionQueue, MaybeQueue, NoQueue};
    #[doc(hidden)]
    pub use crate::chunks::{ChunkOf, FallibleItems, PlainItems};
    pub use crate::chunks::{Chunks, ChunksWithin};
    pub use crate::driver::{BodySpawner, Spawner};
    #[doc(hidden)]
    pub use crate::driver::{OnWorkers, SharedPolicy, WorkerPolicy};
    #[doc(hidden)]
    pub use crate::engine::{CapacityHint, Completion};
    pub use crate::looping::{
        Bounded, IsIterator, IsStream, Iter, Limit, LimitSet, LimitUnset, NoOptions, TimerSet,
        TimerUnset, WithTimer,
    };
    #[cfg(feature = "backon")]
    pub use crate::options::Backon;
    #[cfg(feature = "std")]
    pub use crate::options::SharesLimit;
    #[doc(hidden)]
    pub use crate::options::{
        Adds, AddsCondition, AddsInterrupt, AddsOutcomes, AddsRule, AddsTimeLimit, AllItems,
        EachPulls, Errors, LoopOption, LoopParts, ShareDriver, UntilError, WorkerItems, WorkerKind,
    };
    pub use crate::options::{
        Adjusted, AllOrNothing, AnyError, BorrowedKey, CancelOn, CatchPanics, Counts, Deadline,
        DrainOn, FailedAttempt, Fallible, IntoRetry, InvalidRate, IsRate, IsSignal, ItemPolicy,
        ItemRule, LimitBy, Observed, OnFailure, OutcomeRule, Policy, RaisesPanics, RateLimit,
        Rated, RetryIf, Retrying, Rule, Stagger, StopOnCounts, StopOnOutput, Timeout, WeightBy,
        WithCondition, WithInterrupt, WithOption, WithOutcomes, WithRule, WithTimeLimit,
    };
    #[doc(hidden)]
    pub use crate::outcome::{FailureIndex, StopReason};
    #[doc(hidden)]
    pub use crate::simulation::Origin;
    #[doc(hidden)]
    pub use crate::strategy::OutputBuffer;
    pub use crate::strategy::{
        AsCompleted, Child, Completed, FailFast, FailureMode, FilterBody, GroupDriver, GroupFuture,
        InOrder, ReadySignal, ResultReceiver, Results, Supervise, Unordered,
    };
}
