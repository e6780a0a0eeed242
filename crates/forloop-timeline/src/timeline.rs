//! A timeline: what was recorded, to be read, drawn and written.

use std::time::Duration;

use crate::log::Records;
use crate::{Event, svg, trace};

/// What was recorded until some time.
///
/// Made by [`Recorder::timeline`](crate::Recorder::timeline). The same events give the same picture and
/// the same trace, byte for byte.
#[derive(Debug, Clone)]
pub struct Timeline {
    records: Records,
    taken: Duration,
    title: Option<String>,
}

impl Timeline {
    pub(crate) fn new(records: Records, taken: Duration) -> Self {
        Self { records, taken, title: None }
    }

    /// Puts `title` above the picture and calls the trace's process so; otherwise they have the names under
    /// which bodies are watched.
    #[must_use = "this gives the timeline with the title"]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Returns how many bodies there were.
    pub fn len(&self) -> usize {
        self.records.bodies.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what has happened, in the order in which it was recorded; time never goes back in it.
    ///
    /// # Examples
    ///
    /// How many bodies there were at once:
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
    ///         kind if kind.is_end() => now -= 1,
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

    /// Draws the timeline as an SVG picture, for light pages and dark ones.
    ///
    /// It has a row for each body, from the time at which it was made to its end, and time begins with the
    /// first body. A row is light where the body waits for its turn (to be polled for the first time, or
    /// again after it was woken), medium where it waits for something, and dark where it is polled, for a
    /// pixel at least; on a dark page the shades are the other way round. The mark at its end has another
    /// shape for each kind of end. A name that only one body has stands without a number. In a browser that
    /// shows the picture by itself, a row tells its figures to whoever points at it.
    ///
    /// A row is 22 pixels high. Where there are more than 40 bodies, rows get thinner, so that the picture
    /// does not get higher: 9 pixels at 100 bodies, and one at 900 and more, never less. Some rows have a
    /// label then, as many as there is room for, and marks are left out below 4 pixels. For many thousand
    /// bodies, take [`to_chrome_trace`](Self::to_chrome_trace).
    ///
    /// # Costs
    ///
    /// Time and memory for each event. The text has a few hundred bytes for a row, and no more than there
    /// are pixels in it, however often its body was polled.
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    /// Writes the timeline in the Chrome trace event format: JSON that <https://ui.perfetto.dev> and
    /// `chrome://tracing` open.
    ///
    /// Each body is a thread with a slice for its life, and slices in that for the time until it was first
    /// polled and for each poll; a wake is an instant. Times are in microseconds, with three decimals,
    /// from when the recorder was made. A life's arguments have the index and the end; if that is not a
    /// good one, so does the slice's name.
    pub fn to_chrome_trace(&self) -> String {
        trace::write(self)
    }

    /// The title that it was given, or the names of the bodies.
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

    /// When it was made; no event is later.
    pub(crate) fn taken(&self) -> Duration {
        self.records.events.last().map_or(self.taken, |last| last.at.max(self.taken))
    }
}
