//! Runs programs, side by side and each within its time limit.

use std::{
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

use crate::processes::{Processes, Running};

use super::{Launch, schedule::Schedule};

/// How many programs run at once: they sleep rather than compute, so it may be more than the cores.
const AT_ONCE: usize = 64;

/// How much of each output is kept: a program that prints for ever must not take all memory.
const KEPT: u64 = 4 << 20;

/// How long to wait for more output of a program that has ended: only what has left its group, and
/// kept its output open, makes us wait at all.
const GRACE: Duration = Duration::from_secs(1);

/// How one run of a program went.
#[derive(Debug, Clone)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed as errors.
    pub stderr: Vec<u8>,
    /// How long that took.
    pub took: Duration,
    /// The schedule it was given, if it was simulated.
    pub schedule: Option<Schedule>,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With exit status 0.
    Finished,
    /// With another exit status, or by a signal.
    Crashed(ExitStatus),
    /// With exit status 0, but it did not choose as its schedule says: it is not deterministic.
    Strayed,
    /// With exit status 0, but it did not say what it chose: it was not simulated.
    Untold,
    /// Not by itself: it was killed at its time limit.
    Hung,
    /// It could not be started.
    NotStarted(String),
}

/// Runs every program `rounds` times, many at once, and returns the runs of each in its order.
///
/// `progress` hears the number of finished runs, at each one and about every second.
pub fn side_by_side(
    launches: &[&Launch],
    rounds: NonZeroU32,
    limit: Duration,
    processes: &Processes,
    mut progress: impl FnMut(usize),
) -> Vec<Vec<Run>> {
    let total = launches.len() * rounds.get() as usize;
    let mut runs: Vec<Vec<Run>> = launches.iter().map(|_| Vec::new()).collect();
    let next = AtomicUsize::new(0);
    let (finished, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..total.min(AT_ONCE) {
            let (finished, next) = (finished.clone(), &next);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if total <= i {
                        return;
                    }
                    let i = i % launches.len();
                    let run = watch(launches[i].command(), limit, processes);
                    // The receiver outlives this scope.
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
                // We hold a sender ourselves.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress(done);
        }
    });
    runs
}

/// Runs one program to its end or to its time limit, and keeps what it prints.
///
/// Whatever it started and left behind in its process group has ended, too, when this returns.
pub fn watch(mut command: Command, limit: Duration, processes: &Processes) -> Run {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (stdout, stderr) = (Vec::new(), Vec::new());
    let mut run = Run { end: End::Hung, stdout, stderr, took: limit, schedule: None };
    run.end = match processes.start(&mut command) {
        Ok(running) => run.follow(running, limit),
        Err(error) => Err(error),
    }
    .unwrap_or_else(|error| {
        let program = command.get_program().display();
        End::NotStarted(format!("{program}: {error}"))
    });
    run
}

/// A piece of what a program prints.
enum Piece {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

impl Run {
    fn follow(&mut self, mut running: Running, limit: Duration) -> io::Result<End> {
        let begun = Instant::now();
        let (sender, pieces) = mpsc::channel();
        if let Some(stdout) = running.stdout.take() {
            read(stdout, sender.clone(), Piece::Stdout);
        }
        if let Some(stderr) = running.stderr.take() {
            read(stderr, sender, Piece::Stderr);
        }
        let in_time = self.attend(&running, &pieces, begun, limit)?;
        let status = running.end()?;
        while let Ok(piece) = pieces.recv_timeout(GRACE) {
            self.keep(piece);
        }
        Ok(match in_time {
            false => End::Hung,
            true if status.success() => End::Finished,
            true => End::Crashed(status),
        })
    }

    /// Keeps what the program prints until it ends; `false` if that is not before the limit.
    fn attend(
        &mut self,
        running: &Running,
        pieces: &Receiver<Piece>,
        begun: Instant,
        limit: Duration,
    ) -> io::Result<bool> {
        loop {
            let ended = running.has_ended()?;
            self.took = begun.elapsed();
            if ended {
                return Ok(true);
            }
            let Some(left) = limit.checked_sub(self.took).filter(|left| !left.is_zero()) else {
                return Ok(false);
            };
            // A program normally ends as it closes its outputs, so that is what we wait for; the
            // pause is for one whose outputs are held open by what it started.
            match pieces.recv_timeout(left.min(Duration::from_millis(100))) {
                Ok(piece) => self.keep(piece),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(left.min(Duration::from_millis(2)));
                }
            }
        }
    }

    fn keep(&mut self, piece: Piece) {
        match piece {
            Piece::Stdout(bytes) => self.stdout.extend(bytes),
            Piece::Stderr(bytes) => self.stderr.extend(bytes),
        }
    }
}

/// Sends everything readable to the receiver, from a thread of its own, up to what is kept.
fn read(
    pipe: impl Read + Send + 'static,
    pieces: Sender<Piece>,
    piece: impl Fn(Vec<u8>) -> Piece + Send + 'static,
) {
    thread::spawn(move || {
        let mut pipe = pipe.take(KEPT);
        let mut buffer = vec![0; 8 << 10];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) => {
                    if pieces.send(piece(buffer[..n].to_vec())).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A pipe that cannot be read has nothing more to say.
                Err(_) => return,
            }
        }
    });
}
