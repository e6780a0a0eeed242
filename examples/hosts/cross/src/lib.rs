//! Builds the part of a host that runs on another machine: with the standard library that the toolchain has for
//! it, or with one that is built from its sources.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the sources of the standard library are, if they are anywhere: `.ci/rust-src` says it.
pub const RUST_SRC: &str = "FORLOOP_RUST_SRC";

/// The nightly toolchain that builds them, if it is another one than `nightly`.
pub const NIGHTLY: &str = "FORLOOP_NIGHTLY";

/// A package for another machine.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    /// The folder of its manifest: a workspace by itself.
    pub folder: &'a Path,
    /// What it is built for.
    pub target: &'a str,
    /// What it needs of the standard library, if that must be built: `core,alloc`.
    pub std: &'a str,
    /// The name of what is built.
    pub file: &'a str,
}

impl Package<'_> {
    /// Builds it, optimized, and returns what was built.
    ///
    /// # Errors
    ///
    /// If it cannot be built: the toolchain has no standard library for the target and there are no sources of
    /// it, or Cargo has said why.
    pub fn build(&self) -> Result<PathBuf, Box<dyn Error>> {
        let mut cargo = Command::new("cargo");
        if !has_std(self.target)? {
            let Some(sources) = env::var_os(RUST_SRC) else {
                let target = self.target;
                return Err(
                    format!("the toolchain has no {target}, and no {RUST_SRC} is set").into()
                );
            };
            let nightly = env::var(NIGHTLY).unwrap_or_else(|_| "nightly".to_owned());
            cargo.arg(format!("+{nightly}")).arg(format!("-Zbuild-std={}", self.std));
            // What a nightly toolchain looks for in itself, when it is elsewhere.
            cargo.env("__CARGO_TESTS_ONLY_SRC_ROOT", sources);
        }
        // Beside what was built for this machine.
        let program = env::current_exe()?;
        let built = program.ancestors().nth(2).ok_or("this program is in no folder")?.join("cross");
        cargo.current_dir(self.folder).args(["build", "--release", "--locked", "--target"]);
        cargo.arg(self.target).env("CARGO_TARGET_DIR", &built);
        // This program was built for this machine, and by another Cargo.
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
