//! Records what the bodies of a loop do over time, on any runtime. Draws it as an SVG picture, and writes
//! it as a trace that [Perfetto](https://ui.perfetto.dev) opens.
//!
//! ```
//! # use forloop_core as forloop;
//! # use forloop::{BlockOn, Timer};
//! use forloop_timeline::{EventKind, Recorder};
//!
//! # let runtime = forloop_conformance::VirtualClock::default();
//! # let fetch = async |ms: u64| {
//! #     runtime.sleep(std::time::Duration::from_millis(ms)).await;
//! #     if ms == 20 { Err("not found") } else { Ok(ms) }
//! # };
//! # runtime.block_on(async {
//! # let urls = [30, 20, 10];
//! let recorder = Recorder::new(&runtime);
//! let pages = forloop::each(urls).limit(2)?.settle(recorder.try_watch("fetch", |url| fetch(url))).await;
//!
//! let timeline = recorder.timeline();
//! # let folder = std::env::temp_dir();
//! // A picture for a browser or a page, and a trace for ui.perfetto.dev.
//! std::fs::write(folder.join("forloop-timeline.svg"), timeline.to_svg())?;
//! std::fs::write(folder.join("forloop-timeline.json"), timeline.to_chrome_trace())?;
//!
//! let ends: Vec<_> = timeline.events().filter(|event| event.kind.is_completion()).collect();
//! assert_eq!(ends[0].kind, EventKind::Failed);
//! assert_eq!((ends[0].name, ends[0].index, ends[0].at.as_millis()), ("fetch", 1, 20));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Choosing a method
//!
//! | you have | write |
//! |---|---|
//! | a body | [`recorder.watch("name", body)`](Recorder::watch) in its place, with any strategy |
//! | a body that returns a `Result` | [`recorder.try_watch("name", body)`](Recorder::try_watch), which records an `Err` as a failure |
//! | a future: a task, a child of a group | [`watch_future`](Recorder::watch_future), [`try_watch_future`](Recorder::try_watch_future) |
//!
//! A [`Watched`] body behaves like the body itself. It is `Send` if the body is, and borrows what the body
//! borrows, so it runs in the caller's task, with `.on(runtime)` and with `.on_workers(runtime)`. A loop
//! that is not watched pays nothing; the costs of a watched one are listed at [`Recorder`].
//!
//! # What is recorded
//!
//! | | [event](EventKind) | the span that follows, in the picture |
//! |---|---|---|
//! | the closure is called with an item | `Queued` | light: ready |
//! | a poll begins: the first, or a later one | `Started`, `Resumed` | dark: being polled |
//! | a poll returns `Pending` | `Suspended` | medium: waiting |
//! | the waker is called | `Woken` | light: ready |
//! | the body completes | `Completed`, `Failed`, `Panicked`, `Cancelled` | a mark for the outcome |
//!
//! `Cancelled` is recorded after a body was dropped: its destructors have run. A body that is leaked with
//! `std::mem::forget` never completes. With `panic = "abort"`, no panic is recorded.
//!
//! # Schedules
//!
//! A [`Schedule`] is the timeline of a run in a simulation: its axis has steps, and each poll of a task is one. With
//! the features `sim` and `timeline` of forloop, a report of the simulation names a file with the picture of the
//! schedule that fails.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod event;
mod log;
mod recorder;
mod rows;
mod scale;
mod schedule;
mod svg;
mod text;
mod timeline;
mod trace;
mod watched;

pub use crate::event::{Event, EventKind};
pub use crate::recorder::Recorder;
pub use crate::schedule::Schedule;
pub use crate::timeline::Timeline;
pub use crate::watched::{AnyOutput, Classify, ResultOutput, Watched};
