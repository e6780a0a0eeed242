//! What the bodies of a loop did over time: recorded on any runtime, drawn as an SVG picture, and written
//! as a trace that [Perfetto](https://ui.perfetto.dev) opens.
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
//! // A picture, for a browser or a page; and a trace, for ui.perfetto.dev.
//! std::fs::write(folder.join("forloop-timeline.svg"), timeline.to_svg())?;
//! std::fs::write(folder.join("forloop-timeline.json"), timeline.to_chrome_trace())?;
//!
//! let ends: Vec<_> = timeline.events().filter(|event| event.kind.is_end()).collect();
//! assert_eq!(ends[0].kind, EventKind::Failed);
//! assert_eq!((ends[0].name, ends[0].index, ends[0].at.as_millis()), ("fetch", 1, 20));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What to watch with
//!
//! | you have | write |
//! |---|---|
//! | a body | [`recorder.watch("name", body)`](Recorder::watch) in its stead, in any strategy |
//! | a body that returns a `Result` | [`recorder.try_watch("name", body)`](Recorder::try_watch), which tells failures from good ends |
//! | a future: a task, a child of a group | [`watch_future`](Recorder::watch_future), [`try_watch_future`](Recorder::try_watch_future) |
//!
//! A [`Watched`] body means the same as the body: it is as much `Send` and borrows as much, so it runs in
//! the caller's task, `.on(runtime)` and `.on_workers(runtime)`. A loop that is not watched pays nothing,
//! because it knows nothing of this crate; what a watched one pays is said at [`Recorder`].
//!
//! # What is recorded
//!
//! | | [event](EventKind) | a span of the picture |
//! |---|---|---|
//! | the closure is called with an item | `Queued` | light: it waits for its turn |
//! | its first poll begins, or a later one | `JobHandle`, `Resumed` | dark: it runs |
//! | a poll ends, and the body has not | `Suspended` | medium: it waits for something |
//! | its waker is called | `Woken` | light: it waits for its turn |
//! | it ends | `Done`, `Failed`, `Panicked`, `Cancelled` | a mark of that shape |
//!
//! A body that is dropped without an end is `Cancelled` when it is gone: its destructors have run. One
//! that is forgotten never ends. With `panic = "abort"` nothing is left to ask about a panic.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod event;
mod log;
mod recorder;
mod rows;
mod svg;
mod text;
mod timeline;
mod trace;
mod watched;

pub use crate::event::{Event, EventKind};
pub use crate::recorder::Recorder;
pub use crate::timeline::Timeline;
pub use crate::watched::{AnyOutput, ResultOutput, Verdict, Watched};
