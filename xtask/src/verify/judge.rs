//! Judges the runs of an example: first how each program exited, then its output.

use super::{
    backend::Backend,
    normalise::normalise,
    run::{Run, RunStatus},
};

/// The output that runs are compared with.
#[derive(Debug, Clone, Copy)]
pub enum Reference<'a> {
    /// The expected output.
    File(&'a [u8]),
    /// The expected output is missing.
    Missing,
    /// The outputs of the other backends, with `--bless`.
    EachOther,
}

/// The verdict on a run, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The output is as expected.
    Ok,
    /// The program succeeded, and there is no expected output.
    NoExpected,
    /// The output is not as expected.
    Differs,
    /// The program succeeded, and did not write its choices.
    NotSimulated,
    /// The program succeeded, and did not follow its schedule.
    Nondeterministic,
    /// The program was killed by a signal, or exited with another status than 0.
    Crashed,
    /// The program was killed at its time limit.
    TimedOut,
    /// The operating system could not start the program.
    NotStarted,
}

impl Verdict {
    /// The verdict's name in the matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoExpected => "no expected",
            Self::Differs => "differs",
            Self::NotSimulated => "not simulated",
            Self::Nondeterministic => "not deterministic",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed out",
            Self::NotStarted => "not started",
        }
    }
}

/// A run and its verdict.
#[derive(Debug, Clone)]
pub struct JudgedRun {
    /// The backend it ran on.
    pub backend: Backend,
    /// The run.
    pub run: Run,
    /// The verdict.
    pub verdict: Verdict,
    /// The normal form of its output.
    pub output: Vec<u8>,
}

/// Judges every run of one example.
pub fn judge(
    runs: impl IntoIterator<Item = (Backend, Run)>,
    reference: Reference<'_>,
    any_order: &[String],
) -> Vec<JudgedRun> {
    let judge_alone = |(backend, run): (Backend, Run)| {
        let verdict = match run.status {
            RunStatus::Succeeded => Verdict::Ok,
            RunStatus::NotSimulated => Verdict::NotSimulated,
            RunStatus::Nondeterministic => Verdict::Nondeterministic,
            RunStatus::Crashed(_) => Verdict::Crashed,
            RunStatus::TimedOut => Verdict::TimedOut,
            RunStatus::NotStarted(_) => Verdict::NotStarted,
        };
        JudgedRun { backend, verdict, output: normalise(&run.stdout, any_order), run }
    };
    let mut judged: Vec<JudgedRun> = runs.into_iter().map(judge_alone).collect();
    let agree = output_groups(&judged).len() <= 1;
    // A file that was edited by hand may not be in the normal form.
    let expected = match reference {
        Reference::File(expected) => normalise(expected, any_order),
        Reference::Missing | Reference::EachOther => Vec::new(),
    };
    for one in judged.iter_mut().filter(|one| one.verdict == Verdict::Ok) {
        one.verdict = match reference {
            Reference::File(_) if one.output == expected => Verdict::Ok,
            Reference::File(_) => Verdict::Differs,
            Reference::Missing => Verdict::NoExpected,
            Reference::EachOther if agree => Verdict::Ok,
            Reference::EachOther => Verdict::Differs,
        };
    }
    judged
}

/// The backends that printed one output.
#[derive(Debug, PartialEq, Eq)]
pub struct OutputGroup<'a> {
    /// The backends, each once. A backend whose runs differ is in several groups.
    pub backends: Vec<Backend>,
    /// The output.
    pub output: &'a [u8],
}

