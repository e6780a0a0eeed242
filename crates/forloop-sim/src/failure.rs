//! The report of a failed run, and how to repeat it.

use std::error::Error;
use std::fmt;
use std::mem::discriminant;
use std::panic::Location;

use crate::deadlock::{Deadlock, NoProgress, Pending};
use crate::event::Event;
use crate::run_spec::{RunSpec, VARIABLE};

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureCause {
    /// The program panicked.
    Panicked {
        /// The message of the panic.
        message: String,
        /// The location of the panic, if known.
        at: Option<String>,
    },
    /// The program returned an error.
    Failed {
        /// The error, formatted with `Debug`.
        error: String,
    },
    /// No task could run and no timer was set, but some tasks had not completed.
    Deadlock(Box<Deadlock>),
    /// The program exceeded its limit of steps.
    StepLimit {
        /// The limit.
        steps: u64,
    },
    /// The output differs from that of the first schedule.
    OutputsDiffer {
        /// The output of the first schedule, formatted with `Debug`.
        first: String,
        /// The output of this schedule, formatted with `Debug`.
        other: String,
    },
    /// The program was dropped, and tasks that it had spawned kept running.
    TasksLeft(Vec<Pending>),
    /// Two runs with the same choices behaved differently: the program reads a real clock, a random number
    /// or the order of a hash map, or depends on another thread.
    NotDeterministic {
        /// The cause of the failure in the first of the two runs, if it failed.
        before: Option<Box<Self>>,
    },
}

/// A schedule under which a program fails.
///
/// Its `Display` is a report: the cause, how to repeat the run, and the last events.
#[non_exhaustive]
pub struct Failure {
    /// Why the run failed.
    pub cause: FailureCause,
    /// The schedule that found the failure: `seed 42`, `schedule 17`.
    pub found_by: String,
    /// The events of the shortest failing run found.
    pub events: Vec<Event>,
    pub(crate) run_spec: Box<RunSpec>,
    pub(crate) at: &'static Location<'static>,
}

/// The most events shown in a report.
const MAX_EVENTS: usize = 60;

impl From<NoProgress> for FailureCause {
    fn from(no_progress: NoProgress) -> Self {
        match no_progress {
            NoProgress::Deadlock(deadlock) => Self::Deadlock(Box::new(deadlock)),
            NoProgress::StepLimit { steps } => Self::StepLimit { steps },
        }
    }
}

impl FailureCause {
    /// Whether both causes are the same failure, as far as that can be decided.
    pub(crate) fn is_same_failure(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panicked { at: a, .. }, Self::Panicked { at: b, .. }) => a == b,
            (Self::Deadlock(a), Self::Deadlock(b)) => {
                a.lost_wakes.is_empty() == b.lost_wakes.is_empty()
            }
            _ => discriminant(self) == discriminant(other),
        }
    }
}

impl Failure {
    /// The text that repeats the run, for `FORLOOP_SIM` and [`replay`](crate::replay): the shortest list of
    /// choices found.
    pub fn run_spec(&self) -> String {
        self.run_spec.to_string()
    }
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message, at: Some(at) } => {
                write!(f, "the program panicked at {at}: {message}")
            }
            Self::Panicked { message, at: None } => write!(f, "the program panicked: {message}"),
            Self::Failed { error } => write!(f, "the program failed: {error}"),
            Self::Deadlock(deadlock) => deadlock.fmt(f),
            Self::StepLimit { steps } => write!(f, "the program did not complete in {steps} steps"),
            Self::OutputsDiffer { first, other } => {
                write!(
                    f,
                    "the outputs differed\n  under the first schedule: {first}\n  under this schedule: {other}"
                )
            }
            Self::TasksLeft(pending) => {
                f.write_str("tasks kept running after the loop was dropped:")?;
                pending.iter().try_for_each(|pending| write!(f, "\n  {pending}"))
            }
            Self::NotDeterministic { before } => {
                f.write_str(
                    "two runs with the same choices differed: the program reads a real clock, a random \
                     number or the order of a hash map, or depends on another thread",
                )?;
                before.iter().try_for_each(|before| write!(f, "\n  the first run failed: {before}"))
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, found_by, events, run_spec, at } = self;
        writeln!(f, "a schedule fails: {}:{}", at.file(), at.line())?;
        writeln!(f, "{cause}")?;
        if let FailureCause::NotDeterministic { .. } = cause {
            return write!(f, "found by {found_by}");
        }
        writeln!(f, "found by {found_by}; repeat the shortest failing run with:")?;
        // The test harness names each thread after its test.
        match std::thread::current().name() {
            Some(test) if test != "main" => {
                writeln!(f, "  {VARIABLE}='{run_spec}' cargo test {test} -- --exact")?;
            }
            _ => writeln!(
                f,
                "  {VARIABLE}='{run_spec}', or forloop::sim::replay(\"{run_spec}\", program)"
            )?,
        }
        let skipped = events.len().saturating_sub(MAX_EVENTS);
        if skipped == 0 {
            write!(f, "events:")?;
        } else {
            write!(f, "the last {MAX_EVENTS} of {} events:", events.len())?;
        }
        events[skipped..].iter().try_for_each(|event| write!(f, "\n{event}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failure {}
