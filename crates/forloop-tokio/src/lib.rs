//! forloop on tokio.
//!
//! | value | runs tasks on | timers |
//! |---|---|---|
//! | [`Tokio`] | the runtime of a [`Handle`](tokio::runtime::Handle): [the current one](Tokio::current), or a given one | that runtime's |
//! | [`Local`] | the thread that drives a [`LocalSet`](tokio::task::LocalSet) or a [`LocalRuntime`](tokio::runtime::LocalRuntime) | - |
//! | [`OwnedRuntime`] | a runtime that it owns, [current-thread](OwnedRuntime::current_thread) or [multi-thread](OwnedRuntime::multi_thread): for a program's `main` | - |
//!
//! Loops that use time need a runtime that was built with timers enabled (`enable_time` or `enable_all`).

#![forbid(unsafe_code)]

mod local;
mod owned;
mod runtime;
mod shutdown;

pub use crate::local::Local;
pub use crate::owned::OwnedRuntime;
pub use crate::runtime::{NoTokio, Tokio};
