//! forloop on async-std.
//!
//! **async-std is discontinued** (RUSTSEC-2025-0052): it gets no fixes. This crate lets a program that still
//! uses it adopt forloop today, and prove with `cargo xtask verify` that nothing changes when it moves to
//! smol. It is never a default.
//!
//! | value | runs tasks on | timers |
//! |---|---|---|
//! | [`AsyncStd`] | a thread per core, or `ASYNC_STD_THREAD_COUNT` | async-io |

#![forbid(unsafe_code)]

mod runtime;

pub use crate::runtime::AsyncStd;
