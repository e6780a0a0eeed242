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

mod callers_waker;
mod counter;
mod drive;
mod each;
mod engine;
mod error;
mod event;
mod interrupted;
mod lobby;
mod orphans;
mod outcome;
mod panic;
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
mod turn;
mod with_item;
mod workers;

pub use crate::callers_waker::{CallersWaker, WakesCaller};
pub use crate::each::{AtMost, HowMany, IsStream, Items, Limit, Loop, Unsaid, each, each_stream};
pub use crate::error::{BoxError, Cancelled, Closed, Failure, LoopError, ZeroLimit};
pub use crate::event::{Event, How};
pub use crate::interrupted::{Cause, Interrupted};
#[doc(hidden)]
pub use crate::lobby::{Keeps, Lobby, NoLobby};
pub use crate::outcome::Outcome;
pub use crate::panic::Panic;
pub use crate::place::{
    Attempt, Body, Brought, Call, Drawn, InTask, Launch, Launcher, On, OnBlocking, OnLocal,
    OnScoped, Place, Started, Supply, TryBody, UnitBody, Unspawned, Wrap, Wrapped, plain,
    spawn_blocking, spawn_scoped,
};
pub use crate::policy::{
    Admit, AllOrNothing, CancelOn, CatchPanics, Deadline, DrainOn, Ends, Fallible, Governed,
    Interrupt, Interruptible, IsResult, LimitBy, Observed, Observer, Outcomes, Plain, Policy,
    RaisesPanics, Review, Stagger, StopIf, StopWhen, Tally, Ticket, Timeout, Weigh, try_each,
    try_each_stream,
};
#[cfg(feature = "retry")]
pub use crate::policy::{AnyError, Retry, RetryIf, Retrying};
#[doc(hidden)]
pub use crate::policy::{Govern, GovernItems, GovernReturns};
#[cfg(feature = "rate")]
pub use crate::policy::{InvalidRate, Rate, Rated};
pub use crate::runtime::{BlockOn, Runtime, Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, Timer};
pub use crate::strategy::{
    AsCompleted, Child, Conduct, Done, FailFast, Feed, FilterBody, Group, Grouped, InOrder,
    LocalScope, Mode, Readiness, Results, Running, Scope, Settled, StartError, Supervised,
    Supervisor, Unordered, Wait, as_completed, gather, local_scope, race, race_ok, scope,
    sequential, settle, task_group, task_list, try_gather, wait,
};
pub use crate::task::{Task, spawn, spawn_local};
pub use crate::token::{CancelToken, Cancellation};
pub use crate::with_item::{ItemError, WithItem, with_item};
pub use crate::workers::{Errand, Fed, OnWorkers};
#[cfg(feature = "retry")]
pub use backon;
