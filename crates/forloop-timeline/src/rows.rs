//! The spans of each body, derived from its events.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::EventKind;
use crate::timeline::Timeline;

/// A body, with the spans of its states.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) index: usize,
    /// Whether other bodies have the same name.
    pub(crate) is_numbered: bool,
    /// From its creation to its completion, or to the end of the timeline.
    pub(crate) lifetime: Span,
    pub(crate) started: Option<Duration>,
    /// When it was being polled.
    pub(crate) runs: Vec<Span>,
    /// When it was ready: queued, or woken.
    pub(crate) ready: Vec<Span>,
    pub(crate) wakes: Vec<Duration>,
    /// How it completed; `None` if it is still running.
    pub(crate) outcome: Option<EventKind>,
}

/// An interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

impl Span {
    pub(crate) fn duration(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

impl Row<'_> {
    /// The name of the body, with its number if other bodies have the same name.
    pub(crate) fn label(&self) -> String {
        let Self { name, index, is_numbered, .. } = self;
        if *is_numbered { format!("{name} {index}") } else { (*name).to_owned() }
    }

    /// The time spent in polls.
    pub(crate) fn busy(&self) -> Duration {
        self.runs.iter().map(|run| run.duration()).sum()
    }
}

/// Names how a body completed; `None` is still running.
pub(crate) fn outcome_name(outcome: Option<EventKind>) -> &'static str {
    match outcome {
        Some(EventKind::Completed) => "done",
        Some(EventKind::Failed) => "failed",
        Some(EventKind::Panicked) => "panicked",
        Some(EventKind::Cancelled) => "cancelled",
        _ => "running",
    }
}

/// The state of a body at some point of the events.
#[derive(Clone, Copy)]
enum State {
    /// Ready to be polled, since the given time.
    Ready(Duration),
    /// Waiting for a wake.
    Waiting,
    /// Being polled since the given time, and whether it was woken meanwhile.
    Polled(Duration, bool),
    Completed,
}

/// Returns one row for each body, in order of creation.
pub(crate) fn rows(timeline: &Timeline) -> Vec<Row<'_>> {
    let mut rows: Vec<(Row<'_>, State)> = Vec::with_capacity(timeline.len());
    let mut counts = BTreeMap::<_, usize>::new();
    for event in timeline.events() {
        let at = event.at;
        if event.kind == EventKind::Queued {
            *counts.entry(event.name).or_default() += 1;
            let row = Row {
                name: event.name,
                index: event.index,
                is_numbered: false,
                lifetime: Span { start: at, end: timeline.duration() },
                started: None,
                runs: Vec::new(),
                ready: Vec::new(),
                wakes: Vec::new(),
                outcome: None,
            };
            rows.push((row, State::Ready(at)));
            continue;
        }
        let (row, state) = &mut rows[event.body];
        *state = match event.kind {
            EventKind::Woken => {
                row.wakes.push(at);
                match *state {
                    State::Waiting => State::Ready(at),
                    State::Polled(since, _) => State::Polled(since, true),
                    before => before,
                }
            }
            EventKind::Started | EventKind::Resumed => {
                row.end_state(*state, at);
                row.started.get_or_insert(at);
                State::Polled(at, false)
            }
            EventKind::Suspended => {
                row.end_state(*state, at);
                let is_woken = matches!(*state, State::Polled(_, true));
                if is_woken { State::Ready(at) } else { State::Waiting }
            }
            outcome => {
                row.end_state(*state, at);
                row.lifetime.end = at;
                row.outcome = Some(outcome);
                State::Completed
            }
        };
    }
    let finished = rows.into_iter().map(|(mut row, state)| {
        row.end_state(state, timeline.duration());
        row.is_numbered = 1 < counts[row.name];
        row
    });
    finished.collect()
}

impl Row<'_> {
    /// Adds the span of a state that the body leaves at `at`.
    fn end_state(&mut self, state: State, at: Duration) {
        match state {
            State::Ready(start) => self.ready.push(Span { start, end: at }),
            State::Polled(start, _) => self.runs.push(Span { start, end: at }),
            State::Waiting | State::Completed => {}
        }
    }
}
