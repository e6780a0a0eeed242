//! Loops in [tracing](https://docs.rs/tracing): a span for each body, and an event for each step of an item.
//!
//! - Pass [`Spans`] to [`Loop::layer`](forloop_core::Loop::layer): each body runs in its own span, on any
//!   thread.
//! - Pass [`Events`] to [`Loop::observe`](forloop_core::Loop::observe): failures and retries are logged.
//!
//! The two work independently. A span or event that is not enabled costs one atomic load.

#![forbid(unsafe_code)]

use std::time::Duration;

use forloop_core::places::{Attempt, Body, Layer};
use forloop_core::{Event, Observer, OutcomeKind};
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Level, Span};

/// Instruments each body with a span named `body`, with the fields `index` and `attempt`, and `loop` if a
/// [name](Self::named) is set.
///
/// The parent is the span in which the loop is polled: that of the caller, even if the body runs on another
/// thread. Each attempt has its own span.
///
/// # Examples
///
/// ```
/// use forloop_core::each;
/// use forloop_tracing::Spans;
///
/// # futures_lite::future::block_on(async {
/// let lengths = each(["a.example", "b.example"])
///     .unbounded()
///     .layer(Spans::named("crawl"))
///     .gather(async |url| {
///         tracing::info!(url, "fetching"); // in the span body{loop="crawl" index=0 attempt=1}
///         url.len()
///     })
///     .await;
/// # assert_eq!(lengths, [9, 9]);
/// # });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Spans {
    name: Option<&'static str>,
    level: Enabled,
}

/// The level of the spans.
#[derive(Debug, Clone, Copy, Default)]
enum Enabled {
    #[default]
    Info,
    Debug,
    Trace,
}

impl Spans {
    /// Creates spans at the level `INFO`, without a name of the loop.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates spans at the level `INFO`, with the name of the loop.
    pub fn named(name: &'static str) -> Self {
        Self { name: Some(name), level: Enabled::Info }
    }

    /// Sets the level of the spans to `DEBUG` or `TRACE`; any other level means `INFO`.
    pub fn at(self, level: Level) -> Self {
        let level = match level {
            Level::TRACE => Enabled::Trace,
            Level::DEBUG => Enabled::Debug,
            _ => Enabled::Info,
        };
        Self { level, ..self }
    }

    fn span(&self, Attempt { index, attempt, .. }: Attempt) -> Span {
        // The macros store the level in a static, so each level needs its own call.
        let span = match self.level {
            Enabled::Info => tracing::info_span!("body", r#loop = Empty, index, attempt),
            Enabled::Debug => tracing::debug_span!("body", r#loop = Empty, index, attempt),
            Enabled::Trace => tracing::trace_span!("body", r#loop = Empty, index, attempt),
        };
        if let Some(name) = self.name {
            span.record("loop", name);
        }
        span
    }
}

impl<B: Body> Layer<B> for Spans {
    type Layered = Instrumented<B>;

    fn layer(&self, attempt: Attempt, body: B) -> Instrumented<B> {
        body.instrument(self.span(attempt))
    }
}

/// Logs the events of a loop's items, in the caller's span: items that finally failed at `WARN`, caught
/// panics at `ERROR`, retries at `INFO`, and the rest at `DEBUG` or `TRACE`.
///
/// The fields are `index`; `attempt` or `attempts`; `outcome` of an attempt that has failed or of a completed item;
/// `after`, the delay before the next attempt; and `at`, the time on the loop's clock. An event has neither the item nor
/// the error. To log them, use [`on_failure`](forloop_core::Loop::on_failure):
/// `.on_failure(|url, failure| tracing::warn!(url, %failure))`.
///
/// # Examples
///
/// ```
/// use forloop_core::{Timer, each};
/// use forloop_tracing::Events;
///
/// async fn parsed<R: Timer + Clone + 'static>(runtime: &R, texts: &[&str]) {
///     let logged = each(texts).unbounded().timer(runtime).observe(Events);
///     logged.settle(async |text| text.parse::<u32>()).await;
/// }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Events;

impl Observer for Events {
    fn on_event(&mut self, at: Duration, event: &Event) {
        match *event {
            Event::LoopStarted { lower, upper, .. } => {
                tracing::debug!(?at, lower, ?upper, "loop started");
            }
            Event::Received { index, .. } => tracing::trace!(?at, index, "queued"),
            Event::Started { index, attempt, .. } => {
                tracing::debug!(?at, index, attempt, "started");
            }
            Event::Retried { index, attempt, kind: outcome, after, .. } => {
                tracing::info!(?at, index, attempt, ?outcome, ?after, "failed, will be retried");
            }
            Event::Completed { index, attempts, kind: outcome, .. } => match outcome {
                OutcomeKind::Panicked => tracing::error!(?at, index, attempts, "panicked"),
                _ if outcome.is_failure() => {
                    tracing::warn!(?at, index, attempts, ?outcome, "failed");
                }
                _ => tracing::debug!(?at, index, attempts, ?outcome, "completed"),
            },
            _ => {}
        }
    }
}
