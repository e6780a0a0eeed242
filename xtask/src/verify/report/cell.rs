//! A cell of the matrix.

use std::time::Duration;

use crate::verify::{backend::Backend, explored::Explored, judge::Verdict};

use super::ReportedRow;

/// The result of one example on one backend.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// The example does not run on this backend.
    DoesNotApply,
    /// The backend is not available on this machine.
    NotRun,
    /// The example ran.
    Ran {
        /// The worst verdict of its runs.
        verdict: Verdict,
        /// The number of runs with that verdict.
        with_verdict: usize,
        /// The number of runs.
        rounds: usize,
        /// The duration of the slowest run.
        slowest: Duration,
        /// The schedules of the runs, if they were simulated.
        explored: Option<Explored>,
    },
}

impl Cell {
    pub(super) fn of(row: &ReportedRow, backend: Backend) -> Self {
        let runs = || row.judged.iter().filter(|one| one.backend == backend);
        let Some(verdict) = runs().map(|one| one.verdict).max() else {
            return match row.unavailable.contains(&backend) {
                true => Self::NotRun,
                false => Self::DoesNotApply,
            };
        };
        Self::Ran {
            verdict,
            with_verdict: runs().filter(|one| one.verdict == verdict).count(),
            rounds: runs().count(),
            slowest: runs().map(|one| one.run.elapsed).max().unwrap_or_default(),
            explored: row.explored.filter(|_| backend == Backend::Sim),
        }
    }

    /// Returns its name in the JSON report.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::DoesNotApply => "-",
            Self::NotRun => "not run",
            Self::Ran { verdict, .. } => verdict.name(),
        }
    }

    /// Returns its text in the matrix.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Ran { verdict: Verdict::Ok, explored: Some(explored), .. } => {
                format!("ok {}", explored.short())
            }
            Self::Ran { verdict: Verdict::Ok, slowest, .. } => {
                format!("ok {:.1}s", slowest.as_secs_f64())
            }
            // A sweep keeps only the mismatches, so its runs are not counted.
            Self::Ran { verdict, with_verdict, rounds, explored: None, .. }
                if with_verdict < rounds =>
            {
                format!("{} {with_verdict}/{rounds}", verdict.name())
            }
            _ => self.name().to_owned(),
        }
    }
}
