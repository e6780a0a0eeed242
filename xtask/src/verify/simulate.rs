//! Runs a program in the simulated runtime, under one schedule.

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

/// The number of concurrent simulated runs. It is twice the number of cores, because each run ends with a
/// short wait for its exit.
pub(crate) fn concurrency() -> NonZeroUsize {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    cores.saturating_add(cores.get())
}

/// Runs a program once, under this schedule, in a process of its own.
///
/// Backtraces are disabled unless the command line selects one schedule. A backtrace takes 80 ms, fifty times
/// as long as a short program, and an example that catches a panic would print one in each of 1,200 runs. The
/// command that repeats a failure selects one schedule, so it respects the caller's `RUST_BACKTRACE`.
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
    let run = run::run_program(command, options.timeout, processes);
    let choices = fs::read(&path).ok().and_then(|text| schedule::parse_choice_log(&text));
    // An error means that the program did not write it, because it failed.
    let _ = fs::remove_file(&path);
    Simulated { run, choices }
}

/// Returns a path for the choices of one run, beside the copy of the program.
fn choices_path(launch: &Launch) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut path = OsString::from(&launch.program);
    path.push(format!(".{}.{}.choices", process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.into()
}
