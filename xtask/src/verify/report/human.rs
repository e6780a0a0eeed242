//! The report as text: the matrix, the failures, and a summary line.

use std::io::{self, Write};

use crate::verify::{
    backend::{self, Backend},
    bless::Blessing,
};

use super::{Report, ReportedRow, cell::Cell, finding};

/// Writes the report.
pub(crate) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    matrix(out, report)?;
    for row in &report.rows {
        for finding in finding::findings(row, report.options) {
            let verb = if finding.kind == "no expected" { "create it" } else { "repeat" };
            write!(out, "\n{}{verb} with: {}\n", finding.text, finding.command)?;
        }
    }
    writeln!(out)?;
    for row in &report.rows {
        blessing(out, row)?;
    }
    for (text, examples) in only(report) {
        writeln!(out, "only for {text}: {}", examples.join(", "))?;
    }
    for (text, examples) in explored(report) {
        writeln!(out, "sim: {}: {text}", examples.join(", "))?;
    }
    for (backend, reason) in &report.unavailable {
        writeln!(out, "{}: not run ({reason})", backend.name())?;
    }
    writeln!(out, "{}", summary(report))?;
    out.flush()
}

fn matrix(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let mut lines = vec![vec!["example".to_owned()]];
    lines[0].extend(report.backends.iter().map(|backend| backend.name().to_owned()));
    for row in &report.rows {
        let cell = |&backend: &Backend| Cell::of(row, backend).text();
        let cells = report.backends.iter().map(cell);
        lines.push([row.example.name.clone()].into_iter().chain(cells).collect());
    }
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    for line in &lines {
        let pad_to = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        writeln!(out, "{}", pad_to.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// The schedules that the examples were simulated under.
fn explored<'a>(report: &'a Report<'_>) -> Vec<(String, Vec<&'a str>)> {
    group_examples(report, |row| row.explored.map(|explored| explored.to_string()))
}

/// The examples that run on some backends only, which explains their empty cells.
fn only<'a>(report: &'a Report<'_>) -> Vec<(String, Vec<&'a str>)> {
    group_examples(report, |row| {
        let only = &row.example.directives.only;
        (!only.is_empty()).then(|| backend::names(only, ", "))
    })
}

/// Groups the examples by their text.
fn group_examples<'a>(
    report: &'a Report<'_>,
    text_of: impl Fn(&ReportedRow) -> Option<String>,
) -> Vec<(String, Vec<&'a str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for row in &report.rows {
        let Some(text) = text_of(row) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, examples)) => examples.push(&row.example.name),
            None => groups.push((text, vec![&row.example.name])),
        }
    }
    groups
}

fn blessing(out: &mut impl Write, row: &ReportedRow) -> io::Result<()> {
    let path = row.example.expected_path();
    match &row.blessing {
        None => Ok(()),
        Some(Blessing::Unchanged) => writeln!(out, "{path}: unchanged"),
        Some(Blessing::Write(_)) => writeln!(out, "{path}: written"),
        Some(Blessing::Refused(reasons)) => {
            writeln!(out, "{path}: not written: {}", reasons.join("; "))
        }
    }
}

/// Returns the last line of the report.
pub(super) fn summary(report: &Report<'_>) -> String {
    let failing: Vec<&str> =
        report.rows.iter().filter(|row| row.fails()).map(|row| row.example.name.as_str()).collect();
    let runs = format!("{} in {:.1} s", count(report.runs, "run"), report.elapsed.as_secs_f64());
    let examples = count(report.rows.len() as u64, "example");
    let backends = count(report.ran() as u64, "backend");
    if failing.is_empty() {
        let agree = if report.rows.len() == 1 { "agrees" } else { "agree" };
        return format!("verified: {examples} on {backends} {agree} ({runs})");
    }
    let fail = if failing.len() == 1 { "fails" } else { "fail" };
    format!(
        "not verified: {} of {examples} on {backends} {fail}: {} ({runs})",
        failing.len(),
        failing.join(", ")
    )
}

fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::*;
    use crate::verify::{
        example::Example,
        explored::{Coverage, Explored},
        judge::{
            Reference, judge,
            tests::{printed, run_with},
        },
        options::Options,
        report::json,
        run::{Run, RunStatus},
    };

    fn row(
        name: &str,
        expected: &str,
        runs: Vec<(Backend, Run)>,
        unavailable: &[Backend],
    ) -> ReportedRow {
        let judged = judge(runs, Reference::File(expected.as_bytes()), &[]);
        let directives = Default::default();
        let expected = Some(expected.as_bytes().to_vec());
        let example = Example { name: name.to_owned(), directives, expected, has_twin: true };
        let unavailable = unavailable.to_vec();
        ReportedRow { example, judged, unavailable, explored: None, blessing: None }
    }

    fn report(rows: Vec<ReportedRow>, options: &Options) -> Report<'_> {
        Report {
            rows,
            backends: vec![Backend::Smol, Backend::AsyncStd, Backend::Asyncio],
            unavailable: BTreeMap::from([(
                Backend::Asyncio,
                "requires python3 >= 3.11, found none".into(),
            )]),
            runs: 3,
            elapsed: Duration::from_millis(10_940),
            options,
        }
    }

    fn text(report: &Report<'_>) -> String {
        let mut out = Vec::new();
        write(&mut out, report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_matrix_has_examples_down_and_backends_across() {
        let options = Options::default();
        let both = vec![printed(Backend::Smol, "a\n"), printed(Backend::AsyncStd, "a\n")];
        let report = report(vec![row("gather", "a\n", both, &[Backend::Asyncio])], &options);
        assert_eq!(
            text(&report),
            "example  smol     async-std  asyncio\n\
             gather   ok 1.0s  ok 1.0s    not run\n\
             \n\
             asyncio: not run (requires python3 >= 3.11, found none)\n\
             verified: 1 example on 2 backends agrees (3 runs in 10.9 s)\n"
        );
        assert_eq!(report.exit_code(), 0);
    }

    #[test]
    fn empty_cells_of_an_example_for_some_backends_are_explained() {
        let options = Options::default();
        let mut before = row("before", "a\n", vec![printed(Backend::AsyncStd, "a\n")], &[]);
        before.example.directives.only = vec![Backend::AsyncStd, Backend::Asyncio];
        let both = vec![printed(Backend::Smol, "a\n"), printed(Backend::AsyncStd, "a\n")];
        let rows = vec![before, row("gather", "a\n", both, &[])];
        let report = Report { unavailable: BTreeMap::new(), ..report(rows, &options) };
        assert_eq!(
            text(&report),
            "example  smol     async-std  asyncio\n\
             before   -        ok 1.0s    -\n\
             gather   ok 1.0s  ok 1.0s    -\n\
             \n\
             only for async-std, asyncio: before\n\
             verified: 2 examples on 2 backends agree (3 runs in 10.9 s)\n"
        );
        let value = json::value(&report);
        assert_eq!(value["examples"][0]["only"], serde_json::json!(["async-std", "asyncio"]));
        assert!(value["examples"][1].get("only").is_none());
    }

    #[test]
    fn examples_with_the_same_schedules_share_a_line() {
        let options = Options::default();
        let sim = |name: &str, explored: Explored| {
            let row = row(name, "a\n", vec![printed(Backend::Sim, "a\n")], &[]);
            ReportedRow { explored: Some(explored), ..row }
        };
        let sampled = Explored {
            runs: 1200,
            seeds: 1000,
            distinct: 871,
            schedules: 200,
            coverage: Coverage::Bounded,
            stopped: false,
            not_searched: None,
        };
        let all = Explored { seeds: 0, schedules: 24, coverage: Coverage::Exhaustive, ..sampled };
        let rows = vec![sim("gather", sampled), sim("race", all), sim("wait", sampled)];
        let report = Report { backends: vec![Backend::Sim], ..report(rows, &options) };
        let text = text(&report);
        assert!(
            text.starts_with(
                "example  sim\n\
                 gather   ok 1,000 seeds\n\
                 race     ok all 24 schedules\n\
                 wait     ok 1,000 seeds\n\
                 \n\
                 sim: gather, wait: the first 200 schedules, and there are more; \
                 sampled: 1,000 seeds, 871 distinct schedules\n\
                 sim: race: exhaustive: 24 schedules\n"
            ),
            "{text}"
        );
        let cell = &json::value(&report)["examples"][0]["cells"][0];
        assert_eq!((&cell["seeds"], &cell["exhaustive"]), (&1000.into(), &false.into()));
        assert_eq!(cell["distinct_schedules_of_seeds"], 871);
    }

    #[test]
    fn the_last_line_counts_and_names_the_failures() {
        let options = Options::default();
        let good = row("gather", "a\n", vec![printed(Backend::Smol, "a\n")], &[]);
        let again = vec![
            printed(Backend::Smol, "b\n"),
            run_with(Backend::AsyncStd, RunStatus::TimedOut, ""),
        ];
        let report = report(vec![good, row("wait", "b\n", again, &[])], &options);
        let text = text(&report);
        assert!(text.contains("\nwait     ok 1.0s  timed out  -\n"), "{text}");
        let last = "not verified: 1 of 2 examples on 2 backends fails: wait (3 runs in 10.9 s)\n";
        assert!(text.ends_with(last), "{text}");
        assert_eq!(report.exit_code(), 1);
    }

    #[test]
    fn the_exit_code_is_2_if_a_program_cannot_be_started() {
        let options = Options::default();
        let not_started =
            vec![run_with(Backend::Smol, RunStatus::NotStarted("no such file".to_owned()), "")];
        let timed_out = vec![run_with(Backend::Smol, RunStatus::TimedOut, "")];
        let report =
            report(vec![row("a", "", not_started, &[]), row("b", "", timed_out, &[])], &options);
        assert_eq!(report.exit_code(), 2);
        assert!(text(&report).contains("a: cannot be started: no such file on smol"));
    }

    #[test]
    fn the_json_report_has_the_same_content() {
        let options = Options::default();
        let again = vec![printed(Backend::Smol, "b\n"), printed(Backend::AsyncStd, "c\n")];
        let report = report(vec![row("wait", "b\n", again, &[Backend::Asyncio])], &options);
        let value = json::value(&report);
        assert_eq!(value["exit_code"], 1);
        let cells = value["examples"][0]["cells"].as_array().unwrap();
        let verdicts: Vec<_> = cells.iter().map(|cell| cell["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["ok", "differs", "not run"]);
        assert_eq!(value["examples"][0]["findings"][0]["backends"][0], "async-std");
        assert_eq!(value["not_run"]["asyncio"], "requires python3 >= 3.11, found none");
        assert!(value["summary"].as_str().unwrap().starts_with("not verified: "));
    }
}
