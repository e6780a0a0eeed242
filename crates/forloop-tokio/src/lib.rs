//! forloop on tokio.
//!
//! | value | runs tasks on | timers |
//! |---|---|---|
//! | [`Tokio`] | the runtime a [`Handle`](tokio::runtime::Handle) belongs to: [the surrounding one](Tokio::current), or a given one | that runtime's |
//! | [`Owned`] | a runtime of its own, [current-thread](Owned::current_thread) or [multi-thread](Owned::multi_thread): for a program's `main` | - |
//!
//! The runtime must have been built with its timers enabled (`enable_time` or `enable_all`) for
//! loops that use time.

#![forbid(unsafe_code)]

mod owned;
mod runtime;

pub use crate::owned::Owned;
pub use crate::runtime::{NoTokio, Tokio};
