//! `cargo xtask verify`: every example on every backend, and whether they give the same answer.
//!
//! The steps, in their order: [`options`] reads the command line, [`example`] finds the examples and
//! reads their [`directive`]s, `plan` decides which programs to run (`tools` and `build` make them),
//! [`run`] runs them side by side, [`sweep`] runs what is simulated (`simulate`) under many schedules,
//! [`judge`] judges each run, [`bless`] decides what may be written,
//! and `report` tells.

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
mod report;
pub mod run;
pub mod schedule;
mod simulate;
pub mod sweep;
mod tools;

pub use error::CannotVerify;
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

/// Runs the command and tells how it went: 0 all agree, 1 some differ, 2 could not verify.
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

fn verify(options: &Options) -> Result<u8, CannotVerify> {
    let processes = Processes::default();
    end_with_us("verify", &processes)?;
    let root = workspace();
    let progress = Progress::on_stderr();

    let examples = example::select(example::discover(&root)?, &options.examples)?;
    let plan = Plan::make(&root, examples, options, &processes, &progress)?;

    let launches: Vec<&Launch> = plan.launches().filter(|launch| !launch.is_simulated()).collect();
    let (programs, begun) = (launches.len() * options.rounds.get() as usize, Instant::now());
    let mut runs = Vec::new();
    if 0 < programs {
        progress.runs_begin(programs);
        runs = run::side_by_side(&launches, options.rounds, options.limit, &processes, |done| {
            progress.runs_go_on(done, programs, begun.elapsed());
        });
    }
    // Behind the others, whose timers are real: nothing here makes them late.
    let swept = swept(&plan, options, &processes, &progress);
    let took = begun.elapsed();
    progress.runs_end();

    let simulated: u64 = swept.iter().map(|swept| swept.explored.runs).sum();
    let (mut runs, mut swept) = (runs.into_iter(), swept.into_iter());
    let rows = plan.rows.into_iter();
    let rows = rows.map(|row| judged(row, &plan.backends, &mut runs, &mut swept, options));
    let report = Report {
        rows: rows.collect(),
        backends: plan.backends,
        absent: plan.absent,
        runs: programs as u64 + simulated,
        took,
        options,
    };
    write_blessed(&root, &report)?;
    tell(&report).map_err(CannotVerify::Report)?;
    Ok(report.exit_code())
}

/// Ends every child when somebody asks us to end.
pub(crate) fn end_with_us(
    command: &'static str,
    processes: &Processes,
) -> Result<(), CannotVerify> {
    let processes = processes.clone();
    let interrupted = move || {
        // On a line of its own, whatever was being rewritten. Whoever closed stderr need not know.
        let _ = writeln!(io::stderr(), "\n{command}: interrupted");
        processes.end_all_and_exit(INTERRUPTED)
    };
    ctrlc::set_handler(interrupted).map_err(CannotVerify::Handler)
}

/// The workspace this command belongs to.
///
/// `cargo run` says where the package is now, which is right even if the folder has moved since it
/// was built.
pub(crate) fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let package = package.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

/// Runs every program that is simulated under many schedules, one program after the other.
fn swept(
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
    let mut swept = Vec::new();
    for &(directives, launch) in &launches {
        swept.push(sweep::sweep(
            Sweep::new(options, directives),
            simulate::at_once(),
            |schedule| simulate::simulate(launch, schedule, options, processes),
        ));
        progress.simulations_go_on(swept.len(), launches.len());
    }
    swept
}

/// Judges a row, whose runs are the next ones.
fn judged(
    row: Row,
    backends: &[Backend],
    runs: &mut impl Iterator<Item = Vec<Run>>,
    swept: &mut impl Iterator<Item = SweepReport>,
    options: &Options,
) -> ReportedRow {
    let Row { example, slots } = row;
    let mut ran = Vec::new();
    let mut absent = Vec::new();
    let mut explored = None;
    for (&backend, slot) in backends.iter().zip(slots) {
        match slot {
            Slot::DoesNotApply => {}
            Slot::NotRun => absent.push(backend),
            Slot::Program(launch) if launch.is_simulated() => {
                let Some(swept) = swept.next() else { continue };
                explored = Some(swept.explored);
                ran.extend(swept.runs.into_iter().map(|run| (backend, run)));
            }
            Slot::Program(_) => {
                // There is one list of runs for each program, in the order of the programs.
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
        options.bless.then(|| bless::decide(example.expected.as_deref(), &absent, &judged));
    ReportedRow { example, judged, absent, explored, blessing }
}

fn write_blessed(root: &Path, report: &Report<'_>) -> Result<(), CannotVerify> {
    for row in &report.rows {
        if let Some(Blessing::Write(output)) = &row.blessing {
            let path = root.join(row.example.expected_path());
            fs::write(&path, output).map_err(|source| CannotVerify::Write { path, source })?;
        }
    }
    Ok(())
}

fn tell(report: &Report<'_>) -> io::Result<()> {
    if report.options.json {
        report::human::write(&mut io::stderr().lock(), report)?;
        let mut stdout = io::stdout().lock();
        serde_json::to_writer_pretty(&mut stdout, &report::json::value(report))?;
        return writeln!(stdout);
    }
    report::human::write(&mut io::stdout().lock(), report)
}
