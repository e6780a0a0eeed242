//! Celery and Dask, with the same body, the same number of workers and bodies, and for Celery the same broker.

use std::env;
use std::process::{Command, Stdio};

use crate::common::{Failure, WORKER_LIMIT, WORKERS};
use crate::server::Server;

/// The module that a peer is, and its program.
const PEERS: [(&str, &str); 2] = [
    ("celery", concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/remote/celery_peer.py")),
    ("distributed", concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/remote/dask_peer.py")),
];

/// Runs those that the Python has.
pub(crate) fn run(server: &Server) -> Result<(), Failure> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    for (module, program) in PEERS {
        let mut probe = Command::new(&python);
        probe.args(["-c", &format!("import {module}; print({module}.__version__)")]);
        let version = match probe.stderr(Stdio::null()).output() {
            Ok(output) if output.status.success() => output.stdout,
            _ => {
                println!("\n{module}: not run (the Python has no module `{module}`)");
                continue;
            }
        };
        println!("\n{module} {}", String::from_utf8_lossy(&version).trim());
        let counts = [WORKERS, WORKER_LIMIT].map(|count| count.to_string());
        let mut command = Command::new(&python);
        command.arg(program).arg(server.url()).args(counts).stderr(Stdio::null());
        let status = command.status()?;
        if !status.success() {
            println!("  failed: {status}");
        }
    }
    Ok(())
}
