//! What each body did, put together from its events.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{EventKind, Timeline};

/// A body: when it was what.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) index: usize,
    /// Whether there are others of its name.
    pub(crate) is_numbered: bool,
    /// From when it was made to its end, or to the end of the timeline.
    pub(crate) life: Span,
    pub(crate) started: Option<Duration>,
    /// When it was polled.
    pub(crate) runs: Vec<Span>,
    /// When it waited for its turn: to start, or after a wake.
    pub(crate) ready: Vec<Span>,
    pub(crate) wakes: Vec<Duration>,
    /// `None` if it has not ended.
    pub(crate) end: Option<EventKind>,
}

/// From a time to a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
}

impl Span {
    pub(crate) fn long(self) -> Duration {
        self.end.saturating_sub(self.begin)
    }
}

impl Row<'_> {
    /// The body's name, and its number if there are others of the name.
    pub(crate) fn label(&self) -> String {
        let Self { name, index, is_numbered, .. } = self;
        if *is_numbered { format!("{name} {index}") } else { (*name).to_owned() }
    }

    /// For how long it was polled.
    pub(crate) fn busy(&self) -> Duration {
        self.runs.iter().map(|run| run.long()).sum()
    }
}

/// How an end is called; `None` is none yet.
pub(crate) fn end_name(end: Option<EventKind>) -> &'static str {
    match end {
        Some(EventKind::Done) => "done",
        Some(EventKind::Failed) => "failed",
        Some(EventKind::Panicked) => "panicked",
        Some(EventKind::Cancelled) => "cancelled",
        _ => "running",
    }
}

/// What a body is doing at some point of the events.
#[derive(Clone, Copy)]
enum Doing {
    /// It waits for its turn, since then.
    Ready(Duration),
    /// It waits for something.
    Waiting,
    /// It is polled, since then; and it has been woken meanwhile, or not.
    TaskSet(Duration, bool),
    Nothing,
}

/// One row for each body, in the order in which they were made.
pub(crate) fn rows(timeline: &Timeline) -> Vec<Row<'_>> {
    let mut rows: Vec<(Row<'_>, Doing)> = Vec::with_capacity(timeline.len());
    let mut counts = BTreeMap::<_, usize>::new();
    for event in timeline.events() {
        let at = event.at;
        if event.kind == EventKind::Queued {
            *counts.entry(event.name).or_default() += 1;
            let row = Row {
                name: event.name,
                index: event.index,
                is_numbered: false,
                life: Span { begin: at, end: timeline.taken() },
                started: None,
                runs: Vec::new(),
                ready: Vec::new(),
                wakes: Vec::new(),
                end: None,
            };
            rows.push((row, Doing::Ready(at)));
            continue;
        }
        let (row, doing) = &mut rows[event.body];
        *doing = match event.kind {
            EventKind::Woken => {
                row.wakes.push(at);
                match *doing {
                    Doing::Waiting => Doing::Ready(at),
                    Doing::TaskSet(since, _) => Doing::TaskSet(since, true),
                    before => before,
                }
            }
            EventKind::JobHandle | EventKind::Resumed => {
                row.leave(*doing, at);
                row.started.get_or_insert(at);
                Doing::TaskSet(at, false)
            }
            EventKind::Suspended => {
                row.leave(*doing, at);
                let is_woken = matches!(*doing, Doing::TaskSet(_, true));
                if is_woken { Doing::Ready(at) } else { Doing::Waiting }
            }
            end => {
                row.leave(*doing, at);
                row.life.end = at;
                row.end = Some(end);
                Doing::Nothing
            }
        };
    }
    let finished = rows.into_iter().map(|(mut row, doing)| {
        row.leave(doing, timeline.taken());
        row.is_numbered = 1 < counts[row.name];
        row
    });
    finished.collect()
}

impl Row<'_> {
    /// Keeps what it was doing until `at`.
    fn leave(&mut self, doing: Doing, at: Duration) {
        match doing {
            Doing::Ready(begin) => self.ready.push(Span { begin, end: at }),
            Doing::TaskSet(begin, _) => self.runs.push(Span { begin, end: at }),
            Doing::Waiting | Doing::Nothing => {}
        }
    }
}
