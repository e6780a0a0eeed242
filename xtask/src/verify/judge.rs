//! Judges what the programs did: how they ended first, then what they printed.

use super::{
    backend::Backend,
    normalise::normalise,
    run::{End, Run},
};

/// What an output is compared with.
#[derive(Debug, Clone, Copy)]
pub enum Reference<'a> {
    /// The blessed output.
    File(&'a [u8]),
    /// There is no blessed output, and there should be.
    Missing,
    /// The outputs of the other backends: somebody wants to bless them.
    EachOther,
}

/// How a run is judged, the worse the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It printed what it was to print.
    Ok,
    /// It ended well, and nobody has said what it was to print.
    NoExpected,
    /// It printed something else.
    Differs,
    /// It ended well, and did not say what it chose.
    Untold,
    /// It ended well, and did not choose what it was told to.
    Strayed,
    /// It died, or said that it failed.
    Crashed,
    /// It had not ended at its time limit.
    Hung,
    /// It could not be started.
    NotStarted,
}

impl Verdict {
    /// Its name in the matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoExpected => "no expected",
            Self::Differs => "differs",
            Self::Untold => "not simulated",
            Self::Strayed => "not deterministic",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::NotStarted => "not started",
        }
    }
}

/// A run and its verdict.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Where it ran.
    pub backend: Backend,
    /// How it went.
    pub run: Run,
    /// How that is judged.
    pub verdict: Verdict,
    /// What it printed, with what may come in any order in one order.
    pub output: Vec<u8>,
}

/// Judges every run of one example.
pub fn judge(
    runs: impl IntoIterator<Item = (Backend, Run)>,
    reference: Reference<'_>,
    any_order: &[String],
) -> Vec<Judged> {
    let judge_alone = |(backend, run): (Backend, Run)| {
        let verdict = match run.end {
            End::Finished => Verdict::Ok,
            End::Untold => Verdict::Untold,
            End::Strayed => Verdict::Strayed,
            End::Crashed(_) => Verdict::Crashed,
            End::Hung => Verdict::Hung,
            End::NotStarted(_) => Verdict::NotStarted,
        };
        Judged { backend, verdict, output: normalise(&run.stdout, any_order), run }
    };
    let mut judged: Vec<Judged> = runs.into_iter().map(judge_alone).collect();
    let agree = parties(&judged).len() <= 1;
    // A file that nobody blessed need not be in the normal form.
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

/// Backends that printed the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Party<'a> {
    /// Who, each once; who did not always print the same is in several parties.
    pub backends: Vec<Backend>,
    /// What they printed.
    pub output: &'a [u8],
}

/// Groups the runs that ended well by what they printed; one party means that all agree.
pub fn parties(judged: &[Judged]) -> Vec<Party<'_>> {
    let mut parties: Vec<Party<'_>> = Vec::new();
    for one in judged.iter().filter(|one| one.run.end == End::Finished) {
        match parties.iter_mut().find(|party| party.output == one.output) {
            Some(party) if party.backends.contains(&one.backend) => {}
            Some(party) => party.backends.push(one.backend),
            None => parties.push(Party { backends: vec![one.backend], output: &one.output }),
        }
    }
    parties
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    pub(in super::super) fn ended(backend: Backend, end: End, stdout: &str) -> (Backend, Run) {
        let stdout = stdout.as_bytes().to_vec();
        (
            backend,
            Run { end, stdout, stderr: Vec::new(), took: Duration::from_secs(1), schedule: None },
        )
    }

    pub(in super::super) fn printed(backend: Backend, stdout: &str) -> (Backend, Run) {
        ended(backend, End::Finished, stdout)
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
    fn what_may_come_in_any_order_may_on_both_sides() {
        let run = || printed(Backend::Smol, ">b\n>a\nend\n");
        let expected = Reference::File(b">a\n>b\nend\n");
        assert_eq!(verdict(run(), expected, &[]), Verdict::Differs);
        assert_eq!(verdict(run(), expected, &[">"]), Verdict::Ok);
        let by_hand = Reference::File(b">b\n>a\nend\n");
        assert_eq!(verdict(printed(Backend::Smol, ">a\n>b\nend\n"), by_hand, &[">"]), Verdict::Ok);
    }

    #[test]
    fn how_it_ended_counts_before_what_it_printed() {
        let expected = Reference::File(b"a\n");
        for (end, judged) in [
            (End::Hung, Verdict::Hung),
            (End::Strayed, Verdict::Strayed),
            (End::Untold, Verdict::Untold),
            (End::Crashed(Default::default()), Verdict::Crashed),
            (End::NotStarted("gone".to_owned()), Verdict::NotStarted),
        ] {
            assert_eq!(verdict(ended(Backend::Smol, end, "a\n"), expected, &[]), judged);
        }
    }

    #[test]
    fn without_an_expected_output_the_parties_say_who_disagrees() {
        let runs = [
            printed(Backend::Smol, ">b\n>a\n"),
            printed(Backend::AsyncStd, ">a\n>b\n"),
            ended(Backend::TokioMultiThread, End::Hung, ">a\n"),
            printed(Backend::Asyncio, ">c\n"),
            printed(Backend::Asyncio, ">a\n>b\n"),
        ];
        let judged = judge(runs, Reference::Missing, &[">".to_owned()]);
        assert_eq!(judged[0].verdict, Verdict::NoExpected);
        assert_eq!(judged[2].verdict, Verdict::Hung);
        let parties = parties(&judged);
        assert_eq!(parties.len(), 2);
        assert_eq!(parties[0].backends, [Backend::Smol, Backend::AsyncStd, Backend::Asyncio]);
        assert_eq!(parties[1], Party { backends: vec![Backend::Asyncio], output: b">c\n" });
    }

    #[test]
    fn compared_with_each_other_all_are_right_or_nobody_is() {
        let agree = [printed(Backend::Smol, "a\n"), printed(Backend::Asyncio, "a\n")];
        let judged = judge(agree, Reference::EachOther, &[]);
        assert!(judged.iter().all(|one| one.verdict == Verdict::Ok));
        let differ = [printed(Backend::Smol, "a\n"), printed(Backend::Asyncio, "b\n")];
        let judged = judge(differ, Reference::EachOther, &[]);
        assert!(judged.iter().all(|one| one.verdict == Verdict::Differs));
    }
}
