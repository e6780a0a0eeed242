//! Judges what a host did: how it ended first, then what it printed.

use crate::verify::run::{End, Run};

/// What a host is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Its exit status.
    pub exit: i32,
    /// What it prints, if anybody has said so.
    pub stdout: Option<&'a [u8]>,
    /// What it prints as errors, if that is to be compared.
    pub stderr: Option<&'a [u8]>,
}

/// How a run of a host is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it was to do.
    Agrees,
    /// It ended as it was to end, and printed something else.
    Differs,
    /// It ended as it was to end, and nobody has said what it is to print.
    NoExpected,
    /// It died, or ended with another exit status.
    Crashed,
    /// It had not ended at its time limit.
    Hung,
    /// It could not be started.
    NotStarted,
}

impl Verdict {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NoExpected => "has no expected.out",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::NotStarted => "could not be started",
        }
    }
}

/// Judges a run.
pub fn judge(run: &Run, expected: Expected<'_>) -> Verdict {
    match &run.end {
        End::NotStarted(_) => return Verdict::NotStarted,
        End::Hung => return Verdict::Hung,
        end if exit(end) != Some(expected.exit) => return Verdict::Crashed,
        _ => {}
    }
    let Some(stdout) = expected.stdout else { return Verdict::NoExpected };
    let errors_agree = expected.stderr.is_none_or(|stderr| stderr == run.stderr);
    if stdout == run.stdout && errors_agree { Verdict::Agrees } else { Verdict::Differs }
}

fn exit(end: &End) -> Option<i32> {
    match end {
        End::Finished => Some(0),
        End::Crashed(status) => status.code(),
        // The others are of programs that were not watched to their end, or are simulated.
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{process::ExitStatus, time::Duration};

    use super::*;

    /// A program that ended so and printed that.
    pub(in super::super) fn ended(end: End, stdout: &str, stderr: &str) -> Run {
        Run {
            end,
            stdout: stdout.into(),
            stderr: stderr.into(),
            took: Duration::from_secs(1),
            schedule: None,
        }
    }

    #[cfg(unix)]
    fn status(code: i32) -> ExitStatus {
        std::os::unix::process::ExitStatusExt::from_raw(code << 8)
    }

    #[cfg(windows)]
    fn status(code: i32) -> ExitStatus {
        std::os::windows::process::ExitStatusExt::from_raw(code.cast_unsigned())
    }

    fn expected<'a>(stdout: &'a str, stderr: Option<&'a str>) -> Expected<'a> {
        Expected { exit: 0, stdout: Some(stdout.as_bytes()), stderr: stderr.map(str::as_bytes) }
    }

    #[test]
    fn what_is_printed_is_compared_byte_for_byte() {
        for (printed, verdict) in
            [("a\n", Verdict::Agrees), ("a", Verdict::Differs), ("", Verdict::Differs)]
        {
            let run = ended(End::Finished, printed, "");
            assert_eq!(judge(&run, expected("a\n", None)), verdict, "{printed:?}");
        }
    }

    #[test]
    fn errors_are_compared_where_somebody_has_said_what_they_are() {
        let run = ended(End::Finished, "a\n", "no\n");
        assert_eq!(judge(&run, expected("a\n", None)), Verdict::Agrees);
        assert_eq!(judge(&run, expected("a\n", Some("no\n"))), Verdict::Agrees);
        assert_eq!(judge(&run, expected("a\n", Some(""))), Verdict::Differs);
    }

    #[test]
    fn a_host_that_is_to_fail_fails_with_that_status_and_no_other() {
        let to_fail = Expected { exit: 1, ..expected("a\n", None) };
        let judged = |end| judge(&ended(end, "a\n", ""), to_fail);
        assert_eq!(judged(End::Crashed(status(1))), Verdict::Agrees);
        assert_eq!(judged(End::Crashed(status(101))), Verdict::Crashed);
        assert_eq!(judged(End::Finished), Verdict::Crashed);
        let to_succeed = expected("a\n", None);
        let run = ended(End::Crashed(status(1)), "a\n", "");
        assert_eq!(judge(&run, to_succeed), Verdict::Crashed);
    }

    #[test]
    fn how_it_ended_counts_before_what_it_printed() {
        for (end, verdict) in
            [(End::Hung, Verdict::Hung), (End::NotStarted("gone".to_owned()), Verdict::NotStarted)]
        {
            assert_eq!(judge(&ended(end, "a\n", ""), expected("a\n", None)), verdict);
        }
        let unsaid = Expected { stdout: None, ..expected("", None) };
        assert_eq!(judge(&ended(End::Finished, "a\n", ""), unsaid), Verdict::NoExpected);
    }
}
