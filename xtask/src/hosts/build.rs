//! Builds a host alone, with the features it asks for and no other's.

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
        build::{cargo, program},
        run::{self, End},
    },
};

use super::host::Host;

/// Reading some manifests takes less.
const SOON: Duration = Duration::from_secs(600);

/// What `cargo` says of the packages of the workspace in this folder.
///
/// # Errors
///
/// Why it says nothing.
pub(super) fn metadata(folder: &Path, processes: &Processes) -> Result<Value, String> {
    let mut command = cargo(folder);
    command.args(["metadata", "--format-version", "1", "--no-deps"]);
    let run = run::watch(command, SOON, processes);
    let failed = |how: String| {
        let said = String::from_utf8_lossy(&run.stderr);
        format!("`cargo metadata` in {}: {how}\n{said}", folder.display())
    };
    match &run.end {
        End::Finished => {
            serde_json::from_slice(&run.stdout).map_err(|error| failed(error.to_string()))
        }
        end => Err(failed(format!("{end:?}"))),
    }
}

/// Builds a host and returns its program.
///
/// Each is built by itself: built together, a package would have the features of all the others, and hosts
/// are there to show which ones they need.
///
/// # Errors
///
/// How the build ended; `cargo` has said why.
pub(super) fn build(host: &Host, target: &Path, processes: &Processes) -> Result<PathBuf, String> {
    let mut command = command(host, target);
    command.stdout(Stdio::piped());
    let mut running = processes.start(&mut command).map_err(|error| error.to_string())?;
    let mut built = None;
    let stdout = running.stdout.take().map(BufReader::new);
    for line in stdout.into_iter().flat_map(|stdout| stdout.split(b'\n')) {
        let line = line.map_err(|error| error.to_string())?;
        // Behind those it depends on, its own program comes last.
        built = program(&line).map(|(_, program)| program).or(built);
    }
    let status = running.wait().map_err(|error| error.to_string())?;
    match built {
        _ if !status.success() => Err(format!("`cargo build -p {}`: {status}", host.name)),
        Some(program) => Ok(program),
        None => Err(format!("`cargo build -p {}` made no program", host.name)),
    }
}

fn command(host: &Host, target: &Path) -> Command {
    let mut command = cargo(&host.folder);
    command.args(["build", "--package", &host.name, "--message-format=json-render-diagnostics"]);
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        // One for all of them, also for those that are workspaces by themselves.
        command.env("CARGO_TARGET_DIR", target);
    }
    command
}
