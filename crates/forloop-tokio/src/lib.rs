//! forloop on tokio.
//!
//! | value | runs tasks on | timers |
//! |---|---|---|
//! | [`Tokio`] | the runtime a [`Handle`](tokio::runtime::Handle) belongs to: [the surrounding one](Tokio::current), or a given one | that runtime's |
//! | [`OwnedRuntime`] | a runtime of its own, [current-thread](OwnedRuntime::current_thread) or [multi-thread](OwnedRuntime::multi_thread): for a program's `main` | - |
//!
//! The runtime must have been built with its timers enabled (`enable_time` or `enable_all`) for
//! loops that use time.

#![forbid(unsafe_code)]

mod owned;
mod runtime;

pub use crate::owned::OwnedRuntime;
pub use crate::runtime::{NoTokio, Tokio};
