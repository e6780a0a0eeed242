//! Runs that stop making progress: deadlocks, lost wakes, and programs without end.

use std::fmt;
use std::time::Duration;

use crate::event::Label;

/// No task can run and no timer is set, but some tasks have not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// The virtual time.
    pub at: Duration,
    /// What has not completed: each task, followed by the bodies that wait inside it.
    pub pending: Vec<Pending>,
    /// Those of `pending` that made progress when they were polled without a wake: they missed one.
    pub lost_wakes: Vec<Pending>,
}

/// A task that has not completed, or a body inside one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The number of the task. Tasks are numbered in the order of spawning; a `block_on` counts as one.
    pub task: usize,
    /// The origin of the task or body.
    pub label: Label,
    /// Whether this is the future of a `block_on`.
    pub is_main: bool,
}

/// Why a run stopped making progress.
#[derive(Debug, Clone)]
pub(crate) enum NoProgress {
    Deadlock(Deadlock),
    /// The run reached its limit of steps.
    StepLimit {
        steps: u64,
    },
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, pending, lost_wakes } = self;
        write!(f, "deadlock after {at:?}: nothing could run, no timer was set, and these waited:")?;
        pending.iter().try_for_each(|pending| write!(f, "\n  {pending}"))?;
        if lost_wakes.is_empty() {
            return Ok(());
        }
        f.write_str("\na wake was lost: these made progress when polled without a wake:")?;
        lost_wakes.iter().try_for_each(|pending| write!(f, "\n  {pending}"))
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, label, is_main } = self;
        match is_main {
            true => write!(f, "task {task}, the future of `block_on`"),
            false => write!(f, "task {task}: {label}"),
        }
    }
}

impl fmt::Display for NoProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadlock(deadlock) => deadlock.fmt(f),
            Self::StepLimit { steps } => write!(f, "the program did not complete in {steps} steps"),
        }
    }
}
