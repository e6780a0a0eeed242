//! Judges the run of a host: first its exit status, then its output.

use crate::verify::run::{Run, RunStatus};

/// The expected result of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The exit status.
    pub exit: i32,
    /// The standard output, if it was blessed.
    pub stdout: Option<&'a [u8]>,
    /// The standard error, if it is compared.
    pub stderr: Option<&'a [u8]>,
}

/// The verdict on the run of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Exit status and output are as expected.
    Agrees,
    /// The exit status is as expected, and the output is not.
    Differs,
    /// The exit status is as expected, and there is no expected output.
    NoExpected,
    /// It was killed by a signal, or exited with another status.
    Crashed,
    /// It was killed at its time limit.
    TimedOut,
    /// The operating system could not start it.
    NotStarted,
}

impl Verdict {
    /// The verdict's name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NoExpected => "no expected.out",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed out",
            Self::NotStarted => "not started",
        }
    }
}

/// Judges a run.
pub fn judge(run: &Run, expected: Expected<'_>) -> Verdict {
    match &run.status {
        RunStatus::NotStarted(_) => return Verdict::NotStarted,
        RunStatus::TimedOut => return Verdict::TimedOut,
        status if exit(status) != Some(expected.exit) => return Verdict::Crashed,
        _ => {}
    }
    let Some(stdout) = expected.stdout else { return Verdict::NoExpected };
    let errors_agree = expected.stderr.is_none_or(|stderr| stderr == run.stderr);
    if stdout == run.stdout && errors_agree { Verdict::Agrees } else { Verdict::Differs }
}

fn exit(status: &RunStatus) -> Option<i32> {
    match status {
        RunStatus::Succeeded => Some(0),
        RunStatus::Crashed(status) => status.code(),
        // `judge` has handled the statuses of programs that were killed; the others are of simulations.
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{process::ExitStatus, time::Duration};

    use super::*;

    /// A run with this status and these outputs.
    pub(in super::super) fn run_with(status: RunStatus, stdout: &str, stderr: &str) -> Run {
        Run {
            status,
            stdout: stdout.into(),
            stderr: stderr.into(),
            elapsed: Duration::from_secs(1),
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
    fn stdout_is_compared_byte_for_byte() {
        for (printed, verdict) in
            [("a\n", Verdict::Agrees), ("a", Verdict::Differs), ("", Verdict::Differs)]
        {
            let run = run_with(RunStatus::Succeeded, printed, "");
            assert_eq!(judge(&run, expected("a\n", None)), verdict, "{printed:?}");
        }
    }

    #[test]
    fn stderr_is_compared_if_an_expected_one_exists() {
        let run = run_with(RunStatus::Succeeded, "a\n", "no\n");
        assert_eq!(judge(&run, expected("a\n", None)), Verdict::Agrees);
        assert_eq!(judge(&run, expected("a\n", Some("no\n"))), Verdict::Agrees);
        assert_eq!(judge(&run, expected("a\n", Some(""))), Verdict::Differs);
    }

    #[test]
    fn a_host_exits_with_exactly_the_expected_status() {
        let to_fail = Expected { exit: 1, ..expected("a\n", None) };
        let judged = |end| judge(&run_with(end, "a\n", ""), to_fail);
        assert_eq!(judged(RunStatus::Crashed(status(1))), Verdict::Agrees);
        assert_eq!(judged(RunStatus::Crashed(status(101))), Verdict::Crashed);
        assert_eq!(judged(RunStatus::Succeeded), Verdict::Crashed);
        let to_succeed = expected("a\n", None);
        let run = run_with(RunStatus::Crashed(status(1)), "a\n", "");
        assert_eq!(judge(&run, to_succeed), Verdict::Crashed);
    }

    #[test]
    fn the_status_counts_before_the_output() {
        for (status, verdict) in [
            (RunStatus::TimedOut, Verdict::TimedOut),
            (RunStatus::NotStarted("gone".to_owned()), Verdict::NotStarted),
        ] {
            assert_eq!(judge(&run_with(status, "a\n", ""), expected("a\n", None)), verdict);
        }
        let unblessed = Expected { stdout: None, ..expected("", None) };
        assert_eq!(
            judge(&run_with(RunStatus::Succeeded, "a\n", ""), unblessed),
            Verdict::NoExpected
        );
    }
}
