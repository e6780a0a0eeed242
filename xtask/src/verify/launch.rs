//! How one program is started.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::backend::Backend;

/// How many worker threads a runtime gets, whichever it is and whatever the machine has.
const WORKERS: &str = "4";

/// What to start for one example on one backend.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Its column.
    pub backend: Backend,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The folder it runs in.
    pub folder: PathBuf,
}

impl Launch {
    pub(crate) fn is_simulated(&self) -> bool {
        self.backend == Backend::Sim
    }

    /// The command that starts it, in an environment that is the same for every backend.
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
            // What a program has printed when it is killed must have left it.
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONUTF8", "1");
        command
    }
}
