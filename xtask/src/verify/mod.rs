//! `cargo xtask verify`: runs every example on every backend and compares the outputs.
//!
//! The steps, in order: [`options`] parses the command line, [`example`] finds the examples and parses their
//! [`directive`]s, `plan` decides which programs to run (`tools` finds them, `build` builds them), [`run`]
//! runs them concurrently ([`remote`] runs one with workers), [`sweep`] runs simulated programs (`simulate`) under many schedules, [`judge`]
//! judges each run, [`bless`] decides which expected outputs are written, and `report` formats the results.

pub mod backend;
pub mod bless;
pub(crate) mod build;
pub mod directive;
mod error;
pub mod example;
pub mod explored;
pub mod judge;
mod launch;
pub mod normalise;
pub mod options;
mod plan;
mod progress;
pub mod remote;
mod report;
pub mod run;
pub mod schedule;
mod simulate;
pub mod sweep;
mod tools;

pub use error::VerifyError;
pub use launch::Launch;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use crate::processes::Processes;

use self::{
    backend::Backend,
    bless::Blessing,
    directive::Directives,
    judge::Reference,
    options::{Options, Request},
    plan::{Plan, Row, Slot},
    progress::Progress,
    report::{Report, ReportedRow},
    run::Run,
    sweep::{Sweep, SweepReport},
};

/// The exit code of a command that was interrupted.
const INTERRUPTED: i32 = 130;

/// Runs the command. The exit code is 0 if all backends agree, 1 if some differ, 2 on an error.
pub fn main(arguments: lexopt::Parser) -> ExitCode {
    let done = match options::parse(arguments) {
        Ok(Request::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Verify(options)) => verify(&options),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn verify(options: &Options) -> Result<u8, VerifyError> {
    let processes = Processes::default();
    kill_on_interrupt("verify", &processes)?;
    let root = workspace();
    let progress = Progress::on_stderr();

    let examples = example::select(example::discover(&root)?, &options.examples)?;
    let plan = Plan::make(&root, examples, options, &processes, &progress)?;

    let launches: Vec<&Launch> = plan.launches().filter(|launch| !launch.is_simulated()).collect();
    let (programs, started) = (launches.len() * options.rounds.get() as usize, Instant::now());
    let mut runs = Vec::new();
    if 0 < programs {
        progress.runs_begin(programs);
        runs = run::run_all(&launches, options.rounds, options.timeout, &processes, |done| {
            progress.runs_progress(done, programs, started.elapsed());
        });
    }
    // After the other programs: their timers are real, and the load of simulations would delay them.
    let sweeps = run_sweeps(&plan, options, &processes, &progress);
    let elapsed = started.elapsed();
    progress.runs_end();

    let simulated: u64 = sweeps.iter().map(|report| report.explored.runs).sum();
    let (mut runs, mut sweeps) = (runs.into_iter(), sweeps.into_iter());
    let rows = plan.rows.into_iter();
    let rows = rows.map(|row| judge_row(row, &plan.backends, &mut runs, &mut sweeps, options));
    let report = Report {
        rows: rows.collect(),
        backends: plan.backends,
        unavailable: plan.unavailable,
        runs: programs as u64 + simulated,
        elapsed,
        options,
    };
    write_blessed(&root, &report)?;
    print_report(&report).map_err(VerifyError::Report)?;
    Ok(report.exit_code())
}

/// Kills every child and exits when this process receives SIGINT, SIGTERM or SIGHUP.
pub(crate) fn kill_on_interrupt(
    command: &'static str,
    processes: &Processes,
) -> Result<(), VerifyError> {
    let processes = processes.clone();
    let interrupted = move || {
        // On a line of its own, below the progress line. An error means that stderr is closed.
        let _ = writeln!(io::stderr(), "\n{command}: interrupted");
        processes.kill_all_and_exit(INTERRUPTED)
    };
    ctrlc::set_handler(interrupted).map_err(VerifyError::Handler)
}

/// Returns the root of the workspace.
///
/// `cargo run` sets `CARGO_MANIFEST_DIR` to the package's current folder, which is right even if the folder
/// was moved after the build.
pub(crate) fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let package = package.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

/// Runs every simulated program under many schedules, one program after the other.
fn run_sweeps(
    plan: &Plan,
    options: &Options,
    processes: &Processes,
    progress: &Progress,
) -> Vec<SweepReport> {
    let launches = plan.rows.iter().flat_map(|row| {
        let launches = row.launches().filter(|launch| launch.is_simulated());
        launches.map(|launch| (&row.example.directives, launch))
    });
    let launches: Vec<(&Directives, &Launch)> = launches.collect();
    if launches.is_empty() {
        return Vec::new();
    }
    progress.simulations_begin(launches.len());
    let mut sweeps = Vec::new();
    for &(directives, launch) in &launches {
        sweeps.push(sweep::sweep(
            Sweep::new(options, directives),
            simulate::concurrency(),
            |schedule| simulate::simulate(launch, schedule, options, processes),
        ));
        progress.simulations_progress(sweeps.len(), launches.len());
    }
    sweeps
}

/// Judges a row, whose runs are the next ones of both iterators.
fn judge_row(
    row: Row,
    backends: &[Backend],
    runs: &mut impl Iterator<Item = Vec<Run>>,
    sweeps: &mut impl Iterator<Item = SweepReport>,
    options: &Options,
) -> ReportedRow {
    let Row { example, slots } = row;
    let mut ran = Vec::new();
    let mut unavailable = Vec::new();
    let mut explored = None;
    for (&backend, slot) in backends.iter().zip(slots) {
        match slot {
            Slot::DoesNotApply => {}
            Slot::NotRun => unavailable.push(backend),
            Slot::Program(launch) if launch.is_simulated() => {
                let Some(report) = sweeps.next() else { continue };
                explored = Some(report.explored);
                ran.extend(report.runs.into_iter().map(|run| (backend, run)));
            }
            Slot::Program(_) => {
                // `runs` has one list for each program, in the order of the programs.
                let rounds = runs.next().into_iter().flatten();
                ran.extend(rounds.map(|run| (backend, run)));
            }
        }
    }
    let reference = match &example.expected {
        _ if options.bless => Reference::EachOther,
        Some(expected) => Reference::File(expected),
        None => Reference::Missing,
    };
    let judged = judge::judge(ran, reference, &example.directives.any_order);
    let blessing =
        options.bless.then(|| bless::decide(example.expected.as_deref(), &unavailable, &judged));
    ReportedRow { example, judged, unavailable, explored, blessing }
}

fn write_blessed(root: &Path, report: &Report<'_>) -> Result<(), VerifyError> {
    for row in &report.rows {
        if let Some(Blessing::Write(output)) = &row.blessing {
            let path = root.join(row.example.expected_path());
            fs::write(&path, output).map_err(|source| VerifyError::Write { path, source })?;
        }
    }
    Ok(())
}

fn print_report(report: &Report<'_>) -> io::Result<()> {
    if report.options.json {
        report::human::write(&mut io::stderr().lock(), report)?;
        let mut stdout = io::stdout().lock();
        serde_json::to_writer_pretty(&mut stdout, &report::json::value(report))?;
        return writeln!(stdout);
    }
    report::human::write(&mut io::stdout().lock(), report)
}
