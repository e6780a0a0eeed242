//! A progress bar for loops, drawn by [indicatif](https://docs.rs/indicatif).
//!
//! [`Progress`] is an [`Observer`]: pass it to [`Loop::observe`](forloop_core::Loop::observe).

#![forbid(unsafe_code)]

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forloop_core::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

pub use indicatif;

/// A progress bar on stderr. It shows the number of completed items and the total; how many items run, have
/// failed and were retried; the items per second; and the estimated time to completion.
///
/// Nothing is drawn if stderr is not a terminal. The total is what [`total`](Self::total) says, else the
/// `size_hint` of the loop's source if that is exact: its two bounds are equal. A `filter` or a `take_while` has only
/// an upper bound, of which few items may remain. Without a total there is neither a bar nor an estimate, but the
/// numbers are shown.
///
/// Items count one each, or their [weight](Self::weight_by), such as a number of [bytes](Self::bytes).
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
///     let watched = each(urls).limit(50)?.timer(runtime).observe(Progress::new());
///     Ok(watched.gather(async |url| url.len()).await)
/// }
/// ```
pub struct Progress {
    bar: ProgressBar,
    counts: Arc<Counts>,
    /// The sum of the weights, if it is known.
    total: Option<u64>,
    unit: Unit,
    /// The weight of the item with an index; without it, each item has weight one.
    weight: Option<AssertUnwindSafe<Box<dyn FnMut(usize) -> u64 + Send + Sync>>>,
}

/// How weights are shown.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Items,
    Bytes,
}

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    failed: AtomicUsize,
    retried: AtomicUsize,
}

impl Progress {
    /// Creates a bar on stderr.
    pub fn new() -> Self {
        Self::on(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
    }

    /// Uses the given bar, for instance one of several, and replaces its style. If it has a length other than zero,
    /// that is the [`total`](Self::total).
    pub fn on(bar: ProgressBar) -> Self {
        let progress = Self {
            total: bar.length().filter(|&length| length > 0),
            bar: bar.with_finish(ProgressFinish::Abandon),
            counts: Arc::default(),
            unit: Unit::Items,
            weight: None,
        };
        progress.set_style();
        progress
    }

    /// Says the total: the number of items, or the sum of their [weights](Self::weight_by).
    ///
    /// It replaces the size hint of the source. Use it where the number is known and the source is a stream, a
    /// channel, or an iterator with a `filter`. For a total that becomes known later, call `set_length` on
    /// [`bar()`](Self::bar).
    ///
    /// # Examples
    ///
    /// ```
    /// use forloop_progress::Progress;
    ///
    /// let numbers = [3, 1, 4, 1, 5];
    /// let odd = numbers.into_iter().filter(|n| n % 2 == 1);
    /// let progress = Progress::new().total(odd.clone().count() as u64);
    /// assert_eq!(progress.bar().length(), Some(4));
    /// ```
    pub fn total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self.bar.set_length(total);
        self.set_style();
        self
    }

    /// Moves the bar by the weight of each completed item, which `weight` returns for the item's index: its number of
    /// bytes, rows or seconds.
    ///
    /// The size hint of the source counts items, so the total of the weights is known only from
    /// [`total`](Self::total). `weight` is called once for each item, when it has completed. Bodies that report their
    /// progress themselves, with `inc` on a clone of [`bar()`](Self::bar), use a weight of 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use forloop_progress::Progress;
    ///
    /// let sizes: Vec<u64> = vec![120, 7_000, 64_000];
    /// let progress = Progress::new().bytes().total(sizes.iter().sum()).weight_by(move |n| sizes[n]);
    /// assert_eq!(progress.bar().length(), Some(71_120));
    /// ```
    pub fn weight_by(mut self, weight: impl FnMut(usize) -> u64 + Send + Sync + 'static) -> Self {
        self.weight = Some(AssertUnwindSafe(Box::new(weight)));
        self
    }

    /// Shows weights as numbers of bytes, such as `3.10 MiB/71.00 MiB`.
    pub fn bytes(mut self) -> Self {
        self.unit = Unit::Bytes;
        self.set_style();
        self
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

    fn set_style(&self) {
        let (done, of, speed) = match self.unit {
            Unit::Items => ("{pos}", "{len}", "{per_sec}"),
            Unit::Bytes => ("{bytes}", "{total_bytes}", "{bytes_per_sec}"),
        };
        let counts = "{running} running · {failed} failed · {retried} retried";
        let template = match self.total {
            Some(_) => {
                format!("{{msg}}{{wide_bar}} {done}/{of} · {speed} · {counts} · ETA {{eta}}")
            }
            None => format!("{{msg}}{{spinner}} {done} · {speed} · {counts} · {{elapsed}}"),
        };
        self.bar.set_style(self.style(&template));
    }

    fn weight(&mut self, index: usize) -> u64 {
        self.weight.as_mut().map_or(1, |weight| weight(index))
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
            Event::LoopStarted { lower, upper: Some(upper), .. }
                if lower == upper && self.total.is_none() && self.weight.is_none() =>
            {
                self.total = Some(upper as u64);
                self.bar.set_length(upper as u64);
                self.set_style();
            }
            Event::Started { attempt: 1, .. } => {
                self.counts.running.fetch_add(1, Ordering::Relaxed);
                self.bar.tick();
            }
            Event::Retried { .. } => {
                self.counts.retried.fetch_add(1, Ordering::Relaxed);
            }
            Event::Completed { index, attempts, kind, .. } => {
                if attempts > 0 {
                    self.counts.running.fetch_sub(1, Ordering::Relaxed);
                }
                if kind.is_failure() {
                    self.counts.failed.fetch_add(1, Ordering::Relaxed);
                }
                let weight = self.weight(index);
                self.bar.inc(weight);
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
