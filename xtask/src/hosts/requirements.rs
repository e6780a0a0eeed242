//! What a host needs of the machine, and whether the machine has it.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Map, Value};

use crate::{
    processes::Processes,
    verify::run::{self, End},
};

/// How long a question to the machine may take.
const SOON: Duration = Duration::from_secs(60);

/// Where the sources of the standard library are, if they are anywhere: `.ci/rust-src` says it.
const RUST_SRC: &str = "FORLOOP_RUST_SRC";

/// Something that Cargo cannot fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What it is.
    pub what: What,
    /// The package of Debian's that has it.
    pub debian: Option<String>,
}

/// A kind of thing that a host may need, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A system library, as `pkg-config` calls it.
    PkgConfig(String),
    /// A program in one of the folders of `PATH`.
    Program(String),
    /// A target that the Rust toolchain has the standard library for, or the sources of it.
    Target(String),
}

impl Requirement {
    /// Reads one entry of the list `needs` in a host's manifest.
    ///
    /// # Errors
    ///
    /// What is wrong with it: it must be a table with one of the keys `pkg-config`, `program` and
    /// `target`, and may have the key `debian`. A key that nobody knows is refused: a typing error must
    /// not turn into a need that nobody has.
    pub fn read(entry: &Value) -> Result<Self, String> {
        let table = entry.as_object().ok_or_else(|| format!("`{entry}` is not a table"))?;
        let mut what = None;
        let mut debian = None;
        for (key, value) in table {
            let name = value.as_str().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| format!("`{key}` is `{value}` and not a name"))?;
            let name = name.to_owned();
            let kind = match &key[..] {
                "pkg-config" => What::PkgConfig(name),
                "program" => What::Program(name),
                "target" => What::Target(name),
                "debian" => {
                    debian = Some(name);
                    continue;
                }
                other => {
                    return Err(format!(
                        "no key `{other}`; there are: pkg-config, program, target, debian"
                    ));
                }
            };
            if what.replace(kind).is_some() {
                return Err(format!("`{}` names two things at once", shown(table)));
            }
        }
        let what = what.ok_or_else(|| format!("`{}` names nothing", shown(table)))?;
        Ok(Self { what, debian })
    }

    /// Asks the machine.
    pub(crate) fn is_met(&self, processes: &Processes) -> bool {
        match &self.what {
            What::PkgConfig(module) => {
                answer("pkg-config", &["--exists", module], processes).is_some()
            }
            What::Program(name) => is_on_path(name),
            What::Target(target) => {
                let folder =
                    answer("rustc", &["--print", "target-libdir", "--target", target], processes);
                folder.is_some_and(|folder| Path::new(folder.trim()).is_dir())
                    || env::var_os(RUST_SRC).is_some_and(|sources| Path::new(&sources).is_dir())
            }
        }
    }

    /// Says that the machine has not what is needed, and how to get it.
    pub(crate) fn absence(&self) -> String {
        let what = match &self.what {
            What::PkgConfig(module) => format!("pkg-config finds no {module}"),
            What::Program(name) => format!("no program {name}"),
            What::Target(target) => {
                format!("the toolchain has no {target}, and no {RUST_SRC} is set")
            }
        };
        match &self.debian {
            Some(package) => format!("{what}; Debian: {package}"),
            None => what,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::PkgConfig(module) => write!(f, "{module} for pkg-config")?,
            What::Program(name) => write!(f, "the program {name}")?,
            What::Target(target) => write!(f, "the target {target}")?,
        }
        match &self.debian {
            Some(package) => write!(f, " (Debian: {package})"),
            None => Ok(()),
        }
    }
}

fn shown(table: &Map<String, Value>) -> String {
    Value::from(table.clone()).to_string()
}

/// What a program prints, if it can be run and succeeds.
fn answer(program: &str, arguments: &[&str], processes: &Processes) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let run = run::watch(command, SOON, processes);
    (run.end == End::Finished).then(|| String::from_utf8_lossy(&run.stdout).into_owned())
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
    fn each_kind_of_need_is_read() {
        let requirement = |entry| Requirement::read(&entry).unwrap();
        let glib = requirement(json!({ "pkg-config": "glib-2.0", "debian": "libglib2.0-dev" }));
        assert_eq!(glib.what, What::PkgConfig("glib-2.0".to_owned()));
        assert_eq!(glib.absence(), "pkg-config finds no glib-2.0; Debian: libglib2.0-dev");
        assert_eq!(glib.to_string(), "glib-2.0 for pkg-config (Debian: libglib2.0-dev)");
        assert_eq!(requirement(json!({ "program": "node" })).absence(), "no program node");
        let target = requirement(json!({ "target": "wasm32-unknown-unknown" }));
        assert_eq!(
            target.absence(),
            "the toolchain has no wasm32-unknown-unknown, and no FORLOOP_RUST_SRC is set"
        );
    }

    #[test]
    fn what_is_no_need_is_refused_with_what_is_wrong() {
        for (bad, why) in [
            (json!("glib-2.0"), "not a table"),
            (json!({ "pkgconfig": "glib-2.0" }), "no key `pkgconfig`"),
            (json!({ "program": "" }), "not a name"),
            (json!({ "program": 1 }), "not a name"),
            (json!({ "program": "a", "target": "b" }), "two things"),
            (json!({ "debian": "nodejs" }), "names nothing"),
            (json!({}), "names nothing"),
        ] {
            let error = Requirement::read(&bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn the_machine_has_what_built_this_and_not_what_nobody_made() {
        let processes = Processes::default();
        let is_met = |what| Requirement { what, debian: None }.is_met(&processes);
        assert!(is_met(What::Program("cargo".to_owned())));
        assert!(!is_met(What::Program("no-such-program-of-anybody".to_owned())));
        assert!(!is_met(What::PkgConfig("no-such-library-of-anybody".to_owned())));
        assert!(!is_met(What::Target("no-such-target-of-anybody".to_owned())));
    }
}
