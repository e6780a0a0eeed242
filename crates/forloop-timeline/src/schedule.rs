//! The schedule of a deterministic run, step by step.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::EventKind;
use crate::log::{BodyId, Records};
use crate::scale::{ClockAdvance, STEP, Scale};
use crate::timeline::Timeline;

/// The schedule of a deterministic run: which task was polled in each step, and which ones were ready meanwhile.
///
/// On a virtual clock most of what happens takes no time, so the picture of a schedule has steps on its axis: each poll
/// of a task is one. The labels of the axis are the times to which the clock has advanced. `forloop-sim` draws the
/// schedules under which a program fails, with its feature `timeline`; other simulations can pass on what they did.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use forloop_timeline::Schedule;
///
/// let mut schedule = Schedule::new();
/// schedule.spawned(0, "main");
/// schedule.polled(0);
/// schedule.spawned(1, "a sleeper"); // in the first step, by task 0
/// schedule.polled(1);
/// schedule.clock_advanced(Duration::from_secs(60));
/// schedule.woken(1);
/// schedule.polled(1);
/// schedule.completed(1);
/// let picture = schedule.timeline().titled("task 0 waits forever").to_svg();
/// assert!(picture.contains("2 tasks, 3 polls, 60 s: 1 done, 1 running"), "{picture}");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    records: Records,
    tasks: BTreeMap<usize, Task>,
    polled: Option<usize>,
    /// In steps.
    now: Duration,
    clock: Vec<ClockAdvance>,
}

#[derive(Debug, Clone, Copy)]
struct Task {
    body: BodyId,
    has_started: bool,
}

impl Schedule {
    /// Returns the schedule of a run that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// A task was spawned. It is ready.
    ///
    /// # Panics
    ///
    /// At the four-billionth task.
    pub fn spawned(&mut self, task: usize, name: &str) {
        let group = self.records.group(name.into());
        let body = self.records.queue(self.now, group, task);
        self.tasks.insert(task, Task { body, has_started: false });
    }

    /// A task was woken.
    pub fn woken(&mut self, task: usize) {
        self.record(task, EventKind::Woken);
    }

    /// A task is polled, in a new step. The poll before it has ended.
    pub fn polled(&mut self, task: usize) {
        self.end_poll(EventKind::Suspended);
        let has_started = self.tasks.get_mut(&task).map(|task| &mut task.has_started);
        let is_first = has_started.is_some_and(|has_started| !std::mem::replace(has_started, true));
        self.record(task, if is_first { EventKind::Started } else { EventKind::Resumed });
        self.polled = Some(task);
        self.now += STEP / 2;
    }

    /// A task completed, or was dropped.
    pub fn completed(&mut self, task: usize) {
        self.end(task, EventKind::Completed);
    }

    /// A task completed with an error.
    pub fn failed(&mut self, task: usize) {
        self.end(task, EventKind::Failed);
    }

    /// A task panicked.
    pub fn panicked(&mut self, task: usize) {
        self.end(task, EventKind::Panicked);
    }

    /// No task could run, and the clock has advanced to this time.
    pub fn clock_advanced(&mut self, to: Duration) {
        self.end_poll(EventKind::Suspended);
        self.clock.push(ClockAdvance { at: self.now, to });
    }

    /// Returns the schedule as a timeline. Tasks that have not completed are shown as still running.
    pub fn timeline(mut self) -> Timeline {
        self.end_poll(EventKind::Suspended);
        Timeline::new(self.records, self.now).on(Scale::Steps(self.clock))
    }

    fn end(&mut self, task: usize, kind: EventKind) {
        if self.polled == Some(task) {
            self.end_poll(kind);
        } else {
            self.record(task, kind);
        }
    }

    /// Ends the current poll, and its step.
    fn end_poll(&mut self, kind: EventKind) {
        if let Some(task) = self.polled.take() {
            self.now += STEP / 2;
            self.record(task, kind);
        }
    }

    fn record(&mut self, task: usize, kind: EventKind) {
        if let Some(task) = self.tasks.get(&task) {
            self.records.record(self.now, task.body, kind);
        }
    }
}
