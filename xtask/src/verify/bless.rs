//! Decides whether what the backends printed may become the expected output.

use super::{
    backend::{self, Backend},
    judge::{self, Judged, Verdict},
};

/// What becomes of an expected output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blessing {
    /// It is what all backends print already.
    Unchanged,
    /// It is to be written: the normal form of what all backends print.
    Write(Vec<u8>),
    /// It stays as it is, for these reasons.
    Refused(Vec<String>),
}

/// Blesses an output only if every backend that the example is for ran, ended well, and agrees.
///
/// `absent` are the backends that the example is for and that this machine does not have.
pub fn decide(existing: Option<&[u8]>, absent: &[Backend], judged: &[Judged]) -> Blessing {
    let mut reasons: Vec<String> =
        absent.iter().map(|backend| format!("{} did not run", backend.name())).collect();
    let badly =
        [Verdict::NotStarted, Verdict::Hung, Verdict::Crashed, Verdict::Strayed, Verdict::Untold];
    for verdict in badly {
        let mut backends: Vec<Backend> =
            judged.iter().filter(|one| one.verdict == verdict).map(|one| one.backend).collect();
        backends.dedup();
        if !backends.is_empty() {
            reasons.push(format!("{} on {}", verdict.name(), backend::names(&backends, ", ")));
        }
    }
    let parties = judge::parties(judged);
    match &parties[..] {
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
            tests::{ended, printed},
        },
        run::{End, Run},
    };

    fn decided(
        existing: Option<&str>,
        absent: &[Backend],
        runs: impl IntoIterator<Item = (Backend, Run)>,
    ) -> Blessing {
        let judged = judge(runs, Reference::EachOther, &[">".to_owned()]);
        decide(existing.map(str::as_bytes), absent, &judged)
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
    fn what_all_agree_on_is_written_in_the_normal_form() {
        let written = Blessing::Write(b">a\n>b\n".to_vec());
        assert_eq!(decided(None, &[], agreeing()), written);
        assert_eq!(decided(Some("old\n"), &[], agreeing()), written);
        assert_eq!(decided(Some(">b\n>a\n"), &[], agreeing()), written);
        assert_eq!(decided(Some(">a\n>b\n"), &[], agreeing()), Blessing::Unchanged);
    }

    #[test]
    fn a_backend_that_did_not_run_refuses() {
        let refused = decided(None, &[Backend::Sha256sum], agreeing());
        assert_eq!(reasons(refused), "sha256sum did not run");
        assert_eq!(reasons(decided(None, &[Backend::Smol], [])), "smol did not run");
    }

    #[test]
    fn a_backend_that_did_not_end_well_refuses() {
        let hung = ended(Backend::AsyncStd, End::Hung, ">a\n>b\n");
        let crashed = ended(Backend::TokioMultiThread, End::Crashed(Default::default()), "");
        let strayed = ended(Backend::Sim, End::Strayed, ">a\n>b\n");
        let runs = agreeing().into_iter().chain([crashed, hung, strayed]);
        assert_eq!(
            reasons(decided(None, &[], runs)),
            "hung on async-std; crashed on tokio-multi-thread; not deterministic on sim"
        );
    }

    #[test]
    fn backends_that_disagree_refuse() {
        let runs = agreeing().into_iter().chain([printed(Backend::Smol, ">c\n")]);
        assert_eq!(reasons(decided(None, &[], runs)), "the backends disagree");
    }
}
