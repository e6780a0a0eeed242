//! Builds the examples once per feature, and keeps the programs apart.

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
    error::CannotVerify,
    run::{self, End},
};

const PACKAGE: &str = "forloop-examples";

/// The programs of one feature, by the name of the example.
pub(crate) type Programs = BTreeMap<String, PathBuf>;

/// What every build needs.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    root: &'a Path,
    processes: &'a Processes,
    target: PathBuf,
}

impl<'a> Builder<'a> {
    /// Asks `cargo` where it builds.
    pub(crate) fn new(root: &'a Path, processes: &'a Processes) -> Result<Self, CannotVerify> {
        let arguments = ["metadata", "--format-version", "1", "--no-deps"];
        let failed = |why| CannotVerify::Cargo { arguments: arguments.join(" "), why };
        let mut command = cargo(root);
        command.args(arguments);
        let run = run::watch(command, Duration::from_secs(600), processes);
        if run.end != End::Finished {
            return Err(failed(format!("{:?}\n{}", run.end, String::from_utf8_lossy(&run.stderr))));
        }
        let metadata: Option<Value> = serde_json::from_slice(&run.stdout).ok();
        let target = metadata.as_ref().and_then(|metadata| metadata["target_directory"].as_str());
        let target = target.ok_or_else(|| failed("it names no target directory".to_owned()))?;
        Ok(Self { root, processes, target: target.into() })
    }

    /// Builds these examples, or all of them if none is named, with one feature.
    ///
    /// The next build overwrites what this one makes, so the programs are copied to a folder of the
    /// feature.
    pub(crate) fn build(&self, feature: &str, only: &[String]) -> Result<Programs, CannotVerify> {
        let arguments = arguments(feature, only);
        let mut command = cargo(self.root);
        command.args(&arguments).stdout(Stdio::piped());
        let failed = |why: String| CannotVerify::Cargo { arguments: arguments.join(" "), why };
        let mut running =
            self.processes.start(&mut command).map_err(|error| failed(error.to_string()))?;

        let folder = self.target.join("verify").join(feature);
        fs::create_dir_all(&folder)
            .map_err(|source| CannotVerify::Write { path: folder.clone(), source })?;
        let mut programs = Programs::new();
        let stdout = running.stdout.take().map(BufReader::new);
        for line in stdout.into_iter().flat_map(|stdout| stdout.split(b'\n')) {
            let line = line.map_err(|error| failed(error.to_string()))?;
            let Some((name, built)) = program(&line) else { continue };
            // At once, while `cargo` holds its lock: another build may follow at its heels.
            let kept = keep(&built, &folder)
                .map_err(|source| CannotVerify::Write { path: folder.clone(), source })?;
            programs.insert(name, kept);
        }
        let status = running.wait().map_err(|error| failed(error.to_string()))?;
        if !status.success() {
            return Err(failed(status.to_string()));
        }
        Ok(programs)
    }
}

pub(crate) fn cargo(root: &Path) -> Command {
    // The cargo that runs us, if one does.
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
        // It is built once and runs a thousand times.
        arguments.extend(["--config", "profile.dev.opt-level=1"]);
    }
    arguments.push("--message-format=json-render-diagnostics");
    arguments.into_iter().map(str::to_owned).collect()
}

/// The name and the executable of a program, if this message of `cargo` is about one.
pub(crate) fn program(message: &[u8]) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_slice(message).ok()?;
    let is_program = message["reason"] == "compiler-artifact"
        && message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bin");
    let executable = message["executable"].as_str()?;
    is_program.then(|| Some((message["target"]["name"].as_str()?.to_owned(), executable.into())))?
}

/// Copies a program into the folder, in one step: a copy that runs already goes on as it was.
fn keep(built: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = built.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let kept = folder.join(name);
    let fresh = folder.join(format!("{}.{}.new", name.display(), std::process::id()));
    fs::copy(built, &fresh)?;
    fs::rename(&fresh, &kept)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_messages_about_programs_name_one() {
        let artifact = |kind: &str, executable: Value| {
            serde_json::json!({
                "reason": "compiler-artifact",
                "target": { "name": "gather", "kind": [kind] },
                "executable": executable,
            })
            .to_string()
        };
        let built = program(artifact("bin", "/target/debug/gather".into()).as_bytes());
        assert_eq!(built, Some(("gather".to_owned(), "/target/debug/gather".into())));
        assert_eq!(program(artifact("lib", Value::Null).as_bytes()), None);
        assert_eq!(program(artifact("test", "/target/debug/gather".into()).as_bytes()), None);
        assert_eq!(program(br#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(program(b"not JSON: a build script printed it"), None);
    }

    #[test]
    fn selected_examples_are_built_alone() {
        let all = arguments("tokio", &[]).join(" ");
        assert!(all.contains("--bins") && all.contains("--features tokio"), "{all}");
        let some = arguments("smol", &["a".to_owned(), "b".to_owned()]).join(" ");
        assert!(some.contains("--bin a --bin b") && !some.contains("--bins"), "{some}");
        assert!(!some.contains("opt-level") && arguments(SIM, &[]).join(" ").contains("opt-level"));
    }
}
