//! Builds the crawl, and the loops that it is compared with, as users build programs.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    processes::Processes,
    verify::build::{cargo, program},
};

/// The two programs.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) crawl: PathBuf,
    pub(super) compared: PathBuf,
}

impl Programs {
    /// Builds both.
    ///
    /// # Errors
    ///
    /// How the build ended; `cargo` has said why.
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
            match program(&line) {
                Some((name, path)) if name == "crawl" => crawl = Some(path),
                Some((name, path)) if name == "crawl_compared" => compared = Some(path),
                _ => {}
            }
        }
        let status = running.wait().map_err(|error| error.to_string())?;
        let (Some(crawl), Some(compared), true) = (crawl, compared, status.success()) else {
            return Err(format!("the programs could not be built: {status}"));
        };
        Ok(Self { crawl, compared })
    }
}
