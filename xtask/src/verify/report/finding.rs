//! What is wrong with an example, and the command that shows it again.

use crate::{
    diff,
    verify::{
        backend::{self, Backend},
        judge::{self, Judged, Party, Verdict},
        normalise::normalise,
        options::Options,
        run::End,
        schedule::Schedule,
    },
};

use super::ReportedRow;

/// One thing that is wrong with an example.
#[derive(Debug)]
pub(super) struct Finding {
    /// What: the name of a verdict, or `disagree`.
    pub(super) kind: &'static str,
    /// Where.
    pub(super) backends: Vec<Backend>,
    /// Under which schedule, if it was simulated.
    pub(super) schedule: Option<Schedule>,
    /// All about it, in lines.
    pub(super) text: String,
    /// The command that repeats it, or the one that cures it.
    pub(super) command: String,
}

/// Everything that is wrong with an example; the same on several backends is one finding.
pub(super) fn findings(row: &ReportedRow, options: &Options) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        alike(row, options).into_iter().map(|runs| failed(row, &runs, options)).collect();
    findings.extend(disagreement(row, options));
    if row.judged.iter().any(|one| one.verdict == Verdict::NoExpected) {
        findings.push(no_expected(row));
    }
    findings
}

/// The runs that failed by themselves, grouped by how.
fn alike<'a>(row: &'a ReportedRow, options: &Options) -> Vec<Vec<&'a Judged>> {
    let mut groups: Vec<Vec<&Judged>> = Vec::new();
    for one in &row.judged {
        match one.verdict {
            Verdict::Ok | Verdict::NoExpected => continue,
            // From the other backends, that is: the parties tell it.
            Verdict::Differs if options.bless => continue,
            Verdict::Differs
            | Verdict::Untold
            | Verdict::Strayed
            | Verdict::Crashed
            | Verdict::Hung
            | Verdict::NotStarted => {}
        }
        let same = |group: &&mut Vec<&Judged>| {
            let other = group[0];
            one.verdict == other.verdict
                && one.run.end == other.run.end
                && one.output == other.output
                && one.run.stderr == other.run.stderr
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

fn failed(row: &ReportedRow, runs: &[&Judged], options: &Options) -> Finding {
    let one = runs[0];
    let mut backends: Vec<Backend> = runs.iter().map(|one| one.backend).collect();
    backends.dedup();
    let schedule = runs.iter().find_map(|one| one.run.schedule.as_ref());
    let names = backend::names(&backends, ", ");
    let expected_path = row.example.expected_path();
    let what = match &one.run.end {
        End::Finished => format!("differs from {expected_path}"),
        End::Strayed => "is not deterministic: it did not choose as it was told".to_owned(),
        End::Untold => "was not simulated: it did not say what it chose".to_owned(),
        End::Crashed(status) => format!("crashed ({status})"),
        End::Hung => format!("hung (killed after {} s)", options.limit.as_secs_f64()),
        End::NotStarted(why) => format!("could not be started: {why}"),
    };
    let mut text = format!("{}: {what} on {names}", row.example.name);
    if let Some(schedule) = schedule {
        text += &format!(" under {schedule}");
    }
    // Of a simulation only the runs that were not alike are kept: they are not to be counted.
    let real = |one: &&Judged| one.run.schedule.is_none() && backends.contains(&one.backend);
    let failed = runs.iter().copied().filter(real).count();
    if options.rounds.get() > 1 && 0 < failed {
        let all = row.judged.iter().filter(real).count();
        text += &format!(", in {failed} of {all} runs");
    }
    text.push('\n');
    match (&one.run.end, &row.example.expected) {
        (End::Finished, Some(expected)) => {
            // Else lines that may come in any order would look like differences.
            let any_order = &row.example.directives.any_order;
            let expected = normalise(expected, any_order);
            text += &diff::unified((&expected_path, &expected), (&names, &one.output));
        }
        (End::NotStarted(_) | End::Strayed | End::Untold, _) => {}
        _ => text += &section("stdout so far", &one.run.stdout),
    }
    if !one.run.stderr.is_empty() {
        text += &section("stderr", &one.run.stderr);
    }
    // What depends on more than its schedule is not repeated by that.
    let repeatable = |_: &&Schedule| {
        !row.example.directives.threads && !matches!(one.run.end, End::Strayed | End::Untold)
    };
    let command = repeat(row, Some(&backends), schedule.filter(repeatable), options);
    let schedule = schedule.cloned();
    Finding { kind: one.verdict.name(), backends, schedule, text, command }
}

fn section(title: &str, output: &[u8]) -> String {
    match output.is_empty() {
        true => format!("{title}: nothing\n"),
        false => format!("{title}:\n{}", diff::quoted(output)),
    }
}

/// Who says what, where there is nothing to say who is right.
fn disagreement(row: &ReportedRow, options: &Options) -> Option<Finding> {
    let judged_by_file = row.example.expected.is_some() && !options.bless;
    let parties = judge::parties(&row.judged);
    if judged_by_file || parties.len() < 2 {
        return None;
    }
    let names = |party: &Party<'_>| {
        let names = backend::names(&party.backends, ", ");
        let mut runs = row.judged.iter().filter(|one| one.output == party.output);
        match runs.find_map(|one| one.run.schedule.as_ref()) {
            Some(schedule) => format!("{names} under {schedule}"),
            None => names,
        }
    };
    let sides: Vec<String> = parties.iter().map(names).collect();
    let mut text = format!("{}: the backends disagree: ", row.example.name);
    text += &format!("{}\n", sides.join(" against "));
    for (party, side) in parties.iter().zip(&sides).skip(1) {
        text += &diff::unified((&sides[0], parties[0].output), (side, party.output));
    }
    let mut backends: Vec<Backend> =
        parties.iter().flat_map(|party| party.backends.iter().copied()).collect();
    backends.sort_unstable();
    backends.dedup();
    let command = repeat(row, None, None, options);
    Some(Finding { kind: "disagree", backends, schedule: None, text, command })
}

fn no_expected(row: &ReportedRow) -> Finding {
    let without = row.judged.iter().filter(|one| one.verdict == Verdict::NoExpected);
    let mut backends: Vec<Backend> = without.map(|one| one.backend).collect();
    backends.dedup();
    let (name, path) = (&row.example.name, row.example.expected_path());
    Finding {
        kind: Verdict::NoExpected.name(),
        backends,
        schedule: None,
        text: format!("{name}: no expected output: {path} does not exist\n"),
        command: format!("cargo xtask verify --example {name} --bless"),
    }
}

fn repeat(
    row: &ReportedRow,
    backends: Option<&[Backend]>,
    schedule: Option<&Schedule>,
    options: &Options,
) -> String {
    let mut command = "cargo xtask verify".to_owned();
    // Blessing is for all backends, so it cannot be repeated for some.
    if let Some(backends) = backends {
        command += &format!(" --runtime {}", backend::names(backends, ","));
    }
    command += &format!(" --example {}", row.example.name);
    let simulated = backends.is_none_or(|backends| backends.contains(&Backend::Sim));
    match schedule {
        Some(schedule) => command += &format!(" --schedule {schedule}"),
        None if simulated => {
            if options.seeds != Options::SEEDS {
                command += &format!(" --seeds {}", options.seeds);
            }
            if options.schedules != Options::SCHEDULES {
                command += &format!(" --schedules {}", options.schedules);
            }
        }
        None => {}
    }
    if options.rounds.get() > 1 && backends != Some(&[Backend::Sim]) {
        command += &format!(" --repeat {}", options.rounds);
    }
    if options.limit != Options::LIMIT {
        command += &format!(" --timeout {}", options.limit.as_secs_f64());
    }
    command
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::*;
    use crate::verify::{
        example::Example,
        judge::{
            Reference, judge,
            tests::{ended, printed},
        },
        run::Run,
    };

    fn row(expected: Option<&str>, runs: impl IntoIterator<Item = (Backend, Run)>) -> ReportedRow {
        let expected = expected.map(|text| text.as_bytes().to_vec());
        let reference = expected.as_deref().map_or(Reference::Missing, Reference::File);
        let judged = judge(runs, reference, &[]);
        let directives = Default::default();
        let example = Example { name: "gather".into(), directives, expected, has_twin: true };
        ReportedRow { example, judged, absent: Vec::new(), explored: None, blessing: None }
    }

    #[test]
    fn the_same_failure_on_several_backends_is_one_finding_with_one_command() {
        let runs = [
            printed(Backend::Smol, "wrong\n"),
            printed(Backend::AsyncStd, "right\n"),
            printed(Backend::Asyncio, "wrong\n"),
        ];
        let findings = findings(&row(Some("right\n"), runs), &Options::default());
        assert_eq!(findings.len(), 1);
        assert_eq!(
            findings[0].command,
            "cargo xtask verify --runtime smol,asyncio --example gather"
        );
        let text = &findings[0].text;
        assert!(text.starts_with("gather: differs from examples/gather.out on smol, asyncio\n"));
        assert!(text.contains("\n-right\n+wrong\n"), "{text}");
    }

    #[test]
    fn the_command_repeats_the_options_that_matter() {
        let options = Options {
            rounds: NonZeroU32::new(3).unwrap(),
            limit: Duration::from_millis(1500),
            ..Options::default()
        };
        let runs = [
            ended(Backend::Smol, End::Hung, "half\n"),
            printed(Backend::Smol, "right\n"),
            printed(Backend::Smol, "right\n"),
        ];
        let findings = findings(&row(Some("right\n"), runs), &options);
        let all = "cargo xtask verify --runtime smol --example gather --repeat 3 --timeout 1.5";
        assert_eq!(findings[0].command, all);
        let text = &findings[0].text;
        assert!(text.starts_with("gather: hung (killed after 1.5 s) on smol, in 1 of 3 runs\n"));
        assert!(text.contains("stdout so far:\n  | half\n"), "{text}");
    }

    fn simulated(schedule: Schedule, run: (Backend, Run)) -> (Backend, Run) {
        (run.0, Run { schedule: Some(schedule), ..run.1 })
    }

    #[test]
    fn a_simulated_failure_names_its_schedule_and_the_command_repeats_it() {
        let runs = [
            simulated(Schedule::FIRST, printed(Backend::Sim, "right\n")),
            simulated(Schedule::Seed(17), printed(Backend::Sim, "wrong\n")),
            simulated(Schedule::Choices(vec![1, 0, 2]), ended(Backend::Sim, End::Strayed, "")),
        ];
        let options =
            Options { seeds: 50, rounds: NonZeroU32::new(3).unwrap(), ..Options::default() };
        let findings = findings(&row(Some("right\n"), runs), &options);
        let text = &findings[0].text;
        let first = "gather: differs from examples/gather.out on sim under seed=17\n";
        assert!(text.starts_with(first), "{text}");
        let command = "cargo xtask verify --runtime sim --example gather --schedule seed=17";
        assert_eq!(findings[0].command, command);
        let text = &findings[1].text;
        assert!(text.starts_with("gather: is not deterministic: "), "{text}");
        assert!(text.contains("on sim under choices=1,0,2\n"), "{text}");
        let command = "cargo xtask verify --runtime sim --example gather --seeds 50";
        assert_eq!(findings[1].command, command);
    }

    #[test]
    fn a_failure_that_is_not_only_of_the_simulation_is_one_finding() {
        let runs = [
            printed(Backend::Smol, "wrong\n"),
            simulated(Schedule::FIRST, printed(Backend::Sim, "wrong\n")),
        ];
        let findings = findings(&row(Some("right\n"), runs), &Options::default());
        let command = "cargo xtask verify --runtime smol,sim --example gather --schedule choices=";
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].command, command);
    }

    #[test]
    fn schedules_that_disagree_are_told_apart() {
        let runs = [
            printed(Backend::Smol, "a\n"),
            simulated(Schedule::FIRST, printed(Backend::Sim, "a\n")),
            simulated(Schedule::Seed(3), printed(Backend::Sim, "b\n")),
        ];
        let text = &findings(&row(None, runs), &Options::default())[0].text;
        assert!(text.contains("smol, sim under choices= against sim under seed=3\n"), "{text}");
    }

    #[test]
    fn without_an_expected_output_the_cure_is_named_and_the_parties_are_shown() {
        let runs = [printed(Backend::Smol, "a\n"), printed(Backend::AsyncStd, "b\n")];
        let findings = findings(&row(None, runs), &Options::default());
        let kinds: Vec<_> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, ["disagree", "no expected"]);
        let text = &findings[0].text;
        assert!(text.contains("smol against async-std\n--- smol\n+++ async-std\n"), "{text}");
        assert_eq!(findings[1].command, "cargo xtask verify --example gather --bless");
    }

    #[test]
    fn nothing_wrong_is_no_finding() {
        let right = row(Some("a\n"), [printed(Backend::Smol, "a\n")]);
        assert!(findings(&right, &Options::default()).is_empty());
    }
}
