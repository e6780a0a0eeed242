//! Finds the tools that are not built here: Python, `sha256sum` and `redis-server`.

use std::{ffi::OsStr, path::PathBuf, process::Command, time::Duration};

use crate::processes::Processes;

use super::run::{self, RunStatus};

/// The first version of Python with `asyncio.TaskGroup` and `asyncio.timeout`.
const MIN_VERSION: (u32, u32) = (3, 11);

const PRINT_VERSION: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3])";

/// Finds a Python that is new enough. Otherwise returns the required version and the ones found.
pub(crate) fn python(processes: &Processes) -> Result<PathBuf, String> {
    let mut found = Vec::new();
    for name in ["python3", "python"] {
        let Some(version) = stdout_of(name, ["-c", PRINT_VERSION], processes) else { continue };
        if is_new_enough(&version) {
            return Ok(name.into());
        }
        found.push(version);
    }
    let (major, minor) = MIN_VERSION;
    let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
    Err(format!("requires python3 >= {major}.{minor}, found {found}"))
}

/// Finds `sha256sum`. Otherwise returns why it cannot be used.
pub(crate) fn sha256sum(processes: &Processes) -> Result<PathBuf, String> {
    // The hash of the empty input: not every implementation supports `--version`.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    match stdout_of("sha256sum", [""; 0], processes) {
        Some(line) if line.starts_with(empty) => Ok("sha256sum".into()),
        Some(_) => Err("requires sha256sum, found one with a wrong hash of the empty input".into()),
        None => Err("requires sha256sum, found none".into()),
    }
}

/// Finds `redis-server`. Otherwise returns why it cannot be used.
pub(crate) fn redis_server(processes: &Processes) -> Result<PathBuf, String> {
    match stdout_of("redis-server", ["--version"], processes) {
        Some(_) => Ok("redis-server".into()),
        None => Err("requires redis-server, found none".into()),
    }
}

/// Returns the standard output of a program, or `None` if it cannot be run or fails.
fn stdout_of(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    processes: &Processes,
) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null());
    let run = run::run_program(command, Duration::from_secs(60), processes);
    (run.status == RunStatus::Succeeded)
        .then(|| String::from_utf8_lossy(&run.stdout).trim().to_owned())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map_while(|part| part.parse().ok());
    let version: Option<(u32, u32)> = parts.next().zip(parts.next());
    version.is_some_and(|version| MIN_VERSION <= version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for new in ["3.11.0", "3.12.1", "4.0.0", "3.100.0"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["3.9.18", "3.10.12", "2.7.18", "", "Python", "3"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }
}
