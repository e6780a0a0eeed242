//! A deterministic runtime for forloop: the clock is virtual, and the schedule is chosen.
//!
//! Whether a loop is right should not depend on luck, and its tests should not wait. [`Sim`] is a runtime
//! like the others; on it an hour takes no time, and which task runs next is said by a seed, by a search,
//! or by the record of another run.
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
//! [`check`] runs the program once with what comes first, and then under ten thousand random schedules.
//! Where the answer itself is not known, [`agree`] asks that it be the same under all of them:
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
//!     // Whose task came first: this depends on the order.
//!     std::mem::take(&mut *seen.lock().unwrap())
//! });
//! ```
//!
//! Random numbers of the crate `fastrand`, from which the back-offs of `retry` take their jitter, are the same
//! in each run: to make a simulation seeds the generator of its thread.
//!
//! | you want | write |
//! |---|---|
//! | a value, with time that does not pass | [`Sim::new()`](Sim::new) and its `block_on` |
//! | a test under many schedules | [`check`], [`agree`] |
//! | every schedule of something small | [`Explore::exhaustive`] |
//! | bugs that need few steps in a certain order, among many tasks | [`Explore::pct`] |
//! | to know that the loop may be dropped anywhere | [`Explore::cancelling`] |
//! | what a fuzzer chooses | [`Explore::bytes`] |
//! | a run that failed, again | the line its report ends with; [`replay`] |
//! | to be less regular on a real runtime, too | [`Jitter`] around it |
//! | a program's `main` in simulation | [`run()`](run()), or `FORLOOP_RUNTIME=sim` with `forloop::run` |
//!
//! # What it explores, and what not
//!
//! A program is left at its awaits, and only there. What is chosen is
//!
//! - which of the tasks that can run is polled next;
//! - in which order the timers of one instant fire that wake the same task;
//! - in which order a loop polls its bodies that were woken together, if they run in its own task.
//!
//! The time goes on when nothing can run, to that of the next timer. So it says nothing of what happens
//! *between* two awaits: no thread interrupts another, every memory ordering is the strongest, and two
//! things never happen at once; loom is the tool for that. A program that reads a real clock, a random
//! number or the order of a hash map, or that has threads, is not the same in each run. Where tasks then run
//! in another order, this is noticed by running schedules twice, now and then, and reported as what it is.
//!
//! Inside a simulation a loop gives its turn away after each poll of a body, and not after many: so any
//! other task may come between two bodies of one loop, as on a runtime with threads. What timers of one
//! instant wake in one loop is ordered twice, by the timers and by the loop, so an exhaustive search has such
//! schedules more than once.
//!
//! What was explored is said in honest words, [`Explored`]'s `Display`: `exhaustive: 4,320 schedules`; or
//! `sampled: 10,000 seeds, 3,911 distinct schedules`; or that a bound was hit, and there are more.
//!
//! # What a report says
//!
//! Under which schedule it fails, and why: the panic and its place, the error, a deadlock with each body
//! that waits (the index of its item, the function and the loop it was written in), two answers that
//! differ, tasks that outlived a loop that was dropped. A deadlock is told from a **lost wake**: what goes
//! on when it is polled again, although nobody had woken it, is named. Then the shortest list of choices
//! that was found to fail in the same way, the line that repeats it, and its events.
//!
//! # A bug that was found so
//!
//! In a stream of futures-util, bodies run only while the stream is asked for the next result. If the
//! consumer then awaits what a body holds, or is first in line for, both wait for ever
//! ([futures-rs#2387](https://github.com/rust-lang/futures-rs/issues/2387)). On a real runtime that takes
//! bad luck and a test that hangs; here it is a report.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use forloop_core::Timer;
//! use forloop_sim::{Cause, Explore, Sim};
//! use futures_util::stream::{self, StreamExt};
//! use tokio::sync::Mutex;
//!
//! /// Adds to a total, slowly, with a lock that is fair: it is handed to whoever waits longest.
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
//!         // The next body is in line for the lock, and nobody polls it while this waits behind it.
//!         println!("{} so far", total.lock().await);
//!     }
//! });
//! assert!(matches!(failure.unwrap_err().cause, Cause::Deadlock(_)));
//!
//! // The same as a loop: its bodies go on while the consumer waits.
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

mod deadlock;
mod event;
mod explore;
mod failure;
mod jitter;
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
pub use crate::explore::{Explore, Explored, Verdict, agree, check, replay};
pub use crate::failure::{Cause, Failure};
pub use crate::jitter::Jitter;
pub use crate::run::{NoRun, run};
pub use crate::runtime::Sim;
pub use crate::schedule::{Choices, NoChoices};
