//! Builds the part of a host that runs on another machine, with the standard library of the toolchain, or
//! with one that is built from source.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variable with the path of the sources of the standard library; see `.ci/rust-src`.
pub const RUST_SRC: &str = "FORLOOP_RUST_SRC";

/// The environment variable with the toolchain that builds them, if it is not called `nightly`.
pub const NIGHTLY: &str = "FORLOOP_NIGHTLY";

/// A package for another machine.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    /// The folder of its manifest, which is a workspace of its own.
    pub folder: &'a Path,
    /// The target triple.
    pub target: &'a str,
    /// The crates of the standard library to build, if the toolchain has none: `core,alloc`.
    pub std: &'a str,
    /// The name of the built file.
    pub file: &'a str,
}

impl Package<'_> {
    /// Builds the package with optimizations, and returns the path of the built file.
    ///
    /// # Errors
    ///
    /// Returns an error if the toolchain has no standard library for the target and there are no sources of
    /// it, or if Cargo fails.
    pub fn build(&self) -> Result<PathBuf, Box<dyn Error>> {
        let mut cargo = Command::new("cargo");
        if !has_std(self.target)? {
            let Some(sources) = env::var_os(RUST_SRC) else {
                let target = self.target;
                return Err(
                    format!("the toolchain has no {target}, and {RUST_SRC} is not set").into()
                );
            };
            let nightly = env::var(NIGHTLY).unwrap_or_else(|_| "nightly".to_owned());
            cargo.arg(format!("+{nightly}")).arg(format!("-Zbuild-std={}", self.std));
            // Tells a nightly toolchain where the sources are.
            cargo.env("__CARGO_TESTS_ONLY_SRC_ROOT", sources);
        }
        // Next to the output for this machine.
        let program = env::current_exe()?;
        let built = program
            .ancestors()
            .nth(2)
            .ok_or("this program is not in a target folder")?
            .join("cross");
        cargo.current_dir(self.folder).args(["build", "--release", "--locked", "--target"]);
        cargo.arg(self.target).env("CARGO_TARGET_DIR", &built);
        // These describe the build of this program, by another Cargo.
        for variable in ["RUSTC", "RUSTUP_TOOLCHAIN", "CARGO"] {
            cargo.env_remove(variable);
        }
        let status = cargo.status()?;
        if !status.success() {
            return Err(format!("`cargo build --target {}`: {status}", self.target).into());
        }
        Ok(built.join(self.target).join("release").join(self.file))
    }
}

/// Whether the toolchain has the standard library for a target.
fn has_std(target: &str) -> Result<bool, Box<dyn Error>> {
    let asked = Command::new("rustc")
        .env_remove("RUSTUP_TOOLCHAIN")
        .args(["--print", "target-libdir", "--target", target])
        .output()?;
    let folder = String::from_utf8(asked.stdout)?;
    Ok(asked.status.success() && Path::new(folder.trim()).is_dir())
}
