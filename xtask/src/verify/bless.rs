//! Decides whether the output of the backends becomes the expected output.

use super::{
    backend::{self, Backend},
    judge::{self, JudgedRun, Verdict},
};

/// The decision about an expected output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blessing {
    /// The expected output is what all backends print.
    Unchanged,
    /// The expected output is replaced by this one: the normal form of what all backends print.
    Write(Vec<u8>),
    /// The expected output is not changed, for these reasons.
    Refused(Vec<String>),
}

/// Blesses an output only if every backend of the example ran, succeeded, and printed the same.
///
/// `unavailable` are the backends of the example that are not available on this machine.
pub fn decide(existing: Option<&[u8]>, unavailable: &[Backend], judged: &[JudgedRun]) -> Blessing {
    let mut reasons: Vec<String> =
        unavailable.iter().map(|backend| format!("{} did not run", backend.name())).collect();
    let failures = [
        Verdict::NotStarted,
        Verdict::TimedOut,
        Verdict::Crashed,
        Verdict::Nondeterministic,
        Verdict::NotSimulated,
    ];
    for verdict in failures {
        let mut backends: Vec<Backend> =
            judged.iter().filter(|one| one.verdict == verdict).map(|one| one.backend).collect();
        backends.dedup();
        if !backends.is_empty() {
            reasons.push(format!("{} on {}", verdict.name(), backend::names(&backends, ", ")));
        }
    }
    let output_groups = judge::output_groups(judged);
    match &output_groups[..] {
        [party] if reasons.is_empty() && existing == Some(party.output) => Blessing::Unchanged,
        [party] if reasons.is_empty() => Blessing::Write(party.output.to_vec()),
        [] | [_] => Blessing::Refused(reasons),
        _ => {
            reasons.push("the backends disagree".to_owned());
            Blessing::Refused(reasons)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{
        judge::{
            Reference, judge,
            tests::{printed, run_with},
        },
        run::{Run, RunStatus},
    };

    fn decided(
        existing: Option<&str>,
        unavailable: &[Backend],
        runs: impl IntoIterator<Item = (Backend, Run)>,
    ) -> Blessing {
        let judged = judge(runs, Reference::EachOther, &[">".to_owned()]);
        decide(existing.map(str::as_bytes), unavailable, &judged)
    }

    fn reasons(blessing: Blessing) -> String {
        match blessing {
            Blessing::Refused(reasons) => reasons.join("; "),
            other => panic!("{other:?}"),
        }
    }

    fn agreeing() -> [(Backend, Run); 2] {
        [printed(Backend::Smol, ">b\n>a\n"), printed(Backend::Asyncio, ">a\n>b\n")]
    }

    #[test]
    fn an_output_of_all_backends_is_written_in_the_normal_form() {
        let written = Blessing::Write(b">a\n>b\n".to_vec());
        assert_eq!(decided(None, &[], agreeing()), written);
        assert_eq!(decided(Some("old\n"), &[], agreeing()), written);
        assert_eq!(decided(Some(">b\n>a\n"), &[], agreeing()), written);
        assert_eq!(decided(Some(">a\n>b\n"), &[], agreeing()), Blessing::Unchanged);
    }

    #[test]
    fn a_backend_that_did_not_run_prevents_blessing() {
        let refused = decided(None, &[Backend::Sha256sum], agreeing());
        assert_eq!(reasons(refused), "sha256sum did not run");
        assert_eq!(reasons(decided(None, &[Backend::Smol], [])), "smol did not run");
    }

    #[test]
    fn a_backend_that_failed_prevents_blessing() {
        let timed_out = run_with(Backend::AsyncStd, RunStatus::TimedOut, ">a\n>b\n");
        let crashed =
            run_with(Backend::TokioMultiThread, RunStatus::Crashed(Default::default()), "");
        let nondeterministic = run_with(Backend::Sim, RunStatus::Nondeterministic, ">a\n>b\n");
        let runs = agreeing().into_iter().chain([crashed, timed_out, nondeterministic]);
        assert_eq!(
            reasons(decided(None, &[], runs)),
            "timed out on async-std; crashed on tokio-multi-thread; not deterministic on sim"
        );
    }

    #[test]
    fn backends_that_disagree_prevent_blessing() {
        let runs = agreeing().into_iter().chain([printed(Backend::Smol, ">c\n")]);
        assert_eq!(reasons(decided(None, &[], runs)), "the backends disagree");
    }
}
