//! Which schedules a search ran.

use std::collections::HashSet;
use std::fmt;

/// The schedules that were explored without a failure.
///
/// Its `Display` states the coverage: `exhaustive: 4,320 schedules`, or `sampled: 10,000 seeds, 3,911
/// distinct schedules`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explored {
    /// The number of schedules run.
    pub runs: u64,
    /// The number of runs in which the program was dropped before it completed.
    pub dropped_runs: u64,
    /// Whether every schedule was run.
    pub is_complete: bool,
    coverage: Coverage,
    /// The number of choices in the first run.
    points: u64,
    /// The fingerprints of the schedules run.
    seen: HashSet<u64>,
}

/// How the schedules were picked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Coverage {
    One,
    Sampled { seeds: u64 },
    Exhaustive,
}

impl Explored {
    pub(crate) fn new(coverage: Coverage) -> Self {
        Self {
            runs: 0,
            dropped_runs: 0,
            is_complete: false,
            coverage,
            points: 0,
            seen: HashSet::new(),
        }
    }

    /// Counts a run in which the program was not dropped: the number of its choices and its fingerprint.
    pub(crate) fn count(&mut self, points: u64, fingerprint: u64) {
        let is_first = self.runs == 0;
        if is_first {
            self.points = points;
        }
        // The first run of a sample is the default schedule, which belongs to no seed.
        if !(is_first && matches!(self.coverage, Coverage::Sampled { .. })) {
            self.seen.insert(fingerprint);
        }
        self.runs += 1;
    }

    /// The number of choices in the first run.
    pub(crate) fn points(&self) -> u64 {
        self.points
    }

    /// The number of distinct schedules; a sample does not count its first run, which belongs to no seed.
    pub fn distinct(&self) -> u64 {
        self.seen.len() as u64
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedules = |kind: &str| plural(self.distinct(), &format!("{kind}schedule"));
        match self.coverage {
            Coverage::One => f.write_str("one schedule"),
            Coverage::Sampled { seeds } => {
                write!(f, "sampled: {}, {}", plural(seeds, "seed"), schedules("distinct "))
            }
            Coverage::Exhaustive if self.is_complete => write!(f, "exhaustive: {}", schedules("")),
            Coverage::Exhaustive => write!(f, "the first {}, and there are more", schedules("")),
        }
    }
}

fn plural(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", with_commas(count))
}

/// Formats a number with a comma between groups of three digits.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
