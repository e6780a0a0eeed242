//! The failures of an example, each with the command that repeats it.

use crate::{
    diff,
    verify::{
        backend::{self, Backend},
        judge::{self, JudgedRun, OutputGroup, Verdict},
        normalise::normalise,
        options::Options,
        run::RunStatus,
        schedule::Schedule,
    },
};

use super::ReportedRow;

/// A failure of an example.
#[derive(Debug)]
pub(super) struct Finding {
    /// The name of a verdict, or `disagree`.
    pub(super) kind: &'static str,
    /// The backends that fail alike.
    pub(super) backends: Vec<Backend>,
    /// The schedule, if the run was simulated.
    pub(super) schedule: Option<Schedule>,
    /// The description, in lines.
    pub(super) text: String,
    /// The command that repeats the failure, or fixes it.
    pub(super) command: String,
}

/// Returns the failures of an example. The same failure on several backends is one finding.
pub(super) fn findings(row: &ReportedRow, options: &Options) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        group_failures(row, options).into_iter().map(|runs| failure(row, &runs, options)).collect();
    findings.extend(disagreement(row, options));
    if row.judged.iter().any(|one| one.verdict == Verdict::NoExpected) {
        findings.push(no_expected(row));
    }
    findings
}

/// Groups the runs that failed by how they failed.
fn group_failures<'a>(row: &'a ReportedRow, options: &Options) -> Vec<Vec<&'a JudgedRun>> {
    let mut groups: Vec<Vec<&JudgedRun>> = Vec::new();
    for one in &row.judged {
        match one.verdict {
            Verdict::Ok | Verdict::NoExpected => continue,
            // With `--bless`, outputs that differ are reported by `disagreement`.
            Verdict::Differs if options.bless => continue,
            Verdict::Differs
            | Verdict::NotSimulated
            | Verdict::Nondeterministic
            | Verdict::Crashed
            | Verdict::TimedOut
            | Verdict::NotStarted => {}
        }
        let same = |group: &&mut Vec<&JudgedRun>| {
            let other = group[0];
            one.verdict == other.verdict
                && one.run.status == other.run.status
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

fn failure(row: &ReportedRow, runs: &[&JudgedRun], options: &Options) -> Finding {
    let one = runs[0];
    let mut backends: Vec<Backend> = runs.iter().map(|one| one.backend).collect();
    backends.dedup();
    let schedule = runs.iter().find_map(|one| one.run.schedule.as_ref());
    let names = backend::names(&backends, ", ");
    let expected_path = row.example.expected_path();
    let what = match &one.run.status {
        RunStatus::Succeeded => format!("differs from {expected_path}"),
        RunStatus::Nondeterministic => {
            "is not deterministic: it did not follow its schedule".to_owned()
        }
        RunStatus::NotSimulated => "was not simulated: it did not write its choices".to_owned(),
        RunStatus::Crashed(status) => format!("crashed ({status})"),
        RunStatus::TimedOut => format!("timed out after {} s", options.timeout.as_secs_f64()),
        RunStatus::NotStarted(why) => format!("cannot be started: {why}"),
    };
    let mut text = format!("{}: {what} on {names}", row.example.name);
    if let Some(schedule) = schedule {
        text += &format!(" under {schedule}");
    }
    // A sweep keeps only the mismatches, so its runs are not counted.
    let real = |one: &&JudgedRun| one.run.schedule.is_none() && backends.contains(&one.backend);
    let failed = runs.iter().copied().filter(real).count();
    if options.rounds.get() > 1 && 0 < failed {
        let all = row.judged.iter().filter(real).count();
        text += &format!(", in {failed} of {all} runs");
    }
    text.push('\n');
    match (&one.run.status, &row.example.expected) {
        (RunStatus::Succeeded, Some(expected)) => {
            // Otherwise lines that may appear in any order would look like differences.
            let any_order = &row.example.directives.any_order;
            let expected = normalise(expected, any_order);
            text += &diff::unified((&expected_path, &expected), (&names, &one.output));
        }
        (RunStatus::NotStarted(_) | RunStatus::Nondeterministic | RunStatus::NotSimulated, _) => {}
        _ => text += &section("stdout", &one.run.stdout),
    }
    if !one.run.stderr.is_empty() {
        text += &section("stderr", &one.run.stderr);
    }
    // The schedule does not repeat a run that depends on more than the schedule.
    let repeatable = |_: &&Schedule| {
        !row.example.directives.threads
            && !matches!(one.run.status, RunStatus::Nondeterministic | RunStatus::NotSimulated)
    };
    let command = repeat_command(row, Some(&backends), schedule.filter(repeatable), options);
    let schedule = schedule.cloned();
    Finding { kind: one.verdict.name(), backends, schedule, text, command }
}

fn section(title: &str, output: &[u8]) -> String {
    match output.is_empty() {
        true => format!("{title}: empty\n"),
        false => format!("{title}:\n{}", diff::quoted(output)),
    }
}

/// Reports the backends that disagree, if there is no expected output to compare with.
fn disagreement(row: &ReportedRow, options: &Options) -> Option<Finding> {
    let judged_by_file = row.example.expected.is_some() && !options.bless;
    let output_groups = judge::output_groups(&row.judged);
    if judged_by_file || output_groups.len() < 2 {
        return None;
    }
    let names = |group: &OutputGroup<'_>| {
        let names = backend::names(&group.backends, ", ");
        let mut runs = row.judged.iter().filter(|one| one.output == group.output);
        match runs.find_map(|one| one.run.schedule.as_ref()) {
            Some(schedule) => format!("{names} under {schedule}"),
            None => names,
        }
    };
    let sides: Vec<String> = output_groups.iter().map(names).collect();
    let mut text = format!("{}: the backends disagree: ", row.example.name);
    text += &format!("{}\n", sides.join(" against "));
    for (group, side) in output_groups.iter().zip(&sides).skip(1) {
        text += &diff::unified((&sides[0], output_groups[0].output), (side, group.output));
    }
    let mut backends: Vec<Backend> =
        output_groups.iter().flat_map(|group| group.backends.iter().copied()).collect();
    backends.sort_unstable();
    backends.dedup();
    let command = repeat_command(row, None, None, options);
    Some(Finding { kind: "disagree", backends, schedule: None, text, command })
}

fn no_expected(row: &ReportedRow) -> Finding {
    let runs = row.judged.iter().filter(|one| one.verdict == Verdict::NoExpected);
    let mut backends: Vec<Backend> = runs.map(|one| one.backend).collect();
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

fn repeat_command(
    row: &ReportedRow,
    backends: Option<&[Backend]>,
    schedule: Option<&Schedule>,
    options: &Options,
) -> String {
    let mut command = "cargo xtask verify".to_owned();
    // `--bless` cannot be combined with `--runtime`.
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
    if options.timeout != Options::TIMEOUT {
        command += &format!(" --timeout {}", options.timeout.as_secs_f64());
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
            tests::{printed, run_with},
        },
        run::Run,
    };

    fn row(expected: Option<&str>, runs: impl IntoIterator<Item = (Backend, Run)>) -> ReportedRow {
        let expected = expected.map(|text| text.as_bytes().to_vec());
        let reference = expected.as_deref().map_or(Reference::Missing, Reference::File);
        let judged = judge(runs, reference, &[]);
        let directives = Default::default();
        let example = Example { name: "gather".into(), directives, expected, has_twin: true };
        ReportedRow { example, judged, unavailable: Vec::new(), explored: None, blessing: None }
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
    fn the_command_has_the_options_that_differ_from_their_defaults() {
        let options = Options {
            rounds: NonZeroU32::new(3).unwrap(),
            timeout: Duration::from_millis(1500),
            ..Options::default()
        };
        let runs = [
            run_with(Backend::Smol, RunStatus::TimedOut, "half\n"),
            printed(Backend::Smol, "right\n"),
            printed(Backend::Smol, "right\n"),
        ];
        let findings = findings(&row(Some("right\n"), runs), &options);
        let all = "cargo xtask verify --runtime smol --example gather --repeat 3 --timeout 1.5";
        assert_eq!(findings[0].command, all);
        let text = &findings[0].text;
        assert!(text.starts_with("gather: timed out after 1.5 s on smol, in 1 of 3 runs\n"));
        assert!(text.contains("stdout:\n  | half\n"), "{text}");
    }

    fn simulated(schedule: Schedule, run: (Backend, Run)) -> (Backend, Run) {
        (run.0, Run { schedule: Some(schedule), ..run.1 })
    }

    #[test]
    fn a_simulated_failure_names_its_schedule_and_the_command_repeats_it() {
        let runs = [
            simulated(Schedule::FIRST, printed(Backend::Sim, "right\n")),
            simulated(Schedule::Seed(17), printed(Backend::Sim, "wrong\n")),
            simulated(
                Schedule::Choices(vec![1, 0, 2]),
                run_with(Backend::Sim, RunStatus::Nondeterministic, ""),
            ),
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
    fn the_same_failure_on_a_runtime_and_in_simulation_is_one_finding() {
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
    fn schedules_that_disagree_are_named() {
        let runs = [
            printed(Backend::Smol, "a\n"),
            simulated(Schedule::FIRST, printed(Backend::Sim, "a\n")),
            simulated(Schedule::Seed(3), printed(Backend::Sim, "b\n")),
        ];
        let text = &findings(&row(None, runs), &Options::default())[0].text;
        assert!(text.contains("smol, sim under choices= against sim under seed=3\n"), "{text}");
    }

    #[test]
    fn without_an_expected_output_the_command_and_the_outputs_are_shown() {
        let runs = [printed(Backend::Smol, "a\n"), printed(Backend::AsyncStd, "b\n")];
        let findings = findings(&row(None, runs), &Options::default());
        let kinds: Vec<_> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, ["disagree", "no expected"]);
        let text = &findings[0].text;
        assert!(text.contains("smol against async-std\n--- smol\n+++ async-std\n"), "{text}");
        assert_eq!(findings[1].command, "cargo xtask verify --example gather --bless");
    }

    #[test]
    fn an_example_without_failures_has_no_finding() {
        let right = row(Some("a\n"), [printed(Backend::Smol, "a\n")]);
        assert!(findings(&right, &Options::default()).is_empty());
    }
}
