//! Runs a program in the simulated runtime, under a schedule that it is given.

use std::{
    ffi::OsString,
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use crate::processes::Processes;

use super::{
    Launch, run,
    schedule::{self, Schedule},
    sweep::Simulated,
};

/// How many simulated runs go on at once: they compute, but each is waited for a little when it has ended.
pub(crate) fn at_once() -> NonZeroUsize {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    cores.saturating_add(cores.get())
}

/// Runs a program once, under this schedule.
pub(crate) fn simulate(
    launch: &Launch,
    schedule: &Schedule,
    limit: Duration,
    processes: &Processes,
) -> Simulated {
    let path = choices_path(launch);
    let mut command = launch.command();
    command.env("FORLOOP_SIM", schedule.to_string()).env("FORLOOP_SIM_CHOICES", &path);
    let run = run::watch(command, limit, processes);
    let chosen = fs::read_to_string(&path).ok().and_then(|text| schedule::chosen(&text));
    // It is not there if the program did not come to its end.
    let _ = fs::remove_file(&path);
    Simulated { run, chosen }
}

/// A file for the choices of one run, beside our copy of the program.
fn choices_path(launch: &Launch) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut path = OsString::from(&launch.program);
    path.push(format!(".{}.{}.choices", process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.into()
}
