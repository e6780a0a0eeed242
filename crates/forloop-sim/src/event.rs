//! The events of a run.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The virtual time.
    pub at: Duration,
    /// The kind of the event.
    pub kind: EventKind,
}

/// The kind of an event, and its task. Tasks are numbered in the order of spawning; a `block_on` counts as
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A task was spawned.
    Spawned(usize, Label),
    /// A task was woken, for the first time since its last poll.
    Woken(usize),
    /// A task is polled.
    Polled(usize),
    /// A task completed.
    Completed(usize),
    /// One of several options was chosen.
    Chosen {
        /// The index of the option, starting at 0.
        choice: usize,
        /// The number of options.
        options: usize,
    },
    /// No task could run, and the clock advanced to the next timers.
    ClockAdvanced {
        /// The number of timers that are due.
        timers: usize,
    },
}

/// The origin of a task or a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The index of its item, for the body of a loop; its position among its siblings, for the child of a
    /// group.
    pub index: Option<usize>,
    /// The line that created the loop or spawned the task.
    pub at: Option<&'static Location<'static>>,
    pub(crate) of_type: &'static str,
}

impl Label {
    /// The path of the function that the future was written in; empty if the name of its type lacks it.
    pub fn name(&self) -> &'static str {
        name_of(self.of_type)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "body {index}")?,
            None => f.write_str("a task")?,
        }
        match self.name() {
            "" => {}
            name => write!(f, " of {name}")?,
        }
        match self.at {
            Some(at) => write!(f, ", at {}:{}", at.file(), at.line()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.6} s  ", self.at.as_secs_f64())?;
        match self.kind {
            EventKind::Spawned(task, label) => write!(f, "task {task} spawned: {label}"),
            EventKind::Woken(task) => write!(f, "task {task} woken"),
            EventKind::Polled(task) => write!(f, "task {task} polled"),
            EventKind::Completed(task) => write!(f, "task {task} completed"),
            EventKind::Chosen { choice, options } => write!(f, "choice {choice} of {options}"),
            EventKind::ClockAdvanced { timers: 1 } => {
                f.write_str("the clock advanced to the next timer")
            }
            EventKind::ClockAdvanced { timers } => {
                write!(f, "the clock advanced to the next {timers} timers")
            }
        }
    }
}

/// What wraps the bodies of loops.
const WRAPPERS: [&str; 2] = ["forloop_core::task::Run<", "forloop_core::place::inline::InlineJob<"];

/// Separates the body of an `InlineJob` from the job's mode.
const MODE: &str = ", forloop_core::place::";

/// Extracts the path of a function from the name of its future's type; empty if the name lacks it.
fn name_of(of_type: &'static str) -> &'static str {
    let unwrapped = |wrapper| of_type.strip_prefix(wrapper)?.strip_suffix('>');
    let inner = WRAPPERS.into_iter().find_map(unwrapped).unwrap_or(of_type);
    let inner = inner.rsplit_once(MODE).map_or(inner, |(body, _mode)| body);
    match inner.split("::{{closure}}").next() {
        Some(name) if !name.contains(['<', '(', ' ']) => name,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use core::any::type_name;

    use forloop_core::places::{InlineJob, ParentWakerJob};

    use super::*;

    struct Body;

    #[test]
    fn a_body_is_named_after_the_function_it_is_written_in() {
        for (of_type, name) in [
            ("app::work::{{closure}}::{{closure}}", "app::work"),
            ("forloop_core::task::Run<app::work::{{closure}}>", "app::work"),
            ("app::Body", "app::Body"),
            (type_name::<InlineJob<Body>>(), "forloop_sim::event::tests::Body"),
            (type_name::<ParentWakerJob<Body>>(), "forloop_sim::event::tests::Body"),
            ("core::pin::Pin<alloc::boxed::Box<dyn Future>>", ""),
        ] {
            assert_eq!(name_of(of_type), name);
        }
    }
}
