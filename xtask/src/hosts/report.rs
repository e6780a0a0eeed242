//! Formats the results: a line for each host, and a summary.

use std::fmt::{self, Write};

use crate::{
    diff,
    verify::run::{Run, RunStatus},
};

use super::{host::Host, judge::Verdict};

/// The result of a host.
#[derive(Debug)]
pub(super) enum HostResult {
    /// A requirement is not met. Describes the requirement.
    NotRun(String),
    /// The build failed. Describes the failure.
    NotBuilt(String),
    /// Its expected output was written.
    Blessed,
    /// It ran.
    Ran {
        /// The verdict on the run.
        verdict: Verdict,
        /// The run.
        run: Run,
        /// The expected standard output.
        stdout: Option<Vec<u8>>,
        /// The expected standard error.
        stderr: Option<Vec<u8>>,
    },
}

/// Formats a host and its requirements for `--list`.
pub(super) fn list_entry(host: &Host) -> String {
    let mut text = format!("{}: {}\n", host.name, host.about);
    for requirement in &host.needs {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  needs {requirement}");
    }
    text
}

/// Formats the line of a host, followed by the differences if its output is not as expected.
pub(super) fn line(host: &Host, width: usize, result: &HostResult) -> String {
    let (what, details) = match result {
        HostResult::NotRun(why) => (format!("not run ({why})"), String::new()),
        HostResult::NotBuilt(why) => (format!("not built ({why})"), String::new()),
        HostResult::Blessed => {
            ("blessed: review the change before you commit it".to_owned(), String::new())
        }
        HostResult::Ran { verdict: Verdict::Agrees, run, .. } => {
            (format!("agrees {:.1}s", run.elapsed.as_secs_f64()), String::new())
        }
        HostResult::Ran { verdict, run, stdout, stderr } => (
            describe(*verdict, host, run),
            details(*verdict, run, stdout.as_deref(), stderr.as_deref()),
        ),
    };
    format!("{:width$}  {what}\n{details}", host.name)
}

fn describe(verdict: Verdict, host: &Host, run: &Run) -> String {
    let name = verdict.name();
    match (verdict, &run.status) {
        (Verdict::NoExpected, _) => {
            format!("{name}: create it with `cargo xtask hosts {} --bless`", host.name)
        }
        (Verdict::TimedOut, _) => format!("{name} after {:.1} s", run.elapsed.as_secs_f64()),
        (_, RunStatus::NotStarted(why)) => format!("{name}: {why}"),
        (Verdict::Crashed, RunStatus::Crashed(status)) => {
            format!("{name}: {status}, expected {}", host.exit)
        }
        (Verdict::Crashed, _) => format!("{name}: exit status: 0, expected {}", host.exit),
        _ => name.to_owned(),
    }
}

fn details(verdict: Verdict, run: &Run, stdout: Option<&[u8]>, stderr: Option<&[u8]>) -> String {
    let mut text = String::new();
    if let Some(stdout) = stdout.filter(|&stdout| stdout != run.stdout) {
        text += &diff::unified(("expected.out", stdout), ("stdout", &run.stdout));
    }
    match stderr {
        Some(stderr) if stderr != run.stderr => {
            text += &diff::unified(("expected.err", stderr), ("stderr", &run.stderr));
        }
        Some(_) => {}
        None if run.stderr.is_empty() => {}
        None => text += &format!("stderr:\n{}", diff::quoted(&run.stderr)),
    }
    if verdict == Verdict::NoExpected {
        text += &format!("stdout:\n{}", diff::quoted(&run.stdout));
    }
    text
}

/// The number of hosts per result.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    agree: usize,
    blessed: usize,
    fail: usize,
    not_run: usize,
    /// Hosts that could not be built or started, or were selected by name and lack a requirement.
    errors: usize,
}

