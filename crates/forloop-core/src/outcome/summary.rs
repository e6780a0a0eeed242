//! How many bodies have ended in which way.

use core::fmt;

use super::{Outcome, OutcomeKind};

/// How many items have ended with each [kind](OutcomeKind) of outcome.
///
/// [`Settled::summary`](crate::Settled::summary) returns it. It can also be collected from outcomes. Its `Display` is
/// one line: the kinds that occur, in the order of the fields.
///
/// # Examples
///
/// ```
/// use forloop_core::{Outcome, Summary};
///
/// let outcomes = [Outcome::Ok(1), Outcome::Err("no route"), Outcome::TimedOut, Outcome::Ok(2)];
/// let summary: Summary = outcomes.iter().collect();
/// assert_eq!(summary.failed, 1);
/// assert_eq!(summary.total(), 4);
/// assert_eq!(summary.to_string(), "2 ok, 1 failed, 1 timed out");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Items whose body returned a value.
    pub ok: usize,
    /// Items whose body returned an error.
    pub failed: usize,
    /// Items whose body panicked.
    pub panicked: usize,
    /// Items whose body timed out.
    pub timed_out: usize,
    /// Items whose body was lost with the process that ran it.
    pub lost: usize,
    /// Items whose body was cancelled before it completed.
    pub cancelled: usize,
    /// Items whose body was never polled.
    pub not_run: usize,
    /// Items that had more than one attempt. Each of them also counts in one of the other fields.
    pub retried: usize,
}

impl Summary {
    /// Returns the number of items.
    pub fn total(&self) -> usize {
        let Self { ok, failed, panicked, timed_out, lost, cancelled, not_run, retried: _ } = *self;
        ok + failed + panicked + timed_out + lost + cancelled + not_run
    }

    /// Whether the body of every item returned a value.
    pub fn is_all_ok(&self) -> bool {
        self.ok == self.total()
    }

    /// Counts one more item.
    pub fn record(&mut self, kind: OutcomeKind) {
        let count = match kind {
            OutcomeKind::Ok => &mut self.ok,
            OutcomeKind::Failed => &mut self.failed,
            OutcomeKind::Panicked => &mut self.panicked,
            OutcomeKind::TimedOut => &mut self.timed_out,
            OutcomeKind::Lost => &mut self.lost,
            OutcomeKind::Cancelled => &mut self.cancelled,
            OutcomeKind::NotRun => &mut self.not_run,
        };
        *count += 1;
    }
}

impl Extend<OutcomeKind> for Summary {
    fn extend<I: IntoIterator<Item = OutcomeKind>>(&mut self, kinds: I) {
        kinds.into_iter().for_each(|kind| self.record(kind));
    }
}

impl FromIterator<OutcomeKind> for Summary {
    fn from_iter<I: IntoIterator<Item = OutcomeKind>>(kinds: I) -> Self {
        let mut summary = Self::default();
        summary.extend(kinds);
        summary
    }
}

impl<'a, T: 'a, E: 'a> FromIterator<&'a Outcome<T, E>> for Summary {
    fn from_iter<I: IntoIterator<Item = &'a Outcome<T, E>>>(outcomes: I) -> Self {
        outcomes.into_iter().map(Outcome::kind).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.ok, OutcomeKind::Ok),
            (self.failed, OutcomeKind::Failed),
            (self.panicked, OutcomeKind::Panicked),
            (self.timed_out, OutcomeKind::TimedOut),
            (self.lost, OutcomeKind::Lost),
            (self.cancelled, OutcomeKind::Cancelled),
            (self.not_run, OutcomeKind::NotRun),
        ];
        let mut separator = "";
        for (count, kind) in counts.into_iter().filter(|&(count, _)| count > 0) {
            write!(f, "{separator}{count} {kind}")?;
            separator = ", ";
        }
        if self.total() == 0 {
            f.write_str("no items")?;
        }
        if self.retried > 0 {
            write!(f, " ({} retried)", self.retried)?;
        }
        Ok(())
    }
}
