//! forloop on smol.
//!
//! [`Smol`] is an executor with one thread per core; smol's own global executor has a single thread.
//! [`Executor`] and [`Local`] wrap an executor that the host drives, so a loop can run inside any program
//! that has a main loop.
//!
//! | value | runs tasks on | timers |
//! |---|---|---|
//! | [`Smol`] | a thread per core, or `SMOL_THREADS` | async-io |
//! | [`Executor`] | the threads that run the host's `async_executor::Executor` | async-io |
//! | [`Local`] | the thread that ticks the host's `async_executor::LocalExecutor` | async-io |
//!
//! async-io's timers need no runtime: they work on any thread, in any program.

#![forbid(unsafe_code)]

mod executor;
mod runtime;

pub use async_executor::LocalExecutor;

pub use crate::executor::{Executor, Local};
pub use crate::runtime::Smol;
