//! The report, as text and as JSON.

mod cell;
mod finding;
pub(crate) mod human;
pub(crate) mod json;

use std::{collections::BTreeMap, time::Duration};

use super::{
    backend::Backend,
    bless::Blessing,
    example::Example,
    explored::Explored,
    judge::{JudgedRun, Verdict},
    options::Options,
};

/// The results of all examples.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// The columns.
    pub(crate) backends: Vec<Backend>,
    pub(crate) rows: Vec<ReportedRow>,
    /// The backends that are not available on this machine, and what they require.
    pub(crate) unavailable: BTreeMap<Backend, String>,
    /// The number of runs.
    pub(crate) runs: u64,
    /// The duration of all runs together.
    pub(crate) elapsed: Duration,
    pub(crate) options: &'a Options,
}

/// The result of one example.
#[derive(Debug)]
pub(crate) struct ReportedRow {
    pub(crate) example: Example,
    pub(crate) judged: Vec<JudgedRun>,
    /// The backends of the example that are not available on this machine.
    pub(crate) unavailable: Vec<Backend>,
    /// The schedules it was simulated under, if any.
    pub(crate) explored: Option<Explored>,
    /// The decision about its expected output, with `--bless`.
    pub(crate) blessing: Option<Blessing>,
}

impl Report<'_> {
    /// Returns 0 if all backends agree, 1 if some differ, 2 if a program could not be started.
    pub(crate) fn exit_code(&self) -> u8 {
        let runs = || self.rows.iter().flat_map(|row| &row.judged);
        if runs().any(|one| one.verdict == Verdict::NotStarted) {
            return 2;
        }
        u8::from(self.rows.iter().any(ReportedRow::fails))
    }

    /// Returns the number of backends with a run.
    fn ran(&self) -> usize {
        let ran = |backend: &&Backend| {
            self.rows.iter().flat_map(|row| &row.judged).any(|one| one.backend == **backend)
        };
        self.backends.iter().filter(ran).count()
    }
}

impl ReportedRow {
    fn fails(&self) -> bool {
        self.judged.iter().any(|one| one.verdict != Verdict::Ok)
            || matches!(self.blessing, Some(Blessing::Refused(_)))
    }
}
