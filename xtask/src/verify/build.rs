//! Builds the examples once per feature, and copies the programs to a folder per feature.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs, io,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::processes::Processes;

use super::{
    backend::SIM,
    error::VerifyError,
    run::{self, RunStatus},
};

const PACKAGE: &str = "forloop-examples";

/// The executables of one feature, by the name of the example.
pub(crate) type Programs = BTreeMap<String, PathBuf>;

/// Builds the examples of one workspace.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    root: &'a Path,
    processes: &'a Processes,
    target: PathBuf,
}

impl<'a> Builder<'a> {
    /// Reads the target directory from `cargo metadata`.
    pub(crate) fn new(root: &'a Path, processes: &'a Processes) -> Result<Self, VerifyError> {
        let arguments = ["metadata", "--format-version", "1", "--no-deps"];
        let failed = |why| VerifyError::Cargo { arguments: arguments.join(" "), why };
        let mut command = cargo(root);
        command.args(arguments);
        let run = run::run_program(command, Duration::from_secs(600), processes);
        if run.status != RunStatus::Succeeded {
            let stderr = String::from_utf8_lossy(&run.stderr);
            return Err(failed(format!("{}\n{stderr}", run.status)));
        }
        let metadata: Option<Value> = serde_json::from_slice(&run.stdout).ok();
        let target = metadata.as_ref().and_then(|metadata| metadata["target_directory"].as_str());
        let target =
            target.ok_or_else(|| failed("no target directory in its output".to_owned()))?;
        Ok(Self { root, processes, target: target.into() })
    }

    /// Builds these examples with one feature, or all examples if `only` is empty.
    ///
    /// The build with the next feature overwrites the executables, so they are copied to a folder of their
    /// own.
    pub(crate) fn build(&self, feature: &str, only: &[String]) -> Result<Programs, VerifyError> {
        let arguments = arguments(feature, only);
        let mut command = cargo(self.root);
        command.args(&arguments).stdout(Stdio::piped());
        let failed = |why: String| VerifyError::Cargo { arguments: arguments.join(" "), why };
        let mut running =
            self.processes.start(&mut command).map_err(|error| failed(error.to_string()))?;

        let folder = self.target.join("verify").join(feature);
        fs::create_dir_all(&folder)
            .map_err(|source| VerifyError::Write { path: folder.clone(), source })?;
        let mut programs = Programs::new();
        let stdout = running.stdout.take().map(BufReader::new);
        for line in stdout.into_iter().flat_map(|stdout| stdout.split(b'\n')) {
            let line = line.map_err(|error| failed(error.to_string()))?;
            let Some((name, built)) = parse_artifact(&line) else { continue };
            // Copied now, while `cargo` holds its lock: another build may start as soon as it is released.
            let copy = copy_program(&built, &folder)
                .map_err(|source| VerifyError::Write { path: folder.clone(), source })?;
            programs.insert(name, copy);
        }
        let status = running.wait().map_err(|error| failed(error.to_string()))?;
        if !status.success() {
            return Err(failed(status.to_string()));
        }
        Ok(programs)
    }
}

pub(crate) fn cargo(root: &Path) -> Command {
    // The cargo that started this process, if any.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(root).stdin(Stdio::null());
    command
}

fn arguments(feature: &str, only: &[String]) -> Vec<String> {
    let mut arguments = vec!["build", "-p", PACKAGE];
    if only.is_empty() {
        arguments.push("--bins");
    }
    for example in only {
        arguments.extend(["--bin", example]);
    }
    arguments.extend(["--no-default-features", "--features", feature]);
    if feature == SIM {
        // A simulated program is built once and runs a thousand times.
        arguments.extend(["--config", "profile.dev.opt-level=1"]);
    }
    arguments.push("--message-format=json-render-diagnostics");
    arguments.into_iter().map(str::to_owned).collect()
}

/// Returns the name and the path of an executable, if this message of `cargo` reports one.
pub(crate) fn parse_artifact(message: &[u8]) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_slice(message).ok()?;
    let is_program = message["reason"] == "compiler-artifact"
        && message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bin");
    let executable = message["executable"].as_str()?;
    is_program.then(|| Some((message["target"]["name"].as_str()?.to_owned(), executable.into())))?
}

/// Copies a program into the folder. The rename is atomic, so a running copy is not affected.
fn copy_program(built: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = built.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let copy = folder.join(name);
    let fresh = folder.join(format!("{}.{}.new", name.display(), std::process::id()));
    fs::copy(built, &fresh)?;
    fs::rename(&fresh, &copy)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_about_programs_are_parsed() {
        let artifact = |kind: &str, executable: Value| {
            serde_json::json!({
                "reason": "compiler-artifact",
                "target": { "name": "gather", "kind": [kind] },
                "executable": executable,
            })
            .to_string()
        };
        let built = parse_artifact(artifact("bin", "/target/debug/gather".into()).as_bytes());
        assert_eq!(built, Some(("gather".to_owned(), "/target/debug/gather".into())));
        assert_eq!(parse_artifact(artifact("lib", Value::Null).as_bytes()), None);
        assert_eq!(
            parse_artifact(artifact("test", "/target/debug/gather".into()).as_bytes()),
            None
        );
        assert_eq!(parse_artifact(br#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(parse_artifact(b"not JSON: a build script printed it"), None);
    }

    #[test]
    fn only_selected_examples_are_built() {
        let all = arguments("tokio", &[]).join(" ");
        assert!(all.contains("--bins") && all.contains("--features tokio"), "{all}");
        let some = arguments("smol", &["a".to_owned(), "b".to_owned()]).join(" ");
        assert!(some.contains("--bin a --bin b") && !some.contains("--bins"), "{some}");
        assert!(!some.contains("opt-level") && arguments(SIM, &[]).join(" ").contains("opt-level"));
    }
}
