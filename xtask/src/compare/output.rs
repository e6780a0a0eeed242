//! What a loop has told, and how long it is.

use crate::verify::run::End;

/// What a crawl cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    attempts: f64,
    /// How long it took.
    pub seconds: f64,
    /// The most memory it had, in MiB; nothing where that is not known.
    pub peak_mib: f64,
}

impl Measured {
    /// Reads the line that begins with `measured:`.
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

/// The lines of a summary: how many pages ended in which way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    ends: Vec<(String, usize)>,
}

impl Summary {
    /// Reads a summary; it is empty if there is none.
    pub fn parse(stdout: &[u8]) -> Self {
        let text = String::from_utf8_lossy(stdout);
        let line = |line: &str| {
            let (end, count) = line.trim().rsplit_once(' ')?;
            Some((end.trim().to_owned(), count.parse().ok()?))
        };
        Self { ends: text.lines().filter_map(line).collect() }
    }

    fn count(&self, end: &str) -> Option<usize> {
        self.ends.iter().find(|(name, _)| name == end).map(|&(_, count)| count)
    }
}

/// How a crawl ended that was disturbed, in a few words.
pub fn end(end: &End, summary: &Summary) -> String {
    let status = match end {
        End::Finished => String::new(),
        End::Crashed(status) => format!("{status}: "),
        other => format!("{other:?}: "),
    };
    let Some(pages) = summary.count("pages") else { return format!("{status}no summary") };
    let output = ["fetched", "panicked", "cancelled", "not begun"].into_iter();
    let output = output.filter_map(|end| Some(format!("{} {end}", summary.count(end)?)));
    format!("{status}{} of {pages}", output.collect::<Vec<_>>().join(", "))
}

/// How many lines the loop of a source file has: those of its functions, without empty ones and comments.
pub fn lines(source: &str) -> usize {
    let code = source.lines().map(str::trim);
    let code = code.skip_while(|line| !line.contains("fn "));
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_found_among_what_else_was_said() {
        let said = "3: no\nmeasured: attempts=1280 seconds=0.500 peak_kib=2048\n4: no\n";
        let measured = Measured::parse(said).unwrap();
        assert_eq!((measured.rate(), measured.peak_mib), (2560.0, 2.0));
        assert_eq!(Measured::parse("measured: attempts=1"), None);
    }

    #[test]
    fn a_summary_tells_what_was_not_finished() {
        let output = "pages         10\n  fetched       7\n  not begun     3\nbytes       99\n";
        let output = end(&End::Finished, &Summary::parse(output.as_bytes()));
        assert_eq!(output, "7 fetched, 3 not begun of 10");
        assert_eq!(end(&End::Hung, &Summary::parse(b"")), "Hung: no summary");
    }

    #[test]
    fn lines_are_those_of_the_functions() {
        let source = "//! Doc.\n\nuse a::{\n    b,\n};\n\nfn f() {\n    // Why.\n    g();\n\n}\n";
        assert_eq!(lines(source), 3);
    }
}
