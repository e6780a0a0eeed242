//! A deterministic runtime for forloop, with a virtual clock and a controlled schedule.
//!
//! A test of a loop should not depend on luck, and should not wait. [`Sim`] is a runtime like the others,
//! but an hour of sleep takes no real time. A seed, a search or the record of another run decides which
//! task is polled next.
//!
//! # A test of your loop
//!
//! ```
//! # use forloop_core as forloop;
//! # use forloop_sim as sim;
//! # async fn doubled(rt: impl forloop::Runtime) -> Vec<u64> {
//! #     forloop::each([1, 2]).unbounded().on(rt).gather(|n| async move { n * 2 }).await
//! # }
//! sim::check(10_000, |rt| async move {
//!     assert_eq!(doubled(rt).await, [2, 4]);
//! });
//! ```
//!
//! [`check`] runs the program under the first-in, first-out schedule and then under ten thousand random
//! schedules. Where the expected output is not known, [`agree`] requires it to be the same under all of
//! them:
//!
//! ```should_panic
//! # use forloop_core as forloop;
//! # use forloop_sim as sim;
//! # use std::sync::{Arc, Mutex};
//! let names = sim::agree(10_000, |rt| async move {
//!     let seen = Arc::new(Mutex::new(Vec::new()));
//!     let tell = seen.clone();
//!     forloop::each(["ada", "grace", "mary"])
//!         .unbounded()
//!         .on(rt)
//!         .for_each(move |name| {
//!             let tell = tell.clone();
//!             async move { tell.lock().unwrap().push(name) }
//!         })
//!         .await;
//!     // The order in which the tasks ran: this depends on the schedule.
//!     std::mem::take(&mut *seen.lock().unwrap())
//! });
//! ```
//!
//! A new simulation seeds the `fastrand` generator of its thread with a fixed number. The back-offs of
//! `retry` take their jitter from that generator, so their delays are the same in each run.
//!
//! | you want | write |
//! |---|---|
//! | a value, on a virtual clock | [`Sim::new()`](Sim::new) and its `block_on` |
//! | a test under many schedules | [`check`], [`agree`] |
//! | every schedule of a small program | [`Explore::exhaustive`] |
//! | bugs that need few steps in a certain order, among many tasks | [`Explore::pct`] |
//! | a check that the loop may be dropped at any await | [`Explore::cancelling`] |
//! | a schedule chosen by a fuzzer | [`Explore::bytes`] |
//! | to repeat a failed run | the command in its report; [`replay`] |
//! | late tasks and timers on a real runtime | [`Jitter`] around it |
//! | a program's `main` in simulation | [`run()`](run()), or `FORLOOP_RUNTIME=sim` with `forloop::run` |
//!
//! # What it explores, and what not
//!
//! The simulation switches tasks at awaits, and only there. It chooses
//!
//! - which of the ready tasks is polled next;
//! - in which order timers fire that are due at the same instant and wake the same task;
//! - in which order a loop polls bodies that were woken together, if they run in the caller's task.
//!
//! When no task can run, the clock advances to the next timer. The simulation covers nothing that happens
//! *between* two awaits. No thread interrupts another, every memory ordering is sequentially consistent,
//! and nothing runs in parallel: use loom for that. A program is not deterministic if it reads a real
//! clock, a random number or the order of a hash map, or if it has threads of its own. The search repeats
//! some schedules, and reports a program whose tasks then run in another order as not deterministic.
//!
//! Inside a simulation a loop yields after each poll of a body, not after its usual budget. Any other task
//! may therefore run between two bodies of one loop, as on a multi-threaded runtime. Bodies of one loop
//! that are woken by timers of one instant are ordered twice, by the timers and by the loop. An exhaustive
//! search runs such schedules more than once.
//!
//! The `Display` of [`Explored`] states the coverage: `exhaustive: 4,320 schedules`; `sampled: 10,000
//! seeds, 3,911 distinct schedules`; or that a bound was reached before all schedules were run.
//!
//! # What a report says
//!
//! A report names the schedule and the cause:
//!
//! - a panic and its location,
//! - an error,
//! - a deadlock, with each body that waits: the index of its item, its function, and the line of its loop,
//! - two outputs that differ,
//! - tasks that outlived a dropped loop.
//!
//! A deadlock is distinguished from a **lost wake**: the report names each task or body that makes progress
//! when it is polled without having been woken. The report ends with the shortest list of choices found
//! that fails in the same way, the command that repeats it, and its events.
//!
//! With the feature `timeline` it also names an SVG file beside the test program: a row for each task, with a step for
//! each poll. Dark is a poll, light is ready (spawned or woken), medium is waiting. The lines with times are where the
//! clock has advanced. In a deadlock the rows that wait reach the right edge. A body of a loop in the caller's task
//! has no row, because it is part of that task: for bodies, repeat the run with a `Recorder` of `forloop-timeline`.
//! [`Explore::run`] writes no file; its [`Failure`] has the picture as `Failure::timeline`.
//!
//! # An example: a bug in the wild
//!
//! Bodies in a stream of futures-util run only while the consumer polls the stream. If the consumer then
//! awaits something that a body holds or is queued for, both wait forever
//! ([futures-rs#2387](https://github.com/rust-lang/futures-rs/issues/2387)). On a real runtime that is a
//! test that hangs now and then; in simulation it is a report.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use forloop_core::Timer;
//! use forloop_sim::{FailureCause, Explore, Sim};
//! use futures_util::stream::{self, StreamExt};
//! use tokio::sync::Mutex;
//!
//! /// Adds to a total, slowly, under a fair lock: the longest waiter gets it next.
//! async fn add(rt: Sim, total: Arc<Mutex<u64>>, n: u64) {
//!     let mut total = total.lock().await;
//!     rt.sleep(Duration::from_millis(1)).await;
//!     *total += n;
//! }
//!
//! let failure = Explore::random(100).run(|rt| async move {
//!     let total = Arc::new(Mutex::new(0));
//!     let bodies = stream::iter(1..=3).map(|n| add(rt.clone(), total.clone(), n));
//!     let mut added = bodies.buffer_unordered(2);
//!     while let Some(()) = added.next().await {
//!         // The next body is queued for the lock. The stream is not polled here, so neither is the body.
//!         println!("{} so far", total.lock().await);
//!     }
//! });
//! assert!(matches!(failure.unwrap_err().cause, FailureCause::Deadlock(_)));
//!
//! // The same as a loop: its bodies run while the consumer waits.
//! forloop_sim::check(100, |rt| async move {
//!     let total = Arc::new(Mutex::new(0));
//!     let (sum, rt) = (total.clone(), rt);
//!     forloop_core::each(1..=3)
//!         .limit(2)?
//!         .stream_unordered(move |n| add(rt.clone(), sum.clone(), n))
//!         .for_each(async |()| println!("{} so far", total.lock().await))
//!         .await;
//!     Ok::<(), forloop_core::ZeroLimit>(())
//! });
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod deadlock;
mod event;
mod explore;
mod explored;
mod failure;
mod jitter;
#[cfg(feature = "timeline")]
mod picture;
mod quiet;
mod ready_queue;
mod run;
mod run_spec;
mod runtime;
mod schedule;
mod search;
mod world;

pub use crate::deadlock::{Deadlock, Pending};
pub use crate::event::{Event, EventKind, Label};
pub use crate::explore::{Explore, Verdict, agree, check, replay};
pub use crate::explored::Explored;
pub use crate::failure::{Failure, FailureCause};
pub use crate::jitter::Jitter;
pub use crate::run::{RunError, run};
pub use crate::runtime::Sim;
pub use crate::schedule::{Choices, ParseChoicesError};
