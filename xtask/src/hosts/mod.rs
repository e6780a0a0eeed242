//! `cargo xtask hosts`: every program in `examples/hosts`, and whether it does what it is to do.
//!
//! The steps, in their order: [`options`] reads the command line, [`host`] reads what the manifests say,
//! [`requirements`] asks whether the machine has what a host needs, `build` builds it, the code of `verify` runs
//! it, [`mod@judge`] judges the run, and `report` tells.

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
    host::{Host, expected},
    judge::{Expected, Verdict, judge},
    options::{Options, Request},
    report::{Done, Tally},
};

/// Where the hosts are: a workspace by itself.
const FOLDER: &str = "examples/hosts";

/// Runs the command and tells how it went: 0 all agree, 1 some differ, 2 could not run.
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
        print!("{}", report::listed(&host));
    }
    Ok(0)
}

fn run_all(options: &Options) -> Result<u8, String> {
    let processes = Processes::default();
    verify::end_with_us("hosts", &processes).map_err(|error| error.to_string())?;
    let folder = verify::workspace().join(FOLDER);
    let hosts = discover(&folder, &options.names, &processes)?;
    let width = hosts.iter().map(|host| host.name.len()).max().unwrap_or_default();
    let mut tally = Tally::default();
    for host in &hosts {
        let done = run_one(host, &folder.join("target"), options, &processes)
            .map_err(|error| format!("{}: {error}", host.folder.display()))?;
        tally.count(&done, !options.names.is_empty());
        print!("{}", report::line(host, width, &done));
    }
    println!("{tally}");
    Ok(tally.exit_code())
}

/// Builds and runs a host, if the machine has what it needs.
fn run_one(
    host: &Host,
    target: &Path,
    options: &Options,
    processes: &Processes,
) -> io::Result<Done> {
    if let Some(requirement) = host.needs.iter().find(|requirement| !requirement.is_met(processes))
    {
        return Ok(Done::NotRun(requirement.absence()));
    }
    let program = match build::build(host, target, processes) {
        Ok(program) => program,
        Err(why) => return Ok(Done::NotBuilt(why)),
    };
    let run = run::watch(command(&program, host), options.limit, processes);
    let (stdout, stderr) = (expected(&host.expected_out())?, expected(&host.expected_err())?);
    let wanted = Expected { exit: host.exit, stdout: stdout.as_deref(), stderr: stderr.as_deref() };
    let verdict = judge(&run, wanted);
    if options.bless && matches!(verdict, Verdict::Differs | Verdict::NoExpected) {
        bless(host, &run, stderr.is_some())?;
        return Ok(Done::Blessed);
    }
    Ok(Done::Ran { verdict, run, stdout, stderr })
}

/// The command that starts a host, which nothing in our environment tells what to do.
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

/// The hosts of the workspace in `folder`, and of packages in it that are workspaces by themselves, because
/// what they build is not for this machine.
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
        .map_err(|name| format!("no host `{name}`; there are: {}", known.join(", ")))
}

/// The manifests of the packages in the folder.
fn manifests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    // As `cargo` names them.
    for entry in fs::read_dir(folder.canonicalize()?)? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.is_file() {
            manifests.push(manifest);
        }
    }
    manifests.sort();
    Ok(manifests)
}