/// Groups the runs that succeeded by their output. One group means that all backends agree.
pub fn output_groups(judged: &[JudgedRun]) -> Vec<OutputGroup<'_>> {
    let mut groups: Vec<OutputGroup<'_>> = Vec::new();
    for one in judged.iter().filter(|one| one.run.status == RunStatus::Succeeded) {
        match groups.iter_mut().find(|group| group.output == one.output) {
            Some(group) if group.backends.contains(&one.backend) => {}
            Some(group) => group.backends.push(one.backend),
            None => groups.push(OutputGroup { backends: vec![one.backend], output: &one.output }),
        }
    }
    groups
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    pub(in super::super) fn run_with(
        backend: Backend,
        status: RunStatus,
        stdout: &str,
    ) -> (Backend, Run) {
        let stdout = stdout.as_bytes().to_vec();
        (
            backend,
            Run {
                status,
                stdout,
                stderr: Vec::new(),
                elapsed: Duration::from_secs(1),
                schedule: None,
            },
        )
    }

    pub(in super::super) fn printed(backend: Backend, stdout: &str) -> (Backend, Run) {
        run_with(backend, RunStatus::Succeeded, stdout)
    }

    fn verdict(run: (Backend, Run), reference: Reference<'_>, any_order: &[&str]) -> Verdict {
        let any_order: Vec<String> = any_order.iter().map(|&prefix| prefix.to_owned()).collect();
        judge([run], reference, &any_order)[0].verdict
    }

    #[test]
    fn an_output_is_compared_byte_for_byte() {
        let expected = Reference::File(b"a\nb\n");
        let verdict = |stdout| verdict(printed(Backend::Smol, stdout), expected, &[]);
        assert_eq!(verdict("a\nb\n"), Verdict::Ok);
        for other in ["a\nb", "b\na\n", "a\nb\n\n", "a\r\nb\r\n", ""] {
            assert_eq!(verdict(other), Verdict::Differs, "{other:?}");
        }
    }

    #[test]
    fn lines_in_any_order_are_normalised_on_both_sides() {
        let run = || printed(Backend::Smol, ">b\n>a\nend\n");
        let expected = Reference::File(b">a\n>b\nend\n");
        assert_eq!(verdict(run(), expected, &[]), Verdict::Differs);
        assert_eq!(verdict(run(), expected, &[">"]), Verdict::Ok);
        let by_hand = Reference::File(b">b\n>a\nend\n");
        assert_eq!(verdict(printed(Backend::Smol, ">a\n>b\nend\n"), by_hand, &[">"]), Verdict::Ok);
    }

    #[test]
    fn the_status_counts_before_the_output() {
        let expected = Reference::File(b"a\n");
        for (status, judged) in [
            (RunStatus::TimedOut, Verdict::TimedOut),
            (RunStatus::Nondeterministic, Verdict::Nondeterministic),
            (RunStatus::NotSimulated, Verdict::NotSimulated),
            (RunStatus::Crashed(Default::default()), Verdict::Crashed),
            (RunStatus::NotStarted("gone".to_owned()), Verdict::NotStarted),
        ] {
            assert_eq!(verdict(run_with(Backend::Smol, status, "a\n"), expected, &[]), judged);
        }
    }

    #[test]
    fn without_an_expected_output_the_groups_show_which_backends_disagree() {
        let runs = [
            printed(Backend::Smol, ">b\n>a\n"),
            printed(Backend::AsyncStd, ">a\n>b\n"),
            run_with(Backend::TokioMultiThread, RunStatus::TimedOut, ">a\n"),
            printed(Backend::Asyncio, ">c\n"),
            printed(Backend::Asyncio, ">a\n>b\n"),
        ];
        let judged = judge(runs, Reference::Missing, &[">".to_owned()]);
        assert_eq!(judged[0].verdict, Verdict::NoExpected);
        assert_eq!(judged[2].verdict, Verdict::TimedOut);
        let output_groups = output_groups(&judged);
        assert_eq!(output_groups.len(), 2);
        assert_eq!(output_groups[0].backends, [Backend::Smol, Backend::AsyncStd, Backend::Asyncio]);
        assert_eq!(
            output_groups[1],
            OutputGroup { backends: vec![Backend::Asyncio], output: b">c\n" }
        );
    }

    #[test]
    fn compared_with_each_other_all_runs_agree_or_all_differ() {
        let agree = [printed(Backend::Smol, "a\n"), printed(Backend::Asyncio, "a\n")];
        let judged = judge(agree, Reference::EachOther, &[]);
        assert!(judged.iter().all(|one| one.verdict == Verdict::Ok));
        let differ = [printed(Backend::Smol, "a\n"), printed(Backend::Asyncio, "b\n")];
        let judged = judge(differ, Reference::EachOther, &[]);
        assert!(judged.iter().all(|one| one.verdict == Verdict::Differs));
    }
}
