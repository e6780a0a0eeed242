//! Runs one measurement in its own process, with a time limit.

use std::collections::BTreeMap;
use std::env;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::meter::Measure;
use crate::peers::Peer;
use crate::workloads::Block;

/// The result of a measurement.
#[derive(Debug)]
pub(crate) enum Measurement {
    Figures(BTreeMap<String, f64>),
    /// The process was killed at its time limit.
    TimedOut,
}

/// Starts the two programs, and the tool that counts instructions.
#[derive(Debug)]
pub(crate) struct Launcher {
    plain: PathBuf,
    heap: PathBuf,
    limit: Duration,
}

impl Launcher {
    pub(crate) fn new(limit: Duration) -> Result<Self, String> {
        let plain = env::current_exe().map_err(|error| format!("this program: {error}"))?;
        let name = format!("forloop-bench-heap{}", env::consts::EXE_SUFFIX);
        let heap = plain.with_file_name(name);
        match heap.exists() {
            true => Ok(Self { plain, heap, limit }),
            false => Err(format!("{} is missing: run `cargo xtask bench`", heap.display())),
        }
    }

    /// Returns an error if instructions cannot be counted.
    pub(crate) fn find_valgrind(&mut self) -> Result<(), String> {
        let mut version = Command::new("valgrind");
        let status = version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            _ => Err("valgrind not found".to_owned()),
        }
    }

    /// Runs one measurement.
    pub(crate) fn run(
        &self,
        block: &Block,
        peer: Peer,
        measure: Measure,
        n: usize,
    ) -> Result<Measurement, String> {
        let program = if measure == Measure::Heap { &self.heap } else { &self.plain };
        let mut command = Command::new(program);
        command.args(arguments(block, peer, measure, n)).stdout(Stdio::piped());
        // async-std reads the number of its threads from here.
        command.env("ASYNC_STD_THREAD_COUNT", "2");
        let Some(printed) = output(command, self.limit, |child| child.stdout.take())? else {
            return Ok(Measurement::TimedOut);
        };
        let figures = printed.lines().filter_map(|line| line.split_once(' '));
        let figures = figures.filter_map(|(name, n)| Some((name.to_owned(), n.parse().ok()?)));
        Ok(Measurement::Figures(figures.collect()))
    }

    /// Counts the instructions of one run, per item; `None` if it exceeded the time limit.
    pub(crate) fn instructions(
        &self,
        block: &Block,
        peer: Peer,
        n: usize,
    ) -> Result<Option<f64>, String> {
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .args(["--collect-atstart=no", "--toggle-collect=*measured_region*"])
            .arg(&self.plain)
            .args(arguments(block, peer, Measure::Instructions, n))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Programs are about fifty times slower under the tool.
        let Some(printed) = output(command, self.limit * 3, |child| child.stderr.take())? else {
            return Ok(None);
        };
        let collected = printed.lines().find_map(|line| line.split_once("Collected :"));
        let collected = collected.and_then(|(_, count)| count.trim().parse::<f64>().ok());
        let collected = collected.filter(|&count| 0.0 < count);
        collected.map(|count| Some(count / n as f64)).ok_or_else(|| {
            format!("callgrind counted nothing for {} on {}:\n{printed}", peer.name(), block.name)
        })
    }
}

fn arguments(block: &Block, peer: Peer, measure: Measure, n: usize) -> [String; 5] {
    ["child", block.name, peer.name(), measure.name(), &n.to_string()].map(str::to_owned)
}

/// Returns the output of a program, or `None` if it was killed at its time limit.
fn output<P: Read>(
    mut command: Command,
    limit: Duration,
    pipe: impl FnOnce(&mut Child) -> Option<P>,
) -> Result<Option<String>, String> {
    let program = command.get_program().to_owned();
    let named = |error| format!("{}: {error}", program.display());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Err(named(error)),
    };
    // The pipe holds the few lines of output, so they can be read after the program has exited.
    let pipe = pipe(&mut child);
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(named)? {
            Some(status) => break status,
            None if limit < start.elapsed() => {
                child.kill().and_then(|()| child.wait()).map_err(named)?;
                return Ok(None);
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let mut printed = String::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_string(&mut printed).map_err(named)?;
    }
    match status.success() {
        true => Ok(Some(printed)),
        false => Err(format!("{command:?} ended with {status}:\n{printed}")),
    }
}
