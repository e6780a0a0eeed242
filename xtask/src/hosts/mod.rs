//! `cargo xtask hosts`: builds and runs every program in `examples/hosts` and compares the outputs.
//!
//! The steps, in order: [`options`] parses the command line, [`host`] reads the manifests, [`requirements`]
//! checks what a host requires of the machine, `build` builds the host, `verify::run` runs it, [`mod@judge`]
//! judges the run, and `report` formats the result.

mod build;
pub mod host;
pub mod judge;
pub mod options;
mod report;
pub mod requirements;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use crate::{
    processes::Processes,
    verify::{
        self,
        run::{self, Run},
    },
};

use self::{
    host::{Host, read_optional},
    judge::{Expected, Verdict, judge},
    options::{Options, Request},
    report::{HostResult, Totals},
};

/// The folder of the hosts, which is a workspace of its own.
const FOLDER: &str = "examples/hosts";

/// Runs the command. The exit code is 0 if all hosts agree, 1 if some differ, 2 if one could not run.
pub fn main(arguments: lexopt::Parser) -> ExitCode {
    let done = match options::parse(arguments) {
        Ok(Request::Help) => {
            print!("{}", options::HELP);
            Ok(0)
        }
        Ok(Request::List(names)) => list(&names),
        Ok(Request::Run(options)) => run_all(&options),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn list(names: &[String]) -> Result<u8, String> {
    let processes = Processes::default();
    for host in discover(&verify::workspace().join(FOLDER), names, &processes)? {
        print!("{}", report::list_entry(&host));
    }
    Ok(0)
}

fn run_all(options: &Options) -> Result<u8, String> {
    let processes = Processes::default();
    verify::kill_on_interrupt("hosts", &processes).map_err(|error| error.to_string())?;
    let folder = verify::workspace().join(FOLDER);
    let hosts = discover(&folder, &options.names, &processes)?;
    let width = hosts.iter().map(|host| host.name.len()).max().unwrap_or_default();
    let mut totals = Totals::default();
    for host in &hosts {
        let done = run_one(host, &folder.join("target"), options, &processes)
            .map_err(|error| format!("{}: {error}", host.folder.display()))?;
        totals.count(&done, !options.names.is_empty());
        print!("{}", report::line(host, width, &done));
    }
    println!("{totals}");
    Ok(totals.exit_code())
}

/// Builds and runs a host, if its requirements are met.
fn run_one(
    host: &Host,
    target: &Path,
    options: &Options,
    processes: &Processes,
) -> io::Result<HostResult> {
    if let Some(requirement) = host.needs.iter().find(|requirement| !requirement.is_met(processes))
    {
        return Ok(HostResult::NotRun(requirement.unmet()));
    }
    let program = match build::build(host, target, processes) {
        Ok(program) => program,
        Err(error) => return Ok(HostResult::NotBuilt(error)),
    };
    let run = run::run_program(command(&program, host), options.timeout, processes);
    let (stdout, stderr) =
        (read_optional(&host.expected_out())?, read_optional(&host.expected_err())?);
    let wanted = Expected { exit: host.exit, stdout: stdout.as_deref(), stderr: stderr.as_deref() };
    let verdict = judge(&run, wanted);
    if options.bless && matches!(verdict, Verdict::Differs | Verdict::NoExpected) {
        bless(host, &run, stderr.is_some())?;
        return Ok(HostResult::Blessed);
    }
    Ok(HostResult::Ran { verdict, run, stdout, stderr })
}

/// Returns the command that starts a host, without the environment variables that select a runtime.
fn command(program: &Path, host: &Host) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&host.folder).stdin(Stdio::null()).env("RUST_BACKTRACE", "0");
    for variable in ["FORLOOP_RUNTIME", "FORLOOP_SIM"] {
        command.env_remove(variable);
    }
    command
}

fn bless(host: &Host, run: &Run, with_errors: bool) -> io::Result<()> {
    fs::write(host.expected_out(), &run.stdout)?;
    if with_errors {
        fs::write(host.expected_err(), &run.stderr)?;
    }
    Ok(())
}

/// Finds the hosts in `folder`: the members of its workspace, and the packages that are workspaces of their
/// own because they are built for another machine.
fn discover(folder: &Path, names: &[String], processes: &Processes) -> Result<Vec<Host>, String> {
    let all = build::metadata(folder, processes)?;
    let mut hosts = host::read(&all).map_err(|error| error.to_string())?;
    let packages = all["packages"].as_array().into_iter().flatten();
    let members: BTreeSet<PathBuf> =
        packages.filter_map(|one| Some(one["manifest_path"].as_str()?.into())).collect();
    for manifest in manifests(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        if !members.contains(&manifest) {
            let own = build::metadata(manifest.parent().unwrap_or(folder), processes)?;
            hosts.extend(host::read(&own).map_err(|error| error.to_string())?);
        }
    }
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    let known: Vec<String> = hosts.iter().map(|host| host.name.clone()).collect();
    host::select(hosts, names)
        .map_err(|name| format!("unknown host `{name}`, expected one of: {}", known.join(", ")))
}

/// Returns the manifests of the packages in the folder.
fn manifests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    // Canonical, because the paths are compared with those of `cargo metadata`.
    for entry in fs::read_dir(folder.canonicalize()?)? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.is_file() {
            manifests.push(manifest);
        }
    }
    manifests.sort();
    Ok(manifests)
}
