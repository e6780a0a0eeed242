//! Concurrent for-loops for async Rust: limits, retries, time-outs and structured cancellation, on any
//! async runtime or on none.
//!
//! ```
//! use forloop::Outcome;
//!
//! async fn fetch(url: &str) -> Result<String, std::io::Error> {
//!     Ok(url.to_uppercase()) // your client here
//! }
//!
//! # #[cfg(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim"))]
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     forloop::run(async |_runtime| {
//!         let urls = ["a.example", "b.example", "c.example"];
//!         let pages = forloop::each(urls).limit(2)?.settle(fetch).await;
//!         for (url, page) in urls.iter().zip(&pages) {
//!             if let Outcome::Err(error) = page {
//!                 eprintln!("{url}: {error}");
//!             }
//!         }
//!         Ok(())
//!     })?
//! }
//! # #[cfg(not(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim")))]
//! # fn main() {}
//! ```
//!
//! A loop has items, a limit, options, a place where its bodies run, and a strategy. The strategy comes last
//! and takes the body: a closure that returns a future. The [`guide`] has a chooser with cures for compiler
//! errors, recipes, the guarantees, and tables for those who know asyncio, tokio, futures, JavaScript, rayon
//! or async-std.
//!
//! # Which strategy
//!
#![doc = include_str!("guide/strategies.md")]
//!
//! # Options
//!
//! They go before the strategy, in any order:
//!
//! | you want | write |
//! |---|---|
//! | at most `n` bodies at once | [`limit(n)?`](Loop::limit), [`limit(Const::<50>)`](Const) |
//! | at most `n` at once per key | [`limit_by`](Loop::limit_by), [`limit_by_ref`](Loop::limit_by_ref) |
//! | at most `n` bodies at once in several loops together | [`shared_limit`](Loop::shared_limit), with a [`SharedLimit`] |
//! | heavy items to take several permits | [`weight_by`](Loop::weight_by) |
//! | at most `n` starts per second | [`rate`](Loop::rate), with a [`Rate`], or a [`SharedRate`] for several loops |
//! | the next body to start at the previous failure, or after a delay | [`stagger`](Loop::stagger) |
//! | to retry failures | [`retry`](Loop::retry); [`Retry`] selects them, and sets the delay after an error |
//! | to send a slow request twice | [`hedge`](crate::guide::cookbook#hedged-requests) in the body |
//! | items in chunks, also by time | [`chunks`](Loop::chunks) and [`within`](Loop::within), directly after `each` |
//! | a time-out for each body | [`timeout`](Loop::timeout) |
//! | a deadline for the loop | [`deadline`](Loop::deadline) |
//! | to stop it from outside, on a token, Ctrl-C or any future | [`cancel_on`](Loop::cancel_on), [`CancelToken`]; `forloop::ctrl_c()` with the feature `ctrl-c` |
//! | to finish what runs and start nothing new | [`drain_on`](Loop::drain_on) |
//! | to stop after some failures or successes | [`stop_on_counts`](Loop::stop_on_counts) |
//! | to stop at one output | [`stop_on_output`](Loop::stop_on_output) |
//! | a panic as an outcome | [`catch_panics`](Loop::catch_panics) |
//! | each failure with its item, as it comes | [`on_failure`](Loop::on_failure) |
//! | to observe every event: progress, logs, metrics | [`observe`](Loop::observe); `forloop::progress` and `forloop::tracing` with these features |
//! | a span or another wrapper around each body | [`layer`](Loop::layer), after the place |
//! | another clock than the one around the loop | [`timer`](Loop::timer), before the options that need it |
//!
//! Options that need a clock find the one around the loop, where it runs: see [`Ambient`].
//!
//! # Where bodies run
//!
//! | | bodies run | use it for |
//! |---|---|---|
//! | nothing | in the caller's task: they may borrow, need not be `Send`, share one core, and need no runtime | bodies that wait |
//! | [`.on(runtime)`](Loop::on) | as a task each: they own what they use and are `Send` | bodies that compute for long |
//! | [`.on_workers(runtime)`](Loop::on_workers) | on a worker pool, one task per thread: items and closure are `Send` and own what they use, too | many bodies that are short or mostly wait |
//! | [`.on_local(runtime)`](Loop::on_local) | as a task each, on this thread | tasks that are not `Send` |
//! | [`.on_blocking(runtime)`](Loop::on_blocking) | on the runtime's threads for blocking calls; [`sync_body()`] wraps a plain closure | blocking calls |
//! | [`.on_scoped(cores)`](Loop::on_scoped) in `forloop::parallel`, with that feature | on a worker for each core: they may borrow, and items and closure are `Send`, too | programs that are not async |
//! | [`.on_scoped_tasks(cores)`](Loop::on_scoped_tasks) in the same place | as a task each: they may borrow | bodies that block, in programs that are not async |
//! | `.on_remote(&run)`, with the feature `remote` | on worker processes, on this machine or on others: items and outputs pass through serde | more than one machine can do |
//!
//! # What happens when
//!
//! | | in the caller's task | as tasks: `.on(runtime)`, `.on_workers(runtime)` |
//! |---|---|---|
//! | a body returns an error | `try_` strategies drop the other bodies, pull no more items, and return every failure in completion order; `settle` and the streams pass it on as that item's result | the same, and they return only when every other task *has stopped* |
//! | a body panics | the other bodies are dropped, then the panic propagates to the caller with its payload | the other tasks have stopped, then the panic propagates to the caller, on every runtime |
//! | ... with [`catch_panics`](Loop::catch_panics) | that item's outcome is [`Outcome::Panicked`] | the same |
//! | a body times out | it is dropped; its outcome is [`Outcome::TimedOut`] | it is cancelled; its outcome is `TimedOut` once it has stopped |
//! | the deadline passes, a signal fires, or the source fails | no item is pulled, every body has stopped, then the strategy reports the cause: [`Interrupted`], or a [`LoopError`] | the same; a task that completed meanwhile keeps its value |
//! | the loop's future is dropped | every body, the source and every result have been dropped when the drop returns | every task is cancelled. Rust has no async drop, so the drop does not wait for them |
//! | ... and you want to wait | - | run the loop in a task: [`task.cancel().await`](Task::cancel) returns when the task and everything it started have stopped. For a group: [`group.cancel()`](Group::cancel) |
//! | the loop is dropped before its first poll | no body was called, no item was pulled | the same |
//! | a [`Task`] handle is dropped | - | the task is cancelled; [`detach`](Task::detach) lets it run |
//! | a task is cancelled | its handle returns [`Cancelled`]; its group does not count that as a failure | the same |
//! | the input is empty | the empty result, on the first poll | the same |
//! | the runtime shuts down during a loop | - | [`LoopError::Cancelled`], [`Cause::Cancelled`], and [`Outcome::Cancelled`] or [`Outcome::NotRun`]; a strategy that returns no error panics and says so |
//!
//! # Which runtime
//!
//! Each runtime is a feature: `smol` (the default), `async-std`, `tokio`; and `sim`, a simulated one for tests.
//!
//! - **A program** starts with [`run`], on **tokio if that feature is enabled, else smol, else async-std**. It blocks
//!   its thread, so it belongs in a `main` that is not async.
//! - **Async code inside a program** that needs a runtime calls [`runtime()`]. It picks the one **around the caller, if
//!   that is enabled**, and elsewhere as `run` does.
//! - **Reqwest, sqlx, axum, tonic** and others that need tokio: enable the feature `tokio`. Inside `#[tokio::main]`
//!   await the loop; in a `main` that is not async, call [`run`].
//! - **A library** takes the runtime as an argument and requires the least: `&impl Spawn`, `&impl Timer`. If it enables
//!   no runtime itself, a loop with `timeout` or `deadline` begins with `.timer(clock)`, where `clock` is a
//!   `&(impl Timer + Clone + 'static)`.
//! - **By name**, several side by side: `forloop::smol::Smol`, `forloop::async_std::AsyncStd`,
//!   `forloop::tokio::Tokio::current()?` or `Tokio::from(handle)`.
//! - **Without any**, loops in the caller's task run under [`block_on`] or any executor. The feature `timer` gives
//!   them the system's clock for time-outs and deadlines.
//!
//! async-std is discontinued (RUSTSEC-2025-0052). Its feature is for programs that are leaving it: see
//! [`guide::coming_from::async_std`].
//!
//! # Bodies on other machines
//!
//! With the feature `remote`, `.on_remote(&run)` runs the bodies of a loop on worker processes. The loop decides everything
//! else, as it does with a place of this process. `forloop::remote` has the protocol, and what happens in each fault. The
//! feature `remote-redis` adds Redis and Valkey as the broker, and `remote-redis-tls` its connections with TLS.
//!
//! # Testing, and seeing what a loop did
//!
//! With the feature `sim`, `forloop::sim::check` runs a loop under thousands of schedules on a virtual clock. With
//! the feature `timeline`, `forloop::timeline::Recorder` records what bodies do over time, on any runtime, and writes
//! an SVG picture or a trace for Perfetto. With both, a failed check names a file with the picture of its schedule.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ambient;
mod any;
mod begin;
mod block_on;
#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
mod delay;
mod flavor;
mod groups;
pub mod guide;
#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
mod hedge;
mod run;
mod shared_rate;
#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
mod timeout;

pub use forloop_core::*;
pub use futures_lite::stream::Stream;

#[cfg(feature = "async-std")]
pub use forloop_async_std as async_std;
#[cfg(feature = "ctrl-c")]
pub use forloop_ctrl_c::{CtrlC, ctrl_c};
#[cfg(feature = "parallel")]
pub use forloop_parallel::{Cores, Threads, parallel};
#[cfg(feature = "progress")]
pub use forloop_progress as progress;
#[cfg(feature = "remote")]
pub use forloop_remote as remote;
#[cfg(feature = "sim")]
pub use forloop_sim as sim;
#[cfg(feature = "smol")]
pub use forloop_smol as smol;
#[cfg(feature = "timeline")]
pub use forloop_timeline as timeline;
#[cfg(feature = "timer")]
pub use forloop_timer as timer;
#[cfg(feature = "tokio")]
pub use forloop_tokio as tokio;
#[cfg(feature = "tracing")]
pub use forloop_tracing as tracing;

pub use crate::ambient::Ambient;
#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
pub use crate::ambient::AmbientTimer;
pub use crate::any::{AnyRuntime, NoRuntime, runtime};
pub use crate::begin::{each, each_stream, try_each, try_each_stream, wait};
pub use crate::block_on::block_on;
pub use crate::groups::{local_scope, scope, task_group};
#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
pub use crate::hedge::hedge;
pub use crate::run::run;
pub use crate::shared_rate::SharedRate;
#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
pub use crate::timeout::timeout;

#[cfg(all(doctest, feature = "backon", feature = "sim", feature = "smol"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
