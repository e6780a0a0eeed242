//! A run that has failed, and how to repeat it.

use std::error::Error;
use std::fmt;
use std::mem::discriminant;
use std::panic::Location;

use crate::deadlock::{Deadlock, NoProgress, Pending};
use crate::event::Event;
use crate::run_spec::{RunSpec, VARIABLE};

/// Why a run has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The program has panicked.
    Panicked {
        /// What the panic said.
        message: String,
        /// Where, if that is known.
        at: Option<String>,
    },
    /// The program has returned an error.
    Failed {
        /// The error, for debugging.
        error: String,
    },
    /// Nothing could run, no timer was set, and something waited.
    Deadlock(Box<Deadlock>),
    /// The program took more steps than it may.
    Endless {
        /// How many it may take.
        steps: u64,
    },
    /// The program has given something else than under the first schedule.
    Disagrees {
        /// What it gave first, for debugging.
        first: String,
        /// What it gave this time.
        here: String,
    },
    /// The program was dropped, and tasks that it had started go on.
    Orphans(Vec<Pending>),
    /// The same choices have led to another run: the program reads a real clock, a random number, the
    /// order of a hash map, or what another thread does.
    NotDeterministic {
        /// What was wrong with the run before it was repeated, if anything was.
        before: Option<Box<Self>>,
    },
}

/// A schedule under which a program fails.
///
/// Its `Display` is a report: what happened, how to repeat it, and the last events.
#[non_exhaustive]
pub struct Failure {
    /// What happened.
    pub cause: Cause,
    /// What has found it: `seed 42`, `schedule 17`.
    pub found_by: String,
    /// The events of the shortest run found that fails.
    pub events: Vec<Event>,
    pub(crate) run_spec: Box<RunSpec>,
    pub(crate) at: &'static Location<'static>,
}

/// As many events are shown at most.
const SHOWN: usize = 60;

impl From<NoProgress> for Cause {
    fn from(deadlock: NoProgress) -> Self {
        match deadlock {
            NoProgress::Deadlock(deadlock) => Self::Deadlock(Box::new(deadlock)),
            NoProgress::Endless { steps } => Self::Endless { steps },
        }
    }
}

impl Cause {
    /// Whether this is the same failure, as far as can be told.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panicked { at: here, .. }, Self::Panicked { at: there, .. }) => here == there,
            (Self::Deadlock(here), Self::Deadlock(there)) => {
                here.went_on.is_empty() == there.went_on.is_empty()
            }
            _ => discriminant(self) == discriminant(other),
        }
    }
}

impl Failure {
    /// What repeats the run, as `FORLOOP_SIM` and [`replay`](crate::replay) read it: the choices that are
    /// not what comes first, as few as were found.
    pub fn repeated_by(&self) -> String {
        self.run_spec.to_string()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message, at: Some(at) } => write!(f, "panic at {at}: {message}"),
            Self::Panicked { message, at: None } => write!(f, "panic: {message}"),
            Self::Failed { error } => write!(f, "error: {error}"),
            Self::Deadlock(deadlock) => deadlock.fmt(f),
            Self::Endless { steps } => write!(f, "no end after {steps} steps"),
            Self::Disagrees { first, here } => {
                write!(
                    f,
                    "another answer\n  under the first schedule: {first}\n  under this one: {here}"
                )
            }
            Self::Orphans(pending) => {
                f.write_str("the loop was dropped, and these tasks go on:")?;
                pending.iter().try_for_each(|pending| write!(f, "\n  {pending}"))
            }
            Self::NotDeterministic { before } => {
                f.write_str(
                    "not deterministic: the same choices led to another run. It reads a real clock, a \
                     random number, the order of a hash map, or what another thread does",
                )?;
                before.iter().try_for_each(|before| write!(f, "\n  before, it was: {before}"))
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, found_by, events, run_spec, at } = self;
        writeln!(f, "a schedule was found under which this fails: {}:{}", at.file(), at.line())?;
        writeln!(f, "{cause}")?;
        if let Cause::NotDeterministic { .. } = cause {
            return write!(f, "found by {found_by}");
        }
        writeln!(f, "found by {found_by}; to repeat the shortest run found that fails:")?;
        // The thread of a test has its name.
        match std::thread::current().name() {
            Some(test) if test != "main" => {
                writeln!(f, "  {VARIABLE}='{run_spec}' cargo test {test} -- --exact")?;
            }
            _ => writeln!(
                f,
                "  {VARIABLE}='{run_spec}', or forloop::sim::replay(\"{run_spec}\", program)"
            )?,
        }
        let skipped = events.len().saturating_sub(SHOWN);
        if skipped == 0 {
            write!(f, "its events:")?;
        } else {
            write!(f, "its last {SHOWN} events of {}:", events.len())?;
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
