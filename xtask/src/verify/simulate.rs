//! Runs a program in the simulated runtime, under a schedule that it is given.

use std::{
    ffi::OsString,
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::processes::Processes;

use super::{
    Launch,
    options::Options,
    run,
    schedule::{self, Schedule},
    sweep::Simulated,
};

/// How many simulated runs go on at once: they compute, but each is waited for a little when it has ended.
pub(crate) fn at_once() -> NonZeroUsize {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    cores.saturating_add(cores.get())
}

/// Runs a program once, under this schedule, in a process of its own.
///
/// A backtrace takes 80 ms, fifty times as long as a short program, and an example that catches a panic
/// prints one in each of 1,200 runs. So there are none, unless the command line asks for one schedule: the
/// line that repeats a failure keeps the caller's `RUST_BACKTRACE`.
pub(crate) fn simulate(
    launch: &Launch,
    schedule: &Schedule,
    options: &Options,
    processes: &Processes,
) -> Simulated {
    let path = choices_path(launch);
    let mut command = launch.command();
    command.env("FORLOOP_SIM", schedule.to_string()).env("FORLOOP_SIM_CHOICES", &path);
    if options.schedule.is_none() {
        command.env("RUST_BACKTRACE", "0");
    }
    let run = run::watch(command, options.limit, processes);
    let chosen = fs::read(&path).ok().and_then(|text| schedule::chosen(&text));
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
