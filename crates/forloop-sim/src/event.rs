//! What happened in a run.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The virtual time.
    pub at: Duration,
    /// What happened.
    pub what: EventKind,
}

/// What happened, and to which task: tasks are numbered as they are spawned, each `block_on` among them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A task came to be.
    Spawned(usize, Label),
    /// A task was woken, and had not been since it was polled last.
    Woken(usize),
    /// A task is polled.
    Polled(usize),
    /// A task has ended.
    Ended(usize),
    /// One of several was chosen.
    Chosen {
        /// Which one, from 0.
        choice: usize,
        /// Of how many.
        options: usize,
    },
    /// The time went on, because nothing could run, to that of the next timers.
    Jumped {
        /// How many timers are due.
        timers: usize,
    },
}

/// What is known of a task or a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The index of its item, if it is the body of a loop; its place among its siblings, if it is the
    /// child of a group.
    pub index: Option<usize>,
    /// Where the loop was written, or the task was spawned.
    pub at: Option<&'static Location<'static>>,
    pub(crate) of_type: &'static str,
}

impl Label {
    /// The function in whose source it is written; empty if its type does not say.
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
        match self.what {
            EventKind::Spawned(task, label) => write!(f, "task {task} spawned: {label}"),
            EventKind::Woken(task) => write!(f, "task {task} woken"),
            EventKind::Polled(task) => write!(f, "task {task} polled"),
            EventKind::Ended(task) => write!(f, "task {task} ended"),
            EventKind::Chosen { choice, options } => write!(f, "choice {choice} of {options}"),
            EventKind::Jumped { timers: 1 } => f.write_str("the time went on to the next timer"),
            EventKind::Jumped { timers } => {
                write!(f, "the time went on to the next {timers} timers")
            }
        }
    }
}

/// What wraps the bodies of loops.
const WRAPPERS: [&str; 2] = ["forloop_core::task::Run<", "forloop_core::place::inline::InlineJob<"];

/// Separates the body of an `InlineJob` from the job's mode.
const MODE: &str = ", forloop_core::place::";

/// The function in whose source a future is written, by the name of its type; empty if that does not say.
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

    use forloop_core::{InlineJob, ParentWakerJob};

    use super::*;

    struct Body;

    #[test]
    fn a_body_has_the_name_of_the_function_it_is_written_in() {
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
