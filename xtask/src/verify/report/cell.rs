//! One cell of the matrix.

use std::time::Duration;

use crate::verify::{backend::Backend, explored::Explored, judge::Verdict};

use super::ReportedRow;

/// What the runs of one example on one backend come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// The example is not for this backend.
    DoesNotApply,
    /// This machine does not have this backend.
    NotRun,
    /// It ran.
    Ran {
        /// The worst of its verdicts.
        verdict: Verdict,
        /// How many runs have that verdict.
        with_it: usize,
        /// How many runs there are.
        rounds: usize,
        /// How long the slowest of them took.
        slowest: Duration,
        /// Under which schedules, if it was simulated.
        explored: Option<Explored>,
    },
}

impl Cell {
    pub(super) fn of(row: &ReportedRow, backend: Backend) -> Self {
        let runs = || row.judged.iter().filter(|one| one.backend == backend);
        let Some(verdict) = runs().map(|one| one.verdict).max() else {
            return match row.absent.contains(&backend) {
                true => Self::NotRun,
                false => Self::DoesNotApply,
            };
        };
        Self::Ran {
            verdict,
            with_it: runs().filter(|one| one.verdict == verdict).count(),
            rounds: runs().count(),
            slowest: runs().map(|one| one.run.took).max().unwrap_or_default(),
            explored: row.explored.filter(|_| backend == Backend::Sim),
        }
    }

    /// Its name for a program.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::DoesNotApply => "-",
            Self::NotRun => "not run",
            Self::Ran { verdict, .. } => verdict.name(),
        }
    }

    /// Its text for people.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Ran { verdict: Verdict::Ok, explored: Some(explored), .. } => {
                format!("ok {}", explored.in_short())
            }
            Self::Ran { verdict: Verdict::Ok, slowest, .. } => {
                format!("ok {:.1}s", slowest.as_secs_f64())
            }
            // Of a simulation only the runs that were not alike are kept.
            Self::Ran { verdict, with_it, rounds, explored: None, .. } if with_it < rounds => {
                format!("{} {with_it}/{rounds}", verdict.name())
            }
            _ => self.name().to_owned(),
        }
    }
}
