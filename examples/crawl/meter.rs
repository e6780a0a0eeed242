//! Measures the cost of a crawl to this process, where the operating system reports it.

use std::fs;
use std::time::{Duration, Instant};

/// A running measurement.
#[derive(Debug)]
pub struct Meter {
    start: Instant,
}

impl Meter {
    /// Starts a measurement.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Formats the measurement as one line that a program can parse.
    pub fn report(&self, attempts: usize) -> String {
        let seconds = self.elapsed().as_secs_f64();
        let peak = peak_memory().unwrap_or_default();
        format!("measured: attempts={attempts} seconds={seconds:.3} peak_kib={peak}")
    }
}

/// Returns the peak memory of this process so far, in KiB.
pub fn peak_memory() -> Option<u64> {
    status("VmHWM:")
}

/// Returns the memory of this process now, in KiB.
pub fn resident_memory() -> Option<u64> {
    status("VmRSS:")
}

/// Returns the number of open files and sockets.
pub fn open_files() -> Option<usize> {
    // One of them is the directory being read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count() - 1)
}

fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
