//! The site, and the loops that crawl it.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    processes::{Processes, Running},
    verify::run::{self, End, Run},
};

use super::{
    Peer,
    build::Programs,
    output::{self, Summary},
};

/// Nothing takes longer, unless it hangs.
const LIMIT: Duration = Duration::from_secs(600);

/// The site, in a process of its own, so that its memory is not the loops'.
pub(super) struct Site<'a> {
    hosts: String,
    compared: PathBuf,
    processes: &'a Processes,
    _running: Running,
}

impl<'a> Site<'a> {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// Why it is not there.
    pub(super) fn start(programs: &Programs, processes: &'a Processes) -> Result<Self, String> {
        let mut command = Command::new(&programs.crawl);
        // It stays until its input ends.
        command.arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = processes.start(&mut command).map_err(|error| error.to_string())?;
        let mut hosts = String::new();
        if let Some(stdout) = running.stdout.take() {
            BufReader::new(stdout).read_line(&mut hosts).map_err(|error| error.to_string())?;
        }
        let hosts = hosts.trim().to_owned();
        if hosts.is_empty() {
            return Err("the site has not said where it is".to_owned());
        }
        Ok(Self { hosts, compared: programs.compared.clone(), processes, _running: running })
    }

    /// Lets a loop crawl it.
    pub(super) fn crawl(&self, peer: Peer, arguments: &[&str]) -> Run {
        let mut command = self.command(peer);
        command.args(arguments);
        run::watch(command, LIMIT, self.processes)
    }

    /// Lets a loop crawl it, sends it a Ctrl-C while it runs, and says what became of it.
    ///
    /// # Errors
    ///
    /// What the operating system fails with.
    pub(super) fn interrupted(&self, peer: Peer) -> Result<String, String> {
        self.interrupt(peer).map_err(|error| error.to_string())
    }

    fn interrupt(&self, peer: Peer) -> std::io::Result<String> {
        let mut command = self.command(peer);
        // More pages than anybody fetches by then; and those that are never answered keep it busy.
        command
            .args(["--count", "10000", "--timeout", "20"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut running = self.processes.start(&mut command)?;
        let stdout = running.stdout.take();
        thread::sleep(Duration::from_secs(2));
        if !running.interrupt()? {
            return Ok("not tried on this system".to_owned());
        }
        let asked = Instant::now();
        let status = running.wait()?;
        let took = asked.elapsed();
        let mut output = Vec::new();
        if let Some(mut stdout) = stdout {
            stdout.read_to_end(&mut output)?;
        }
        let end = if status.success() { End::Finished } else { End::Crashed(status) };
        let end = output::end(&end, &Summary::parse(&output));
        Ok(if took < Duration::from_secs(1) { end } else { format!("{end}, {took:.1?} later") })
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
