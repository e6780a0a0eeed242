//! What came of it, for people and for programs.

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
    judge::{Judged, Verdict},
    options::Options,
};

/// Everything there is to tell.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// The columns.
    pub(crate) backends: Vec<Backend>,
    pub(crate) rows: Vec<ReportedRow>,
    /// The backends that this machine does not have, and what they need.
    pub(crate) absent: BTreeMap<Backend, String>,
    /// How many programs ran.
    pub(crate) runs: u64,
    /// How long they all took.
    pub(crate) took: Duration,
    pub(crate) options: &'a Options,
}

/// One example.
#[derive(Debug)]
pub(crate) struct ReportedRow {
    pub(crate) example: Example,
    pub(crate) judged: Vec<Judged>,
    /// The backends that the example is for and that this machine does not have.
    pub(crate) absent: Vec<Backend>,
    /// Under which schedules it was simulated, if it was.
    pub(crate) explored: Option<Explored>,
    /// What became of its expected output, if it was to be blessed.
    pub(crate) blessing: Option<Blessing>,
}

impl Report<'_> {
    /// 0 if all agree, 1 if some differ, 2 if a program could not be started.
    pub(crate) fn exit_code(&self) -> u8 {
        let runs = || self.rows.iter().flat_map(|row| &row.judged);
        if runs().any(|one| one.verdict == Verdict::NotStarted) {
            return 2;
        }
        u8::from(self.rows.iter().any(ReportedRow::fails))
    }

    /// The backends that ran anything.
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
