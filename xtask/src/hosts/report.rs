//! What came of it: a line for each host, and one for all of them.

use std::fmt::{self, Write};

use crate::{
    diff,
    verify::run::{End, Run},
};

use super::{host::Host, judge::Verdict};

/// What became of a host.
#[derive(Debug)]
pub(super) enum Done {
    /// This machine has not what it needs; this says what that is.
    NotRun(String),
    /// It cannot be built; this says how that ended.
    NotBuilt(String),
    /// What it prints is what it is to print from now on.
    Blessed,
    /// It ran.
    Ran {
        /// How that is judged.
        verdict: Verdict,
        /// How that went.
        run: Run,
        /// What it was to print.
        stdout: Option<Vec<u8>>,
        /// What it was to print as errors.
        stderr: Option<Vec<u8>>,
    },
}

/// A host and what it needs.
pub(super) fn listed(host: &Host) -> String {
    let mut text = format!("{}: {}\n", host.name, host.about);
    for requirement in &host.needs {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  needs {requirement}");
    }
    text
}

/// The line of a host, and what there is to see if it does not agree.
pub(super) fn line(host: &Host, width: usize, done: &Done) -> String {
    let (what, details) = match done {
        Done::NotRun(why) => (format!("not run ({why})"), String::new()),
        Done::NotBuilt(why) => (format!("not built ({why})"), String::new()),
        Done::Blessed => {
            ("blessed: read the change before you commit it".to_owned(), String::new())
        }
        Done::Ran { verdict: Verdict::Agrees, run, .. } => {
            (format!("agrees {:.1}s", run.took.as_secs_f64()), String::new())
        }
        Done::Ran { verdict, run, stdout, stderr } => (
            said(*verdict, host, run),
            details(*verdict, run, stdout.as_deref(), stderr.as_deref()),
        ),
    };
    format!("{:width$}  {what}\n{details}", host.name)
}

fn said(verdict: Verdict, host: &Host, run: &Run) -> String {
    let name = verdict.name();
    match (verdict, &run.end) {
        (Verdict::NoExpected, _) => {
            format!("{name}: make it with `cargo xtask hosts {} --bless`", host.name)
        }
        (Verdict::Hung, _) => format!("{name}: killed after {:.1} s", run.took.as_secs_f64()),
        (_, End::NotStarted(why)) => format!("{name}: {why}"),
        (Verdict::Crashed, End::Crashed(status)) => {
            format!("{name}: {status}, and not {}", host.exit)
        }
        (Verdict::Crashed, _) => format!("{name}: exit status 0, and not {}", host.exit),
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

/// How many hosts did what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    agree: usize,
    blessed: usize,
    fail: usize,
    not_run: usize,
    /// Hosts that could not be built or started, or were asked for and have not what they need.
    lost: usize,
}

impl Tally {
    /// Counts one more; `by_name` if somebody has asked for it.
    pub(super) fn count(&mut self, done: &Done, by_name: bool) {
        match done {
            Done::NotRun(_) if by_name => self.lost += 1,
            Done::NotRun(_) => self.not_run += 1,
            Done::NotBuilt(_) => self.lost += 1,
            Done::Blessed => self.blessed += 1,
            Done::Ran { verdict, .. } => match verdict {
                Verdict::Agrees => self.agree += 1,
                Verdict::NotStarted => self.lost += 1,
                Verdict::Differs | Verdict::NoExpected | Verdict::Crashed | Verdict::Hung => {
                    self.fail += 1;
                }
            },
        }
    }

    /// 0 if all agree, 1 if some differ, 2 if one could not run.
    pub(super) fn exit_code(&self) -> u8 {
        match (self.lost, self.fail) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agree, blessed, fail, not_run, lost } = self;
        let counted = [
            (agree, "agree"),
            (blessed, "blessed"),
            (fail, "fail"),
            (lost, "could not run"),
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
    use super::{super::judge::tests::ended, *};

    fn host(name: &str) -> Host {
        Host {
            name: name.to_owned(),
            about: "a host".to_owned(),
            folder: "/hosts".into(),
            needs: Vec::new(),
            exit: 0,
        }
    }

    fn ran(verdict: Verdict, end: End, stdout: &str, stderr: &str, expected: &str) -> Done {
        let stdout = ended(end, stdout, stderr);
        Done::Ran { verdict, run: stdout, stdout: Some(expected.into()), stderr: None }
    }

    #[test]
    fn who_agrees_has_one_line() {
        let done = ran(Verdict::Agrees, End::Finished, "a\n", "chatter\n", "a\n");
        assert_eq!(line(&host("glib"), 6, &done), "glib    agrees 1.0s\n");
        let done = Done::NotRun("no program node".to_owned());
        assert_eq!(line(&host("wasm"), 4, &done), "wasm  not run (no program node)\n");
    }

    #[test]
    fn who_differs_shows_where_and_what_it_said() {
        let done = ran(Verdict::Differs, End::Finished, "b\n", "oh\n", "a\n");
        assert_eq!(
            line(&host("glib"), 4, &done),
            "glib  differs\n--- expected.out\n+++ stdout\n@@ -1 +1 @@\n-a\n+b\nstderr:\n  | oh\n"
        );
        let done = ran(Verdict::Crashed, End::Finished, "a\n", "", "a\n");
        let to_fail = Host { exit: 1, ..host("none") };
        assert_eq!(line(&to_fail, 4, &done), "none  crashed: exit status 0, and not 1\n");
    }

    #[test]
    fn the_exit_code_is_the_worst_of_all() {
        let agrees = ran(Verdict::Agrees, End::Finished, "", "", "");
        let differs = ran(Verdict::Differs, End::Finished, "b\n", "", "");
        let absent = || Done::NotRun("no program node".to_owned());
        let mut tally = Tally::default();
        assert_eq!(tally.to_string(), "hosts: none");
        tally.count(&agrees, false);
        tally.count(&absent(), false);
        assert_eq!((tally.exit_code(), &tally.to_string()[..]), (0, "hosts: 1 agree, 1 not run"));
        tally.count(&differs, false);
        assert_eq!(tally.exit_code(), 1);
        tally.count(&absent(), true);
        assert_eq!(tally.exit_code(), 2);
        assert_eq!(tally.to_string(), "hosts: 1 agree, 1 fail, 1 could not run, 1 not run");
    }
}
