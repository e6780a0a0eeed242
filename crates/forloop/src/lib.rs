//! Runs the body of a for-loop concurrently over many items, on any async runtime, and means the
//! same on all of them.
//!
//! ```
//! # async fn fetch(url: &str) -> Result<String, std::io::Error> { Ok(url.to_uppercase()) }
//! # #[cfg(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim"))]
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     forloop::run(|_runtime| async {
//!         let urls = ["a.example", "b.example", "c.example"];
//!         let pages = forloop::each(urls).limit(2)?.settle(|url| fetch(url)).await;
//!         for (url, page) in urls.iter().zip(&pages) {
//!             if let forloop::Outcome::Err(error) = page {
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
//! # Which strategy
//!
//! | you want | write |
//! |---|---|
//! | one after another | [`each(items).sequential()`](Loop::sequential), or [`sequential(futures)`](sequential()) |
//! | all at once, every output in input order | [`each(items).unbounded().gather(body)`](Loop::gather), or [`gather(futures)`](gather()) |
//! | at most fifty at once | [`each(items).limit(50)?`](Loop::limit) and any strategy |
//! | stop at the first failure, and stop the others too | [`try_gather`](Loop::try_gather), [`try_for_each`](Loop::try_for_each) |
//! | let all finish, and see every outcome | [`settle`](Loop::settle) |
//! | the first to finish, or to succeed | [`race`](Loop::race), [`race_ok`](Loop::race_ok) |
//! | the first few to succeed | [`first_ok`](Loop::first_ok) |
//! | a map, a set, any collection | [`collect`](Loop::collect), [`try_collect`](Loop::try_collect); [`extend`](Loop::extend) one that is there |
//! | the outputs of those bodies that have one | [`filter_map`](Loop::filter_map), [`try_filter_map`](Loop::try_filter_map) |
//! | one value of all outputs, made as they finish | [`fold`](Loop::fold), [`try_fold`](Loop::try_fold) |
//! | no results, constant memory | [`for_each`](Loop::for_each) |
//! | results as they finish, with their index | [`as_completed`](Loop::as_completed) |
//! | a stream of results, in input order or not | [`stream`](Loop::stream), [`stream_unordered`](Loop::stream_unordered) |
//! | to do something slow with each result while the others go on | [`for_each`](Results::for_each), [`consume`](Results::consume) on any of these |
//! | to wait until one, a failure, or a time; then go on | [`wait`](wait()) |
//! | to start tasks now and await each later | [`task_list`](task_list()), [`spawn`](spawn()) |
//! | tasks that end with the block that started them | [`task_group`](task_group()) |
//! | ... of which one may fail and the others go on | [`supervised`](GroupFuture::supervised) on that |
//! | ... of which the next is to be ready before one goes on | [`start`](Group::start) instead of `spawn` |
//! | the same without a runtime, borrowing | [`scope`](scope()), [`local_scope`](local_scope()) |
//! | items that arrive in time | [`each_stream(stream)`](each_stream()) |
//! | items that may fail to come | [`try_each(results)`](try_each()), [`try_each_stream(stream)`](try_each_stream()) |
//! | a time for each body, or for the loop | [`timeout`](Loop::timeout), [`deadline`](Loop::deadline) before the strategy |
//! | bodies that block | [`on_blocking`](Loop::on_blocking), with [`sync_body()`] closures |
//! | all cores and borrows, in a program that is not async | `forloop::parallel`, with the feature `parallel` |
//! | to stop a loop from outside | [`cancel_on`](Loop::cancel_on) a [`CancelToken`] or any future |
//! | ... on Ctrl-C | `forloop::ctrl_c()`, with the feature `ctrl-c` |
//! | to test a loop under thousands of schedules, without waiting | `forloop::sim::check`, with the feature `sim` |
//! | to see what its bodies did over time | `forloop::timeline::Recorder`, with the feature `timeline` |
//!
//! # Where bodies run
//!
//! In the caller's own task, unless told otherwise: they may borrow, need not be `Send`, share one
//! core, and need no runtime at all. With [`.on(runtime)`](Loop::on) each is a task of a runtime:
//! it owns what it uses, is `Send`, and uses every core. With [`.on_workers(runtime)`](Loop::on_workers)
//! a few tasks, one per thread, draw the items and run all of them, which costs much less where bodies are
//! short or mostly wait. With [`.on_blocking(runtime)`](Loop::on_blocking) each has a thread where it may
//! block. And in a program that is not async, `forloop::parallel` (feature `parallel`) runs
//! [`.on_scoped(cores)`](Loop::on_scoped) bodies that borrow, on every core.
//!
//! # What happens when
//!
//! | | in-task | spawned |
//! |---|---|---|
//! | a body returns an error | `try_` strategies drop the others and return it; `settle` and the streams pass it on | the others are asked to stop and *have stopped* before it is returned |
//! | a body panics | the others are dropped, then the panic goes on in the caller | the others have stopped, then the panic goes on in the caller |
//! | a body has no time left | it is dropped; its outcome is `TimedOut` | it is asked to stop; its outcome is `TimedOut` when it has |
//! | the loop is cut short: deadline, signal, source | every body has been dropped, then the strategy says why | every task has stopped, then the strategy says why |
//! | the loop is dropped | every body has been dropped when drop returns | every task has been asked to stop |
//! | the loop was never polled | no body was called, no item was pulled | the same |
//!
//! # Which runtime
//!
//! Features add runtimes: `smol` (the default), `async-std`, `tokio`; and `sim`, a simulated one for tests.
//! [`runtime()`] gives the one to use, by one rule: **the simulation or the tokio runtime around the caller,
//! if there is one; else smol; else async-std**, of those that are enabled. [`run`] starts a program on one. Any runtime can be
//! named instead, or several side by side: `forloop::smol::Smol`, `forloop::tokio::Tokio`. Time-outs and
//! deadlines alone need no runtime: `forloop::timer::SystemTimer`, with the feature `timer`, has a clock.
//!
//! # The guide
//!
//! [`guide`] has a chooser with cures for what the compiler says, recipes, what you may rely on, and what
//! you know from asyncio, tokio, futures, JavaScript, rayon and async-std under its name here.
//!
//! # What a loop did
//!
//! With the feature `timeline`, `forloop::timeline::Recorder` hears what bodies do over time, on any
//! runtime, and draws it: an SVG picture, and a trace for Perfetto.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod any;
pub mod guide;
mod run;

pub use forloop_core::*;
pub use futures_lite::future::block_on;
pub use futures_lite::stream::{self, Stream, StreamExt};

#[cfg(feature = "async-std")]
pub use forloop_async_std as async_std;
#[cfg(feature = "ctrl-c")]
pub use forloop_ctrl_c::{CtrlC, ctrl_c};
#[cfg(feature = "parallel")]
pub use forloop_parallel::{Cores, Threads, parallel};
#[cfg(feature = "progress")]
pub use forloop_progress as progress;
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

pub use crate::any::{AnyRuntime, NoRuntime, runtime};
pub use crate::run::run;

#[cfg(all(
    doctest,
    feature = "parallel",
    feature = "progress",
    feature = "rate",
    feature = "sim",
    feature = "smol",
    feature = "timeline",
    feature = "timer",
    feature = "tokio"
))]
#[doc = include_str!("../../../README.md")]
struct Readme;
