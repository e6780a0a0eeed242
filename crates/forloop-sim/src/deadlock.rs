//! A run that comes to no end.

use std::fmt;
use std::time::Duration;

use crate::event::Label;

/// Nothing can run and no timer is set, but something has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// The virtual time.
    pub at: Duration,
    /// What has not ended: each task, and the bodies that wait inside it.
    pub pending: Vec<Pending>,
    /// Those of them that went on when they were polled although nobody had woken them: a wake was lost.
    pub went_on: Vec<Pending>,
}

/// A task, or a body inside one, that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The number of the task: tasks are numbered as they are spawned, each `block_on` among them.
    pub task: usize,
    /// What is known of it.
    pub label: Label,
    /// Whether it is what a `block_on` waits for.
    pub is_main: bool,
}

/// Why a run comes to no end.
#[derive(Debug, Clone)]
pub(crate) enum NoProgress {
    Deadlock(Deadlock),
    /// It took as many steps as it may.
    Endless {
        steps: u64,
    },
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, pending, went_on } = self;
        write!(f, "deadlock after {at:?}: nothing can run, no timer is set, and these wait:")?;
        pending.iter().try_for_each(|pending| write!(f, "\n  {pending}"))?;
        if went_on.is_empty() {
            return Ok(());
        }
        f.write_str(
            "\na wake was lost: polled again, although nobody had woken them, these went on:",
        )?;
        went_on.iter().try_for_each(|pending| write!(f, "\n  {pending}"))
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, label, is_main } = self;
        match is_main {
            true => write!(f, "task {task}, which everything waits for"),
            false => write!(f, "task {task}: {label}"),
        }
    }
}

impl fmt::Display for NoProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadlock(deadlock) => deadlock.fmt(f),
            Self::Endless { steps } => write!(f, "no end after {steps} steps"),
        }
    }
}