impl Totals {
    /// Counts a result. `by_name` says whether the command line names the host.
    pub(super) fn count(&mut self, result: &HostResult, by_name: bool) {
        match result {
            HostResult::NotRun(_) if by_name => self.errors += 1,
            HostResult::NotRun(_) => self.not_run += 1,
            HostResult::NotBuilt(_) => self.errors += 1,
            HostResult::Blessed => self.blessed += 1,
            HostResult::Ran { verdict, .. } => match verdict {
                Verdict::Agrees => self.agree += 1,
                Verdict::NotStarted => self.errors += 1,
                Verdict::Differs | Verdict::NoExpected | Verdict::Crashed | Verdict::TimedOut => {
                    self.fail += 1;
                }
            },
        }
    }

    /// Returns 0 if all hosts agree, 1 if some differ, 2 if one could not run.
    pub(super) fn exit_code(&self) -> u8 {
        match (self.errors, self.fail) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agree, blessed, fail, not_run, errors } = self;
        let counted = [
            (agree, "agree"),
            (blessed, "blessed"),
            (fail, "fail"),
            (errors, "cannot run"),
            (not_run, "not run"),
        ];
        let counted = counted.iter().filter(|&&(&count, _)| 0 < count);
        let counted: Vec<String> = counted.map(|(count, what)| format!("{count} {what}")).collect();
        write!(
            f,
            "hosts: {}",
            if counted.is_empty() { "none".to_owned() } else { counted.join(", ") }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{super::judge::tests::run_with, *};

    fn host(name: &str) -> Host {
        Host {
            name: name.to_owned(),
            about: "a host".to_owned(),
            folder: "/hosts".into(),
            needs: Vec::new(),
            exit: 0,
        }
    }

    fn ran(
        verdict: Verdict,
        status: RunStatus,
        stdout: &str,
        stderr: &str,
        expected: &str,
    ) -> HostResult {
        let stdout = run_with(status, stdout, stderr);
        HostResult::Ran { verdict, run: stdout, stdout: Some(expected.into()), stderr: None }
    }

    #[test]
    fn a_host_that_agrees_has_one_line() {
        let result = ran(Verdict::Agrees, RunStatus::Succeeded, "a\n", "chatter\n", "a\n");
        assert_eq!(line(&host("glib"), 6, &result), "glib    agrees 1.0s\n");
        let result = HostResult::NotRun("program node not found".to_owned());
        assert_eq!(line(&host("wasm"), 4, &result), "wasm  not run (program node not found)\n");
    }

    #[test]
    fn a_host_that_differs_shows_a_diff_and_its_stderr() {
        let result = ran(Verdict::Differs, RunStatus::Succeeded, "b\n", "oh\n", "a\n");
        assert_eq!(
            line(&host("glib"), 4, &result),
            "glib  differs\n--- expected.out\n+++ stdout\n@@ -1 +1 @@\n-a\n+b\nstderr:\n  | oh\n"
        );
        let result = ran(Verdict::Crashed, RunStatus::Succeeded, "a\n", "", "a\n");
        let to_fail = Host { exit: 1, ..host("none") };
        assert_eq!(line(&to_fail, 4, &result), "none  crashed: exit status: 0, expected 1\n");
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst_result() {
        let agrees = ran(Verdict::Agrees, RunStatus::Succeeded, "", "", "");
        let differs = ran(Verdict::Differs, RunStatus::Succeeded, "b\n", "", "");
        let unavailable = || HostResult::NotRun("program node not found".to_owned());
        let mut totals = Totals::default();
        assert_eq!(totals.to_string(), "hosts: none");
        totals.count(&agrees, false);
        totals.count(&unavailable(), false);
        assert_eq!((totals.exit_code(), &totals.to_string()[..]), (0, "hosts: 1 agree, 1 not run"));
        totals.count(&differs, false);
        assert_eq!(totals.exit_code(), 1);
        totals.count(&unavailable(), true);
        assert_eq!(totals.exit_code(), 2);
        assert_eq!(totals.to_string(), "hosts: 1 agree, 1 fail, 1 cannot run, 1 not run");
    }
}
