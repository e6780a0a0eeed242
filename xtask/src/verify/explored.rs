//! What a simulated program was looked at under, in honest words.

use std::fmt;

/// What was looked at.
///
/// Its `Display` says it in honest words: `exhaustive: 24 schedules`, or `sampled: 1,000 seeds, 871
/// distinct schedules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them under seeds.
    pub seeds: u64,
    /// How many schedules these were.
    pub distinct: u64,
    /// How many schedules the search went through, the first one counted.
    pub schedules: u64,
    /// How far it came.
    pub reach: Coverage,
    /// Whether it was given up where a run was not like the first one, or did not end well.
    pub stopped: bool,
    /// Why there was no search, if the example is the reason.
    pub without: Option<Without>,
}

/// How far a search came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Nowhere: there was none, or something went wrong in it.
    Nowhere,
    /// To its bound, and there are more schedules.
    Bound,
    /// Through all of them.
    All,
}

/// Why an example cannot be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// It starts no runtime, so there is nothing to choose.
    Runtime,
    /// It has threads of its own, which nobody schedules.
    Determinism,
}

impl Explored {
    /// What was looked at, in a cell of the matrix.
    pub(crate) fn in_short(&self) -> String {
        match self.reach {
            Coverage::All if self.schedules == 1 => "the only schedule".to_owned(),
            Coverage::All => format!("all {}", plural(self.schedules, "schedule")),
            _ if 0 < self.seeds => plural(self.seeds, "seed"),
            _ => plural(self.schedules, if self.without.is_some() { "run" } else { "schedule" }),
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
        match self.reach {
            Coverage::All => parts.push(format!("exhaustive: {schedules}")),
            Coverage::Bound => parts.push(format!("the first {schedules}, and there are more")),
            Coverage::Nowhere => {}
        }
        if 0 < self.seeds {
            let sampled = format!("sampled: {}", plural(self.seeds, "seed"));
            parts.push(match self.without {
                // What others ran meanwhile is not among the choices.
                Some(_) => sampled,
                None => format!("{sampled}, {}", plural(self.distinct, "distinct schedule")),
            });
        }
        if parts.is_empty() {
            parts.push(if self.without.is_some() { "one run" } else { "one schedule" }.to_owned());
        }
        parts.extend(match self.without {
            Some(Without::Runtime) => Some("it starts no runtime".to_owned()),
            Some(Without::Determinism) => Some("its own threads are not simulated".to_owned()),
            None => None,
        });
        f.write_str(&parts.join("; "))
    }
}

fn plural(count: u64, what: &str) -> String {
    format!("{} {what}{}", with_commas(count), if count == 1 { "" } else { "s" })
}

/// A number as people read it.
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
