//! What was recorded, to be read, drawn and written.

use std::time::Duration;

use crate::event::Event;
use crate::log::Records;
use crate::scale::Scale;

/// The events recorded until some time.
///
/// Returned by [`Recorder::timeline`](crate::Recorder::timeline) and
/// [`Schedule::timeline`](crate::Schedule::timeline). The same events always give the same
/// picture and the same trace, byte for byte.
#[derive(Debug, Clone)]
pub struct Timeline {
    records: Records,
    taken: Duration,
    title: Option<String>,
    scale: Scale,
}

impl Timeline {
    pub(crate) fn new(records: Records, taken: Duration) -> Self {
        Self { records, taken, title: None, scale: Scale::Time }
    }

    pub(crate) fn on(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    pub(crate) fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Sets the title of the picture, which is also the name of the trace's process. By default these are
    /// the names of the watched bodies.
    #[must_use = "`titled` returns the timeline with the title"]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Returns the number of bodies.
    pub fn len(&self) -> usize {
        self.records.bodies.len()
    }

    /// Whether there are no bodies.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the events in recording order. Their times never decrease.
    ///
    /// # Examples
    ///
    /// The most bodies that ran at once:
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # use forloop_smol::Smol as runtime;
    /// use forloop_timeline::{EventKind, Recorder};
    ///
    /// # futures_lite::future::block_on(async {
    /// let recorder = Recorder::new(&runtime);
    /// let body = recorder.watch("body", |_| futures_lite::future::yield_now());
    /// forloop::each(0..100).limit(7)?.for_each(body).await;
    ///
    /// let (mut now, mut peak) = (0, 0);
    /// for event in recorder.timeline().events() {
    ///     match event.kind {
    ///         EventKind::Queued => now += 1,
    ///         kind if kind.is_completion() => now -= 1,
    ///         _ => {}
    ///     }
    ///     peak = peak.max(now);
    /// }
    /// assert_eq!(peak, 7);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    pub fn events(&self) -> impl Iterator<Item = Event<'_>> {
        self.records.events.iter().enumerate().map(|(sequence, record)| {
            let body = self.records.bodies[record.body.row()];
            Event {
                sequence,
                at: record.at,
                body: record.body.row(),
                name: self.records.name(body.group),
                index: body.index,
                kind: record.kind,
            }
        })
    }

    /// Returns the title, or the names of the bodies if none was set.
    pub(crate) fn title(&self) -> String {
        if let Some(title) = &self.title {
            return title.clone();
        }
        let mut names: Vec<&str> = Vec::new();
        for name in self.records.names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        match names.len() {
            0 => "forloop".to_owned(),
            1..=4 => names.join(", "),
            _ => format!("{} and others", names[..4].join(", ")),
        }
    }

    /// Returns the time at which the timeline was taken; no event is later.
    pub(crate) fn duration(&self) -> Duration {
        self.records.events.last().map_or(self.taken, |last| last.at.max(self.taken))
    }
}
