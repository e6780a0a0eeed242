//! Pictures of the schedules under which a program fails.

use std::path::PathBuf;
use std::{env, fs};

use forloop_timeline::{Schedule, Timeline};

use crate::event::{EventKind, Label};
use crate::failure::{Failure, FailureCause};

impl Failure {
    /// Returns the schedule as a timeline, with the feature `timeline`: a row for each task, and a step for each poll.
    ///
    /// Its `to_svg` is the picture that [`check`](crate::check), [`agree`](crate::agree) and
    /// [`replay`](crate::replay) write to a file. The task that was polled last is shown as panicked if that is the
    /// [`cause`](Self::cause); tasks that wait in a deadlock are shown as still running.
    ///
    /// # Examples
    ///
    /// ```
    /// use forloop_core::each;
    /// use forloop_sim::Explore;
    ///
    /// let failure = Explore::random(100)
    ///     .run(|sim| async move {
    ///         let stuck = each(0..2).unbounded().on(sim);
    ///         stuck.for_each(|n| async move { if n == 1 { std::future::pending().await } }).await;
    ///     })
    ///     .unwrap_err();
    /// assert!(failure.timeline().to_svg().contains("still running"));
    /// ```
    pub fn timeline(&self) -> Timeline {
        let polled = |kind: &EventKind| match *kind {
            EventKind::Polled(task) => Some(task),
            _ => None,
        };
        let panicked = match self.cause {
            FailureCause::Panicked { .. } => {
                self.events.iter().rev().find_map(|event| polled(&event.kind))
            }
            _ => None,
        };
        // The program itself is the first task.
        let failed = matches!(self.cause, FailureCause::Failed { .. }).then_some(0);
        let mut schedule = Schedule::new();
        for event in &self.events {
            match event.kind {
                EventKind::Spawned(task, label) => schedule.spawned(task, &name(task, label)),
                EventKind::Woken(task) => schedule.woken(task),
                EventKind::Polled(task) => schedule.polled(task),
                EventKind::Completed(task) if panicked == Some(task) => schedule.panicked(task),
                EventKind::Completed(task) if failed == Some(task) => schedule.failed(task),
                EventKind::Completed(task) => schedule.completed(task),
                EventKind::ClockAdvanced { .. } => schedule.clock_advanced(event.at),
                EventKind::Chosen { .. } => {}
            }
        }
        let cause = self.cause.to_string();
        let title = cause.lines().next().unwrap_or_default();
        schedule.timeline().titled(title.trim_end_matches(':'))
    }

    /// Writes the picture beside the program that runs, or else in the folder for temporary files. `None` if that
    /// fails, or if the schedule cannot be repeated.
    pub(crate) fn write_picture(&self) -> Option<PathBuf> {
        if let FailureCause::NotDeterministic { .. } = self.cause {
            return None;
        }
        let svg = self.timeline().to_svg();
        let program = env::current_exe().ok()?;
        // Cargo adds a hash to the name of a test program.
        let stem = program.file_stem()?.to_string_lossy();
        let stem = stem.rsplit_once('-').map_or(&*stem, |(stem, _hash)| stem);
        let name = match std::thread::current().name() {
            Some(test) if test != "main" => format!("{stem}-{}.svg", test.replace("::", "-")),
            _ => format!("{stem}.svg"),
        };
        let folders =
            [program.parent().map(|folder| folder.join("forloop-sim")), Some(env::temp_dir())];
        folders.into_iter().flatten().find_map(|folder| {
            fs::create_dir_all(&folder).ok()?;
            let path = folder.join(&name);
            fs::write(&path, &svg).ok()?;
            Some(path)
        })
    }
}

/// A short name of a task: its number, and where it comes from.
fn name(task: usize, label: Label) -> String {
    let function = label.name().rsplit("::").next().unwrap_or_default();
    match (label.index, function) {
        (Some(index), _) => format!("{task}: body {index}"),
        // The first task is the program.
        (None, "") if task == 0 => format!("{task}: program"),
        (None, "") => format!("{task}: task"),
        (None, function) => format!("{task}: {function}"),
    }
}
