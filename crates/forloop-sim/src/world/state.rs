//! The state of a world: its tasks, its choices, and the selection of the next step.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::task_waker::TaskWaker;
use crate::deadlock::NoProgress;
use crate::event::{Event, EventKind, Label};
use crate::ready_queue::ReadyQueue;
use crate::schedule::{Point, Schedule, mix};

/// The latest time. The clock never reaches it: a task that sleeps until then is never woken.
pub(super) const NEVER: Duration = Duration::MAX;

pub(super) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Everything that is the same when a run is repeated.
pub(super) struct State {
    pub(super) schedule: Schedule,
    /// How long to wait for a wake from another thread before reporting a deadlock.
    pub(super) deadlock_timeout: Duration,
    /// The number of threads that wait for such a wake. The lock of this state covers the count, the ready
    /// tasks and the wait, so no wake is lost.
    pub(super) waiting: usize,
    pub(super) now: Duration,
    pub(super) tasks: Vec<Task>,
    /// Ready tasks, in the order in which they were woken.
    pub(super) ready: ReadyQueue,
    /// Woken tasks that cannot run now: each is being polled, is the future of another `block_on`, or
    /// belongs to another thread.
    pub(super) blocked: Vec<usize>,
    /// The tasks that are being polled, outermost first.
    pub(super) polling: Vec<usize>,
    pub(super) timers: BTreeMap<Due, TimerEntry>,
    pub(super) timer_count: u64,
    /// Each choice, with the number of its options.
    pub(super) chosen: Vec<(u32, u32)>,
    pub(super) steps: u64,
    /// The limit of steps of a `block_on`.
    pub(super) max_steps: u64,
    /// Why the last `block_on` panicked, unless the program itself panicked.
    pub(super) deadlock: Option<NoProgress>,
    pub(super) fingerprint: u64,
    pub(super) log: Option<Vec<Event>>,
    /// The log up to a deadlock, without the steps taken to analyse it.
    pub(super) log_before_deadlock: Option<Vec<Event>>,
}

/// The key of a timer: when it is due, and its number. Of those due at one time, the older comes first.
pub(crate) type Due = (Duration, u64);

/// A registered timer.
pub(super) struct TimerEntry {
    pub(super) waker: Waker,
    /// The task that waits for it.
    pub(super) task: Option<usize>,
}

pub(super) struct Task {
    pub(super) state: TaskState,
    pub(super) task_waker: Arc<TaskWaker>,
    pub(super) waker: Waker,
    pub(super) label: Label,
}

/// Where the future of a task is.
pub(super) enum TaskState {
    Stored(Job),
    /// In the map of the thread that spawned it.
    ThreadLocal,
    /// In a `block_on`.
    BlockOn,
    /// Being polled.
    Polling,
    Completed,
}

/// The next step.
pub(super) enum Next {
    Main,
    Task(usize, TaskFuture),
    /// The clock advanced, and these wakers are due.
    Wake(Vec<Waker>),
    Nothing,
}

/// The future of a task that is about to be polled.
pub(super) enum TaskFuture {
    Stored(Job),
    ThreadLocal,
}

impl State {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            deadlock_timeout: Duration::ZERO,
            waiting: 0,
            now: Duration::ZERO,
            tasks: Vec::new(),
            ready: ReadyQueue::default(),
            blocked: Vec::new(),
            polling: Vec::new(),
            timers: BTreeMap::new(),
            timer_count: 0,
            chosen: Vec::new(),
            steps: 0,
            max_steps: u64::MAX,
            deadlock: None,
            fingerprint: 0,
            log: None,
            log_before_deadlock: None,
        }
    }

    /// Records an event in the fingerprint, and in the log if there is one.
    pub(super) fn record_event(&mut self, kind: EventKind) {
        let (code, a, b) = match kind {
            EventKind::Spawned(task, _) => (1, task, 0),
            EventKind::Woken(task) => (2, task, 0),
            EventKind::Polled(task) => (3, task, 0),
            EventKind::Completed(task) => (4, task, 0),
            EventKind::Chosen { choice, options } => (5, choice, options),
            EventKind::ClockAdvanced { timers } => (6, timers, 0),
        };
        let word = code << 60 ^ (a as u64) << 30 ^ b as u64;
        self.fingerprint = mix(self.fingerprint ^ word);
        if code == 6 {
            let now = self.now;
            self.fingerprint =
                mix(self.fingerprint ^ now.as_secs() << 30 ^ u64::from(now.subsec_nanos()));
        }
        let at = self.now;
        if let Some(log) = &mut self.log {
            log.push(Event { at, kind });
        }
    }

    /// Chooses an option, if there is more than one.
    pub(super) fn choose(&mut self, point: Point<'_>) -> usize {
        let options = point.options();
        if options < 2 {
            return 0;
        }
        let choice = self.schedule.choose(point);
        self.chosen.push((choice as u32, options as u32));
        self.record_event(EventKind::Chosen { choice, options });
        choice
    }

    /// Removes a completed task from the ready tasks.
    pub(super) fn forget(&mut self, task: usize) {
        if self.tasks[task].task_waker.is_woken() {
            self.ready.take_task(task);
        }
    }

    /// Makes the blocked tasks ready again.
    pub(super) fn requeue_blocked(&mut self) {
        self.ready.extend(self.blocked.drain(..));
    }

    /// Takes one of the ready tasks.
    pub(super) fn next_ready(&mut self, main: Option<usize>) -> Option<Next> {
        while !self.ready.is_empty() {
            let ready = std::mem::take(&mut self.ready);
            let choice = self.choose(Point::Tasks(&ready));
            self.ready = ready;
            let task = self.ready.take(choice)?;
            let state = &mut self.tasks[task].state;
            match state {
                TaskState::Stored(_) | TaskState::ThreadLocal => {
                    let future = match std::mem::replace(state, TaskState::Polling) {
                        TaskState::Stored(job) => TaskFuture::Stored(job),
                        _ => TaskFuture::ThreadLocal,
                    };
                    return Some(Next::Task(task, future));
                }
                TaskState::BlockOn if main == Some(task) => return Some(Next::Main),
                TaskState::BlockOn | TaskState::Polling => self.blocked.push(task),
                TaskState::Completed => {}
            }
        }
        None
    }

    /// Advances the clock to the next timers, and returns the wakers due then. They are in the order in which the timers
    /// were made, except that the order of those of one task is chosen.
    pub(super) fn advance_clock(&mut self) -> Option<Vec<Waker>> {
        let (&(next, _), _) = self.timers.first_key_value()?;
        if next == NEVER {
            return None;
        }
        self.now = next;
        let later = self.timers.split_off(&(next, u64::MAX));
        let due = std::mem::replace(&mut self.timers, later);
        self.record_event(EventKind::ClockAdvanced { timers: due.len() });
        let due: Vec<TimerEntry> = due.into_values().collect();
        // Those of different tasks wake different tasks, and the order in which these run is chosen later. So the
        // timers of one task are permuted among their places.
        let mut places: Vec<usize> = (0..due.len()).collect();
        places.sort_by_key(|&place| due[place].task);
        let mut chosen = places.clone();
        for of_task in chosen.chunk_by_mut(|&a, &b| due[a].task == due[b].task) {
            for first in 0..of_task.len() {
                let next = first + self.choose(Point::Order(of_task.len() - first));
                of_task[first..=next].rotate_right(1);
            }
        }
        let mut order: Vec<_> = places.into_iter().zip(chosen).collect();
        order.sort_unstable();
        Some(order.into_iter().map(|(_, timer)| due[timer].waker.clone()).collect())
    }
}
