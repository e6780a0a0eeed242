//! Runs programs concurrently, each with a time limit.

use std::{
    fmt,
    io::{self, Read},
    num::NonZeroU32,
    process::{Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use crate::processes::{Processes, RunningProcess};

use super::{Launch, schedule::Schedule};

/// The maximum number of concurrent programs. They mostly sleep, so it may exceed the number of cores.
const MAX_CONCURRENT: usize = 64;

/// The number of bytes kept of each output, so that a program that prints forever does not exhaust memory.
const MAX_OUTPUT: u64 = 4 << 20;

/// The time limit for reading the remaining output of a program that has exited. Only a process that left
/// the program's group and still holds its output open can use it up.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The result of one run of a program.
#[derive(Debug, Clone)]
pub struct Run {
    /// How the program ended.
    pub status: RunStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// The duration of the run.
    pub elapsed: Duration,
    /// Its schedule, if it was simulated.
    pub schedule: Option<Schedule>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStatus {
    /// The program exited with status 0.
    Succeeded,
    /// The program exited with another status, or was killed by a signal.
    Crashed(ExitStatus),
    /// The program exited with status 0 and did not follow its schedule: it is not deterministic.
    Nondeterministic,
    /// The program exited with status 0 and did not write its choices: it was not simulated.
    NotSimulated,
    /// The program was killed at its time limit.
    TimedOut,
    /// The program could not be started, with the reason.
    NotStarted(String),
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("exit status: 0"),
            Self::Crashed(status) => write!(f, "{status}"),
            Self::Nondeterministic => f.write_str("not deterministic"),
            Self::NotSimulated => f.write_str("not simulated"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted(why) => f.write_str(why),
        }
    }
}

/// Runs every program `rounds` times, many of them concurrently, and returns the runs of each program.
///
/// Calls `progress` with the number of completed runs, after each one and about every second.
pub fn run_all(
    launches: &[&Launch],
    rounds: NonZeroU32,
    timeout: Duration,
    processes: &Processes,
    mut progress: impl FnMut(usize),
) -> Vec<Vec<Run>> {
    let total = launches.len() * rounds.get() as usize;
    let mut runs: Vec<Vec<Run>> = launches.iter().map(|_| Vec::new()).collect();
    let next = AtomicUsize::new(0);
    let (finished, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..total.min(MAX_CONCURRENT) {
            let (finished, next) = (finished.clone(), &next);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if total <= i {
                        return;
                    }
                    let i = i % launches.len();
                    let run = run_program(launches[i].command(), timeout, processes);
                    // Cannot fail: the receiver outlives this scope.
                    let _ = finished.send((i, run));
                }
            });
        }
        let mut done = 0;
        while done < total {
            match results.recv_timeout(Duration::from_secs(1)) {
                Ok((i, run)) => {
                    runs[i].push(run);
                    done += 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Cannot happen: `finished` is a sender and still in scope.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress(done);
        }
    });
    runs
}

/// Runs one program until it exits or reaches its time limit, and collects its output.
///
/// When this returns, every process in the program's process group has been killed.
pub fn run_program(mut command: Command, timeout: Duration, processes: &Processes) -> Run {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (stdout, stderr) = (Vec::new(), Vec::new());
    let mut run =
        Run { status: RunStatus::TimedOut, stdout, stderr, elapsed: timeout, schedule: None };
    run.status = match processes.start(&mut command) {
        Ok(running) => run.collect(running, timeout),
        Err(error) => Err(error),
    }
    .unwrap_or_else(|error| {
        let program = command.get_program().display();
        RunStatus::NotStarted(format!("{program}: {error}"))
    });
    run
}

/// A part of a program's output.
enum Chunk {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

impl Run {
    fn collect(&mut self, mut running: RunningProcess, timeout: Duration) -> io::Result<RunStatus> {
        let started = Instant::now();
        let (sender, chunks) = mpsc::channel();
        if let Some(stdout) = running.stdout.take() {
            read(stdout, sender.clone(), Chunk::Stdout);
        }
        if let Some(stderr) = running.stderr.take() {
            read(stderr, sender, Chunk::Stderr);
        }
        let in_time = self.wait_for_exit(&running, &chunks, started, timeout)?;
        let status = running.kill()?;
        while let Ok(chunk) = chunks.recv_timeout(DRAIN_TIMEOUT) {
            self.append(chunk);
        }
        Ok(match in_time {
            false => RunStatus::TimedOut,
            true if status.success() => RunStatus::Succeeded,
            true => RunStatus::Crashed(status),
        })
    }

    /// Collects output until the program exits. Returns `false` if it reaches its time limit first.
    fn wait_for_exit(
        &mut self,
        running: &RunningProcess,
        chunks: &Receiver<Chunk>,
        started: Instant,
        timeout: Duration,
    ) -> io::Result<bool> {
        loop {
            let exited = running.has_exited()?;
            self.elapsed = started.elapsed();
            if exited {
                return Ok(true);
            }
            let Some(left) = timeout.checked_sub(self.elapsed).filter(|left| !left.is_zero())
            else {
                return Ok(false);
            };
            // A program normally exits right after it closes its outputs, so wait for that. The time-out
            // covers a program whose children hold its outputs open.
            match chunks.recv_timeout(left.min(Duration::from_millis(100))) {
                Ok(chunk) => self.append(chunk),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(left.min(Duration::from_millis(2)));
                }
            }
        }
    }

    fn append(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Stdout(bytes) => self.stdout.extend(bytes),
            Chunk::Stderr(bytes) => self.stderr.extend(bytes),
        }
    }
}

/// Starts a thread that sends the first [`MAX_OUTPUT`] bytes of `pipe` to the receiver.
fn read(
    pipe: impl Read + Send + 'static,
    chunks: Sender<Chunk>,
    chunk: impl Fn(Vec<u8>) -> Chunk + Send + 'static,
) {
    thread::spawn(move || {
        let mut pipe = pipe.take(MAX_OUTPUT);
        let mut buffer = vec![0; 8 << 10];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) => {
                    if chunks.send(chunk(buffer[..n].to_vec())).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // On an error the rest of the output is lost, and the run is judged without it.
                Err(_) => return,
            }
        }
    });
}
