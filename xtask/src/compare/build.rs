//! Builds the crawl and the loops it is compared with, in release mode.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    processes::Processes,
    verify::build::{cargo, parse_artifact},
};

/// The two executables.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) crawl: PathBuf,
    pub(super) compared: PathBuf,
}

impl Programs {
    /// Builds both programs.
    ///
    /// # Errors
    ///
    /// The exit status of the build. `cargo` has printed the reason.
    pub(super) fn build(root: &Path, processes: &Processes) -> Result<Self, String> {
        let mut command = cargo(root);
        command
            .args(["build", "--release", "--locked", "-p", "forloop-examples"])
            .args(["--features", "tokio", "--bin", "crawl", "--bin", "crawl_compared"])
            .arg("--message-format=json-render-diagnostics")
            .stdout(Stdio::piped());
        let mut running = processes.start(&mut command).map_err(|error| error.to_string())?;
        let (mut crawl, mut compared) = (None, None);
        let stdout = running.stdout.take().map(BufReader::new);
        for line in stdout.into_iter().flat_map(|stdout| stdout.split(b'\n')) {
            let line = line.map_err(|error| error.to_string())?;
            match parse_artifact(&line) {
                Some((name, path)) if name == "crawl" => crawl = Some(path),
                Some((name, path)) if name == "crawl_compared" => compared = Some(path),
                _ => {}
            }
        }
        let status = running.wait().map_err(|error| error.to_string())?;
        let (Some(crawl), Some(compared), true) = (crawl, compared, status.success()) else {
            return Err(format!("cannot build the programs: {status}"));
        };
        Ok(Self { crawl, compared })
    }
}
