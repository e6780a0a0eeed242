//! What a crawl costs this process, where the operating system tells.

use std::fs;
use std::time::{Duration, Instant};

/// A clock, and what to say of it.
#[derive(Debug)]
pub struct Meter {
    begun: Instant,
}

impl Meter {
    /// Begins to measure.
    pub fn start() -> Self {
        Self { begun: Instant::now() }
    }

    /// The time since then.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Says what was measured, in one line that a program can read.
    pub fn report(&self, attempts: usize) -> String {
        let seconds = self.elapsed().as_secs_f64();
        let peak = peak_memory().unwrap_or_default();
        format!("measured: attempts={attempts} seconds={seconds:.3} peak_kib={peak}")
    }
}

/// The most memory that this process has had so far, in KiB.
pub fn peak_memory() -> Option<u64> {
    status("VmHWM:")
}

/// The memory that this process has now, in KiB.
pub fn resident_memory() -> Option<u64> {
    status("VmRSS:")
}

/// How many files and sockets are open.
pub fn open_files() -> Option<usize> {
    // One of them is the folder that is read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count() - 1)
}

fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
