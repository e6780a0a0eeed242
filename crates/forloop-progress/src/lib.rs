//! A progress bar for loops, drawn by [indicatif](https://docs.rs/indicatif).
//!
//! [`Progress`] is an [`Observer`]: pass it to [`Loop::observe`](forloop_core::Loop::observe).

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forloop_core::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

pub use indicatif;

/// A progress bar on stderr. It shows the number of completed items and the total; how many items run, have
/// failed and were retried; the items per second; and the estimated time to completion.
///
/// Nothing is drawn if stderr is not a terminal. The total is the `size_hint` of the loop's source. Without
/// an upper bound there is neither a bar nor an estimate, but the numbers are shown.
///
/// Other output to the terminal would disturb the bar. Print it with [`bar()`](Self::bar)`.println(..)`, or
/// inside `bar().suspend(|| ..)`.
///
/// # Costs
///
/// A few atomic operations for each event. The bar is drawn at most twenty times a second.
///
/// # Examples
///
/// ```
/// use forloop_core::{Timer, ZeroLimit, each};
/// use forloop_progress::Progress;
///
/// async fn lengths<R>(runtime: &R, urls: &[&str]) -> Result<Vec<usize>, ZeroLimit>
/// where
///     R: Timer + Clone + 'static,
/// {
///     let watched = each(urls).limit(50)?.observe(runtime, Progress::new());
///     Ok(watched.gather(async |url| url.len()).await)
/// }
/// ```
pub struct Progress {
    bar: ProgressBar,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    failed: AtomicUsize,
    retried: AtomicUsize,
}

const KNOWN: &str = "{msg}{wide_bar} {pos}/{len} · {per_sec} · {running} running · {failed} failed · \
                     {retried} retried · ETA {eta}";
const UNKNOWN: &str = "{msg}{spinner} {pos} · {per_sec} · {running} running · {failed} failed · \
                       {retried} retried · {elapsed}";

impl Progress {
    /// Creates a bar on stderr.
    pub fn new() -> Self {
        Self::on(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
    }

    /// Uses the given bar, for instance one of several, and replaces its style.
    pub fn on(bar: ProgressBar) -> Self {
        let progress =
            Self { bar: bar.with_finish(ProgressFinish::Abandon), counts: Arc::default() };
        progress.bar.set_style(progress.style(UNKNOWN));
        progress
    }

    /// Shows `name` in front of the bar.
    pub fn named(self, name: impl fmt::Display) -> Self {
        self.bar.set_message(format!("{name} "));
        self
    }

    /// Returns a handle to the bar.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    fn style(&self, template: &str) -> ProgressStyle {
        let show = |count: fn(&Counts) -> &AtomicUsize| {
            let counts = self.counts.clone();
            move |_: &ProgressState, out: &mut dyn fmt::Write| {
                // A failed write leaves the number out of the drawing.
                let _undrawn = write!(out, "{}", count(&counts).load(Ordering::Relaxed));
            }
        };
        let style = ProgressStyle::with_template(template).expect("the templates are valid");
        style
            .with_key("running", show(|counts| &counts.running))
            .with_key("failed", show(|counts| &counts.failed))
            .with_key("retried", show(|counts| &counts.retried))
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Progress {
    fn on_event(&mut self, _at: Duration, event: &Event) {
        match *event {
            Event::LoopStarted { upper: Some(upper), .. } => {
                self.bar.set_length(upper as u64);
                self.bar.set_style(self.style(KNOWN));
            }
            Event::Started { attempt: 1, .. } => {
                self.counts.running.fetch_add(1, Ordering::Relaxed);
                self.bar.tick();
            }
            Event::Retried { .. } => {
                self.counts.retried.fetch_add(1, Ordering::Relaxed);
            }
            Event::Completed { attempts, kind, .. } => {
                if attempts > 0 {
                    self.counts.running.fetch_sub(1, Ordering::Relaxed);
                }
                if kind.is_failure() {
                    self.counts.failed.fetch_add(1, Ordering::Relaxed);
                }
                self.bar.inc(1);
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("bar", &self.bar).finish_non_exhaustive()
    }
}
