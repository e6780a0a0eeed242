//! The requirements of a host, and whether this machine meets them.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Map, Value};

use crate::{
    processes::Processes,
    verify::run::{self, RunStatus},
};

/// The time limit of the programs that a check runs.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The folder of the standard library's sources, if it is set. `.ci/rust-src` prints it.
const RUST_SRC: &str = "FORLOOP_RUST_SRC";

/// A library, program or target that Cargo cannot fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The kind of requirement, and its name.
    pub kind: RequirementKind,
    /// The Debian package that provides it.
    pub debian: Option<String>,
}

/// The kinds of requirements, each with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequirementKind {
    /// A system library, by its `pkg-config` name.
    PkgConfig(String),
    /// A program in `PATH`.
    Program(String),
    /// A target whose standard library is installed, or can be built from sources.
    Target(String),
}

impl Requirement {
    /// Parses one entry of the list `needs` in a host's manifest.
    ///
    /// # Errors
    ///
    /// A message, unless the entry is a table with one of the keys `pkg-config`, `program` and `target`, and
    /// optionally `debian`. Unknown keys are refused: a typing error must not remove a requirement.
    pub fn read(entry: &Value) -> Result<Self, String> {
        let table =
            entry.as_object().ok_or_else(|| format!("expected a table, found `{entry}`"))?;
        let mut kind = None;
        let mut debian = None;
        for (key, value) in table {
            let name = value.as_str().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| format!("`{key}`: expected a name, found `{value}`"))?;
            let name = name.to_owned();
            let given = match &key[..] {
                "pkg-config" => RequirementKind::PkgConfig(name),
                "program" => RequirementKind::Program(name),
                "target" => RequirementKind::Target(name),
                "debian" => {
                    debian = Some(name);
                    continue;
                }
                other => {
                    return Err(format!(
                        "unknown key `{other}`, expected one of: pkg-config, program, target, debian"
                    ));
                }
            };
            if kind.replace(given).is_some() {
                return Err(format!("`{}` has more than one requirement", to_json(table)));
            }
        }
        let kind = kind.ok_or_else(|| format!("`{}` has no requirement", to_json(table)))?;
        Ok(Self { kind, debian })
    }

    /// Returns whether this machine meets the requirement.
    pub(crate) fn is_met(&self, processes: &Processes) -> bool {
        match &self.kind {
            RequirementKind::PkgConfig(module) => {
                stdout_of("pkg-config", &["--exists", module], processes).is_some()
            }
            RequirementKind::Program(name) => is_on_path(name),
            RequirementKind::Target(target) => {
                let folder = stdout_of(
                    "rustc",
                    &["--print", "target-libdir", "--target", target],
                    processes,
                );
                folder.is_some_and(|folder| Path::new(folder.trim()).is_dir())
                    || env::var_os(RUST_SRC).is_some_and(|sources| Path::new(&sources).is_dir())
            }
        }
    }

    /// Describes what is missing, and which package provides it.
    pub(crate) fn unmet(&self) -> String {
        let missing = match &self.kind {
            RequirementKind::PkgConfig(module) => format!("pkg-config does not find {module}"),
            RequirementKind::Program(name) => format!("program {name} not found"),
            RequirementKind::Target(target) => {
                format!("target {target} is not installed, and {RUST_SRC} is not set")
            }
        };
        match &self.debian {
            Some(package) => format!("{missing}; Debian: {package}"),
            None => missing,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RequirementKind::PkgConfig(module) => write!(f, "library {module}")?,
            RequirementKind::Program(name) => write!(f, "program {name}")?,
            RequirementKind::Target(target) => write!(f, "target {target}")?,
        }
        match &self.debian {
            Some(package) => write!(f, " (Debian: {package})"),
            None => Ok(()),
        }
    }
}

fn to_json(table: &Map<String, Value>) -> String {
    Value::from(table.clone()).to_string()
}

/// Returns the standard output of a program, or `None` if it cannot be run or fails.
fn stdout_of(program: &str, arguments: &[&str], processes: &Processes) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let run = run::run_program(command, TIMEOUT, processes);
    (run.status == RunStatus::Succeeded).then(|| String::from_utf8_lossy(&run.stdout).into_owned())
}

fn is_on_path(name: &str) -> bool {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    folders.iter().any(|folder| folder.join(&file).is_file())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_requirement_is_parsed() {
        let requirement = |entry| Requirement::read(&entry).unwrap();
        let glib = requirement(json!({ "pkg-config": "glib-2.0", "debian": "libglib2.0-dev" }));
        assert_eq!(glib.kind, RequirementKind::PkgConfig("glib-2.0".to_owned()));
        assert_eq!(glib.unmet(), "pkg-config does not find glib-2.0; Debian: libglib2.0-dev");
        assert_eq!(glib.to_string(), "library glib-2.0 (Debian: libglib2.0-dev)");
        assert_eq!(requirement(json!({ "program": "node" })).unmet(), "program node not found");
        let target = requirement(json!({ "target": "wasm32-unknown-unknown" }));
        assert_eq!(
            target.unmet(),
            "target wasm32-unknown-unknown is not installed, and FORLOOP_RUST_SRC is not set"
        );
    }

    #[test]
    fn an_invalid_requirement_is_refused_with_the_reason() {
        for (bad, why) in [
            (json!("glib-2.0"), "expected a table"),
            (json!({ "pkgconfig": "glib-2.0" }), "unknown key `pkgconfig`"),
            (json!({ "program": "" }), "expected a name"),
            (json!({ "program": 1 }), "expected a name"),
            (json!({ "program": "a", "target": "b" }), "more than one"),
            (json!({ "debian": "nodejs" }), "no requirement"),
            (json!({}), "no requirement"),
        ] {
            let error = Requirement::read(&bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn cargo_is_found_and_unknown_names_are_not() {
        let processes = Processes::default();
        let is_met = |kind| Requirement { kind, debian: None }.is_met(&processes);
        assert!(is_met(RequirementKind::Program("cargo".to_owned())));
        assert!(!is_met(RequirementKind::Program("no-such-program".to_owned())));
        assert!(!is_met(RequirementKind::PkgConfig("no-such-library".to_owned())));
        assert!(!is_met(RequirementKind::Target("no-such-target".to_owned())));
    }
}
