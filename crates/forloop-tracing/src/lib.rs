//! Loops in [tracing](https://docs.rs/tracing): a span for each body, an event for what happens to its item.
//!
//! - [`Spans`] goes to [`Loop::layer`](forloop_core::Loop::layer): each body runs in a span of its own, also on another
//!   thread;
//! - [`Events`] goes to [`Loop::observe`](forloop_core::Loop::observe): what fails and what is tried again is
//!   logged.
//!
//! Either does without the other. What nobody subscribes to costs a look at an atomic.

#![forbid(unsafe_code)]

use std::time::Duration;

use forloop_core::{Attempt, Body, Event, Layer, Observer, OutcomeKind};
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Level, Span};

/// Puts each body into a span named `body`, with the fields `index` and `attempt`, and `loop` if it
/// has a [name](Self::named).
///
/// The span's parent is the one that the loop is polled in: the caller's, also where the body runs on another
/// thread. Each attempt has a span of its own.
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

/// At what level spans are made.
#[derive(Debug, Clone, Copy, Default)]
enum Enabled {
    #[default]
    Info,
    Debug,
    Trace,
}

impl Spans {
    /// Spans at the level `INFO`, for a loop without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Spans at the level `INFO`, for the loop with this name.
    pub fn named(name: &'static str) -> Self {
        Self { name: Some(name), level: Enabled::Info }
    }

    /// The same spans at another level: `DEBUG`, `TRACE`; or `INFO`, also for those above.
    pub fn at(self, level: Level) -> Self {
        let level = match level {
            Level::TRACE => Enabled::Trace,
            Level::DEBUG => Enabled::Debug,
            _ => Enabled::Info,
        };
        Self { level, ..self }
    }

    fn span(&self, Attempt { index, attempt, .. }: Attempt) -> Span {
        // The level is part of what the macro makes static.
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

/// Logs what becomes of a loop's items, in the caller's span: `WARN` for those that have failed for good, `ERROR` for panics
/// that were caught, `INFO` for those that are tried again, `DEBUG` for the rest.
///
/// The fields are `index`, `attempt` or `attempts`, `after` for how long the loop waits before the next attempt, and
/// `at`, by the loop's clock.
///
/// # Examples
///
/// ```
/// use forloop_core::{Timer, each};
/// use forloop_tracing::Events;
///
/// async fn parsed<R: Timer + Clone + 'static>(runtime: &R, texts: &[&str]) {
///     let logged = each(texts).unbounded().observe(runtime, Events);
///     logged.settle(async |text| text.parse::<u32>()).await;
/// }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Events;

impl Observer for Events {
    fn on_event(&mut self, at: Duration, event: &Event) {
        match *event {
            Event::LoopStarted { least, most, .. } => {
                tracing::debug!(?at, least, ?most, "loop begun")
            }
            Event::Received { index, .. } => tracing::trace!(?at, index, "queued"),
            Event::Started { index, attempt, .. } => {
                tracing::debug!(?at, index, attempt, "started");
            }
            Event::Retried { index, attempt, after, .. } => {
                tracing::info!(?at, index, attempt, ?after, "failed, will be tried again");
            }
            Event::Completed { index, attempts, how, .. } => match how {
                OutcomeKind::Panicked => tracing::error!(?at, index, attempts, "panicked"),
                how if how.is_failure() => tracing::warn!(?at, index, attempts, ?how, "failed"),
                how => tracing::debug!(?at, index, attempts, ?how, "ended"),
            },
            _ => {}
        }
    }
}
