//! What happens while it happens, on stderr.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// Rewrites one line of a terminal; elsewhere, writes one line per phase.
#[derive(Debug)]
pub(crate) struct Progress {
    rewrites: bool,
}

impl Progress {
    pub(crate) fn on_stderr() -> Self {
        Self { rewrites: io::stderr().is_terminal() }
    }

    /// A phase begins whose own programs say how it goes on.
    pub(crate) fn phase(&self, what: &str) {
        say(&format!("verify: {what}\n"));
    }

    pub(crate) fn runs_begin(&self, total: usize) {
        match self.rewrites {
            true => self.runs_go_on(0, total, Duration::ZERO),
            false => self.phase(&format!("running {total} programs side by side")),
        }
    }

    pub(crate) fn runs_go_on(&self, done: usize, total: usize, elapsed: Duration) {
        if self.rewrites {
            let seconds = elapsed.as_secs_f64();
            say(&format!("\rverify: {done} of {total} programs have ended after {seconds:.1} s"));
        }
    }

    pub(crate) fn simulations_begin(&self, total: usize) {
        match self.rewrites {
            true => self.simulations_go_on(0, total),
            false => self.phase("simulating under many schedules"),
        }
    }

    pub(crate) fn simulations_go_on(&self, done: usize, total: usize) {
        if self.rewrites {
            say(&format!("\r\x1b[Kverify: {done} of {total} programs have been simulated"));
        }
    }

    pub(crate) fn runs_end(&self) {
        if self.rewrites {
            // The report takes the place of the line.
            say("\r\x1b[K");
        }
    }
}

fn say(text: &str) {
    // Whoever closed stderr does not want to know.
    let _ = io::stderr().write_all(text.as_bytes());
}
