//! Parses the output of a loop, and counts the lines of its source.

use crate::verify::run::RunStatus;

/// The duration and the memory of one crawl.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurement {
    attempts: f64,
    /// The duration.
    pub seconds: f64,
    /// The peak memory in MiB, or 0 if the system does not report it.
    pub peak_mib: f64,
}

impl Measurement {
    /// Parses the line that starts with `measured:`.
    pub fn parse(stderr: &str) -> Option<Self> {
        let line = stderr.lines().find_map(|line| line.strip_prefix("measured: "))?;
        let figure = |name: &str| -> Option<f64> {
            let field = line.split(' ').find_map(|field| field.strip_prefix(name))?;
            field.strip_prefix('=')?.parse().ok()
        };
        let (attempts, seconds) = (figure("attempts")?, figure("seconds")?);
        Some(Self { attempts, seconds, peak_mib: figure("peak_kib")? / 1024.0 })
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.attempts / self.seconds
    }
}

/// The summary that a crawl prints: the number of pages per outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    counts: Vec<(String, usize)>,
}

impl Summary {
    /// Parses a summary. The result is empty if the output contains none.
    pub fn parse(stdout: &[u8]) -> Self {
        let text = String::from_utf8_lossy(stdout);
        let line = |line: &str| {
            let (outcome, count) = line.trim().rsplit_once(' ')?;
            Some((outcome.trim().to_owned(), count.parse().ok()?))
        };
        Self { counts: text.lines().filter_map(line).collect() }
    }

    fn count(&self, outcome: &str) -> Option<usize> {
        self.counts.iter().find(|(name, _)| name == outcome).map(|&(_, count)| count)
    }
}

/// Describes how a crawl ended after a panic or a Ctrl-C.
pub fn describe(status: &RunStatus, summary: &Summary) -> String {
    let prefix = match status {
        RunStatus::Succeeded => String::new(),
        failure => format!("{failure}: "),
    };
    let Some(pages) = summary.count("pages") else { return format!("{prefix}no summary") };
    let counts = ["fetched", "panicked", "cancelled", "not run"].into_iter();
    let counts =
        counts.filter_map(|outcome| Some(format!("{} {outcome}", summary.count(outcome)?)));
    format!("{prefix}{} of {pages}", counts.collect::<Vec<_>>().join(", "))
}

/// Counts the lines of the functions in a source file, without empty lines and comments.
pub fn count_lines(source: &str) -> usize {
    let code = source.lines().map(str::trim);
    let code = code.skip_while(|line| !line.contains("fn "));
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measurement_is_found_between_other_lines() {
        let stderr = "3: no\nmeasured: attempts=1280 seconds=0.500 peak_kib=2048\n4: no\n";
        let measured = Measurement::parse(stderr).unwrap();
        assert_eq!((measured.rate(), measured.peak_mib), (2560.0, 2.0));
        assert_eq!(Measurement::parse("measured: attempts=1"), None);
    }

    #[test]
    fn a_summary_lists_the_outcomes_that_occurred() {
        let output = "pages         10\n  fetched       7\n  not run       3\nbytes       99\n";
        let output = describe(&RunStatus::Succeeded, &Summary::parse(output.as_bytes()));
        assert_eq!(output, "7 fetched, 3 not run of 10");
        assert_eq!(describe(&RunStatus::TimedOut, &Summary::parse(b"")), "timed out: no summary");
    }

    #[test]
    fn only_lines_of_functions_are_counted() {
        let source = "//! Doc.\n\nuse a::{\n    b,\n};\n\nfn f() {\n    // Why.\n    g();\n\n}\n";
        assert_eq!(count_lines(source), 3);
    }
}
