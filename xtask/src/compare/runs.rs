//! Runs the site, and the loops that crawl it.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    processes::{Processes, RunningProcess},
    verify::run::{self, Run, RunStatus},
};

use super::{
    build::Programs,
    output::{self, Summary},
    peers::Peer,
};

/// The time limit of one crawl: every loop is faster, unless it hangs.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The site. It runs in a process of its own, so that its memory is not counted as a loop's.
pub(super) struct Site<'a> {
    hosts: String,
    compared: PathBuf,
    processes: &'a Processes,
    _running: RunningProcess,
}

impl<'a> Site<'a> {
    /// Starts the site.
    ///
    /// # Errors
    ///
    /// Why the site did not start.
    pub(super) fn start(programs: &Programs, processes: &'a Processes) -> Result<Self, String> {
        let mut command = Command::new(&programs.crawl);
        // The site serves until its standard input is closed.
        command.arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = processes.start(&mut command).map_err(|error| error.to_string())?;
        let mut hosts = String::new();
        if let Some(stdout) = running.stdout.take() {
            BufReader::new(stdout).read_line(&mut hosts).map_err(|error| error.to_string())?;
        }
        let hosts = hosts.trim().to_owned();
        if hosts.is_empty() {
            return Err("the site printed no address".to_owned());
        }
        Ok(Self { hosts, compared: programs.compared.clone(), processes, _running: running })
    }

    /// Runs a loop to completion.
    pub(super) fn crawl(&self, peer: Peer, arguments: &[&str]) -> Run {
        let mut command = self.command(peer);
        command.args(arguments);
        run::run_program(command, TIMEOUT, self.processes)
    }

    /// Runs a loop, sends it SIGINT after two seconds, and describes how it ended.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub(super) fn crawl_interrupted(&self, peer: Peer) -> Result<String, String> {
        self.interrupt(peer).map_err(|error| error.to_string())
    }

    fn interrupt(&self, peer: Peer) -> std::io::Result<String> {
        let mut command = self.command(peer);
        // No loop fetches so many pages in two seconds, and pages without an answer keep it busy.
        command
            .args(["--count", "10000", "--timeout", "20"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut running = self.processes.start(&mut command)?;
        let stdout = running.stdout.take();
        thread::sleep(Duration::from_secs(2));
        if !running.interrupt()? {
            return Ok("not supported on this system".to_owned());
        }
        let interrupted = Instant::now();
        let status = running.wait()?;
        let elapsed = interrupted.elapsed();
        let mut output = Vec::new();
        if let Some(mut stdout) = stdout {
            stdout.read_to_end(&mut output)?;
        }
        let status =
            if status.success() { RunStatus::Succeeded } else { RunStatus::Crashed(status) };
        let outcome = output::describe(&status, &Summary::parse(&output));
        Ok(if elapsed < Duration::from_secs(1) {
            outcome
        } else {
            format!("{outcome}, after {elapsed:.1?}")
        })
    }

    fn command(&self, peer: Peer) -> Command {
        let mut command = Command::new(&self.compared);
        command
            .args([peer.name, "--hosts", &self.hosts])
            .env("FORLOOP_RUNTIME", peer.runtime)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        command
    }
}
