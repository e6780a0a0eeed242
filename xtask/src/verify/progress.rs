//! Shows progress on stderr.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// Rewrites one line on a terminal, and otherwise writes one line per phase.
#[derive(Debug)]
pub(crate) struct Progress {
    rewrites: bool,
}

impl Progress {
    pub(crate) fn on_stderr() -> Self {
        Self { rewrites: io::stderr().is_terminal() }
    }

    /// Starts a phase whose programs show their own progress.
    pub(crate) fn phase(&self, what: &str) {
        write_stderr(&format!("verify: {what}\n"));
    }

    pub(crate) fn runs_begin(&self, total: usize) {
        match self.rewrites {
            true => self.runs_progress(0, total, Duration::ZERO),
            false => self.phase(&format!("running {total} programs")),
        }
    }

    pub(crate) fn runs_progress(&self, done: usize, total: usize, elapsed: Duration) {
        if self.rewrites {
            let seconds = elapsed.as_secs_f64();
            write_stderr(&format!(
                "\rverify: {done} of {total} programs completed after {seconds:.1} s"
            ));
        }
    }

    pub(crate) fn simulations_begin(&self, total: usize) {
        match self.rewrites {
            true => self.simulations_progress(0, total),
            false => self.phase("simulating under many schedules"),
        }
    }

    pub(crate) fn simulations_progress(&self, done: usize, total: usize) {
        if self.rewrites {
            write_stderr(&format!("\r\x1b[Kverify: {done} of {total} programs simulated"));
        }
    }

    pub(crate) fn runs_end(&self) {
        if self.rewrites {
            // The report replaces the line.
            write_stderr("\r\x1b[K");
        }
    }
}

fn write_stderr(text: &str) {
    // An error means that stderr is closed, and progress is optional.
    let _ = io::stderr().write_all(text.as_bytes());
}
