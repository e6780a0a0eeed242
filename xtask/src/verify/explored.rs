//! Describes the schedules that a simulated program ran under.

use std::fmt;

/// The schedules that a simulated program ran under.
///
/// `Display` tells a search of all schedules from a sample: `exhaustive: 24 schedules`, or `sampled: 1,000
/// seeds, 871 distinct schedules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// The number of runs.
    pub runs: u64,
    /// The number of runs under seeds.
    pub seeds: u64,
    /// The number of distinct schedules among them.
    pub distinct: u64,
    /// The number of schedules that the search ran, including the first one.
    pub schedules: u64,
    /// How much of all schedules the search covered.
    pub coverage: Coverage,
    /// Whether the sweep stopped because a run failed or differed from the first one.
    pub stopped: bool,
    /// Why the example's schedules were not searched, if a directive prevents it.
    pub not_searched: Option<NotSearched>,
}

/// How much of all schedules a search covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// No search ran, or it stopped at a failure.
    None,
    /// The search stopped at its bound; there are more schedules.
    Bounded,
    /// All schedules.
    Exhaustive,
}

/// Why the schedules of an example cannot be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSearched {
    /// The example starts no runtime, so there is nothing to choose.
    NoRuntime,
    /// The example starts threads, which the simulation does not schedule.
    OwnThreads,
}

impl Explored {
    /// Returns the text for a cell of the matrix.
    pub(crate) fn short(&self) -> String {
        match self.coverage {
            Coverage::Exhaustive if self.schedules == 1 => "the only schedule".to_owned(),
            Coverage::Exhaustive => format!("all {}", plural(self.schedules, "schedule")),
            _ if 0 < self.seeds => plural(self.seeds, "seed"),
            _ => {
                plural(self.schedules, if self.not_searched.is_some() { "run" } else { "schedule" })
            }
        }
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stopped {
            return write!(f, "stopped at a failure, after {}", plural(self.runs, "run"));
        }
        let mut parts = Vec::new();
        let schedules = plural(self.schedules, "schedule");
        match self.coverage {
            Coverage::Exhaustive => parts.push(format!("exhaustive: {schedules}")),
            Coverage::Bounded => parts.push(format!("the first {schedules}, and there are more")),
            Coverage::None => {}
        }
        if 0 < self.seeds {
            let sampled = format!("sampled: {}", plural(self.seeds, "seed"));
            parts.push(match self.not_searched {
                // The choices do not include how the threads were scheduled.
                Some(_) => sampled,
                None => format!("{sampled}, {}", plural(self.distinct, "distinct schedule")),
            });
        }
        if parts.is_empty() {
            parts.push(
                if self.not_searched.is_some() { "one run" } else { "one schedule" }.to_owned(),
            );
        }
        parts.extend(match self.not_searched {
            Some(NotSearched::NoRuntime) => Some("it starts no runtime".to_owned()),
            Some(NotSearched::OwnThreads) => Some("its own threads are not simulated".to_owned()),
            None => None,
        });
        f.write_str(&parts.join("; "))
    }
}

fn plural(count: u64, what: &str) -> String {
    format!("{} {what}{}", with_commas(count), if count == 1 { "" } else { "s" })
}

/// Formats a number with a comma after each group of three digits.
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
