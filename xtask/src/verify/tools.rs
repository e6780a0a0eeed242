//! Finds the programs that we do not build: a Python, and `sha256sum`.

use std::{ffi::OsStr, path::PathBuf, process::Command, time::Duration};

use crate::processes::Processes;

use super::run::{self, End};

/// The oldest Python that knows `asyncio.TaskGroup` and `asyncio.timeout`.
const OLDEST: (u32, u32) = (3, 11);

const ASK_FOR_VERSION: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3])";

/// Finds a Python that is new enough, or says what it needs and what there is.
pub(crate) fn python(processes: &Processes) -> Result<PathBuf, String> {
    let mut found = Vec::new();
    for name in ["python3", "python"] {
        let Some(version) = answer(name, ["-c", ASK_FOR_VERSION], processes) else { continue };
        if is_new_enough(&version) {
            return Ok(name.into());
        }
        found.push(version);
    }
    let (major, minor) = OLDEST;
    let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
    Err(format!("needs python3 >= {major}.{minor}, found {found}"))
}

/// Finds `sha256sum`, or says that there is none.
pub(crate) fn sha256sum(processes: &Processes) -> Result<PathBuf, String> {
    // The hash of nothing: every implementation has it, while not every one knows `--version`.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    match answer("sha256sum", [""; 0], processes) {
        Some(line) if line.starts_with(empty) => Ok("sha256sum".into()),
        Some(_) => Err("needs sha256sum, found one that does not know the hash of nothing".into()),
        None => Err("needs sha256sum, found none".into()),
    }
}

/// What a program prints, if it can be run and succeeds.
fn answer(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    processes: &Processes,
) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null());
    let run = run::watch(command, Duration::from_secs(60), processes);
    (run.end == End::Finished).then(|| String::from_utf8_lossy(&run.stdout).trim().to_owned())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map_while(|part| part.parse().ok());
    let version: Option<(u32, u32)> = parts.next().zip(parts.next());
    version.is_some_and(|version| OLDEST <= version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_not_text() {
        for new in ["3.11.0", "3.12.1", "4.0.0", "3.100.0"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["3.9.18", "3.10.12", "2.7.18", "", "Python", "3"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }
}
