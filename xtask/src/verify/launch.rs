//! The command that starts one program.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::backend::Backend;

/// The number of worker threads of every runtime, on every machine.
const WORKERS: &str = "4";

/// The program of one example on one backend.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The backend.
    pub backend: Backend,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its working directory.
    pub folder: PathBuf,
}

impl Launch {
    pub(crate) fn is_simulated(&self) -> bool {
        self.backend == Backend::Sim
    }

    /// Returns the command, with the same environment for every backend.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .env("FORLOOP_RUNTIME", self.backend.name())
            .env("SMOL_THREADS", WORKERS)
            .env("ASYNC_STD_THREAD_COUNT", WORKERS)
            .env("TOKIO_WORKER_THREADS", WORKERS)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Without buffering, the output of a program that is killed is complete.
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONUTF8", "1");
        command
    }
}
