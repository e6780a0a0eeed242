//! Builds one host, with only the features that it enables itself.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    processes::Processes,
    verify::{
        build::{cargo, parse_artifact},
        run::{self, RunStatus},
    },
};

use super::host::Host;

/// The time limit of `cargo metadata`, which may wait for a lock.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Runs `cargo metadata` for the workspace in this folder.
///
/// # Errors
///
/// Why `cargo metadata` failed, with what it printed on standard error.
pub(super) fn metadata(folder: &Path, processes: &Processes) -> Result<Value, String> {
    let mut command = cargo(folder);
    command.args(["metadata", "--format-version", "1", "--no-deps"]);
    let run = run::run_program(command, TIMEOUT, processes);
    let failed = |reason: String| {
        let stderr = String::from_utf8_lossy(&run.stderr);
        format!("`cargo metadata` in {}: {reason}\n{stderr}", folder.display())
    };
    match &run.status {
        RunStatus::Succeeded => {
            serde_json::from_slice(&run.stdout).map_err(|error| failed(error.to_string()))
        }
        failure => Err(failed(failure.to_string())),
    }
}

/// Builds a host and returns the path of its executable.
///
/// Each host is built separately. In one build Cargo would unify the features of all hosts, and a host shows
/// which features it needs.
///
/// # Errors
///
/// The exit status of the build. `cargo` has printed the reason.
pub(super) fn build(host: &Host, target: &Path, processes: &Processes) -> Result<PathBuf, String> {
    let mut command = command(host, target);
    command.stdout(Stdio::piped());
    let mut running = processes.start(&mut command).map_err(|error| error.to_string())?;
    let mut built = None;
    let stdout = running.stdout.take().map(BufReader::new);
    for line in stdout.into_iter().flat_map(|stdout| stdout.split(b'\n')) {
        let line = line.map_err(|error| error.to_string())?;
        // Dependencies are built first, so the last executable is the host's.
        built = parse_artifact(&line).map(|(_, program)| program).or(built);
    }
    let status = running.wait().map_err(|error| error.to_string())?;
    match built {
        _ if !status.success() => Err(format!("`cargo build -p {}`: {status}", host.name)),
        Some(program) => Ok(program),
        None => Err(format!("`cargo build -p {}` built no executable", host.name)),
    }
}

fn command(host: &Host, target: &Path) -> Command {
    let mut command = cargo(&host.folder);
    command.args(["build", "--package", &host.name, "--message-format=json-render-diagnostics"]);
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        // All hosts share it, including those that are workspaces of their own.
        command.env("CARGO_TARGET_DIR", target);
    }
    command
}
