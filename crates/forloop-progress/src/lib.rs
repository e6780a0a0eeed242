//! A progress bar for loops, drawn by [indicatif](https://docs.rs/indicatif).
//!
//! [`Progress`] is an [`Observer`]: give it to [`Loop::observe`](forloop_core::Loop::observe).

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forloop_core::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

pub use indicatif;

/// A bar on the standard error output: how many items are done with of how many, how many run, how many have failed and
/// were tried again, how many are done with per second, and how long the rest will take.
///
/// Where the standard error output is no terminal nothing is drawn. The total is what the loop's source says it is
/// (`size_hint`); where it does not say, there is no bar and no time left, and the counts all the same.
///
/// What else is printed to the terminal meanwhile gets in the way of a bar: print it by
/// [`bar()`](Self::bar)`.println(..)`, or around it by `bar().suspend(|| ..)`.
///
/// # Costs
///
/// A few atomic operations for each event. It is drawn at most twenty times a second.
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
    /// A bar on the standard error output.
    pub fn new() -> Self {
        Self::on(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
    }

    /// On a bar of one's own: one of several, or one that is drawn elsewhere. Its style becomes the one here.
    pub fn on(bar: ProgressBar) -> Self {
        let progress =
            Self { bar: bar.with_finish(ProgressFinish::Abandon), counts: Arc::default() };
        progress.bar.set_style(progress.style(UNKNOWN));
        progress
    }

    /// With a word in front of it.
    pub fn named(self, name: impl fmt::Display) -> Self {
        self.bar.set_message(format!("{name} "));
        self
    }

    /// The bar itself: a handle to the same one.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    fn style(&self, template: &str) -> ProgressStyle {
        let show = |count: fn(&Counts) -> &AtomicUsize| {
            let counts = self.counts.clone();
            move |_: &ProgressState, out: &mut dyn fmt::Write| {
                // What cannot be drawn is not drawn.
                let _undrawn = write!(out, "{}", count(&counts).load(Ordering::Relaxed));
            }
        };
        let style = ProgressStyle::with_template(template).expect("our own templates are right");
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
            Event::LoopStarted { most: Some(most), .. } => {
                self.bar.set_length(most as u64);
                self.bar.set_style(self.style(KNOWN));
            }
            Event::Started { attempt: 1, .. } => {
                self.counts.running.fetch_add(1, Ordering::Relaxed);
                self.bar.tick();
            }
            Event::Retried { .. } => {
                self.counts.retried.fetch_add(1, Ordering::Relaxed);
            }
            Event::Completed { attempts, how, .. } => {
                if attempts > 0 {
                    self.counts.running.fetch_sub(1, Ordering::Relaxed);
                }
                if how.is_failure() {
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
