//! The report as JSON.

use serde_json::{Map, Value, json};

use crate::verify::{bless::Blessing, explored::Coverage};

use super::{
    Report, ReportedRow,
    cell::Cell,
    finding::{self, Finding},
    human,
};

/// Returns the report as JSON.
pub(crate) fn value(report: &Report<'_>) -> Value {
    let not_run =
        report.unavailable.iter().map(|(backend, why)| (backend.name().to_owned(), json!(why)));
    json!({
        "exit_code": report.exit_code(),
        "summary": human::summary(report),
        "runs": report.runs,
        "seconds": report.elapsed.as_secs_f64(),
        "not_run": not_run.collect::<Map<String, Value>>(),
        "examples": report.rows.iter().map(|row| example(row, report)).collect::<Vec<_>>(),
    })
}

fn example(row: &ReportedRow, report: &Report<'_>) -> Value {
    let cell = |&backend| {
        let cell = Cell::of(row, backend);
        let mut value = json!({ "backend": backend.name(), "verdict": cell.name() });
        match cell {
            Cell::DoesNotApply | Cell::NotRun => {}
            Cell::Ran { explored: Some(explored), .. } => {
                value["runs"] = json!(explored.runs);
                value["seeds"] = json!(explored.seeds);
                value["distinct_schedules_of_seeds"] = json!(explored.distinct);
                value["schedules_searched"] = json!(explored.schedules);
                value["exhaustive"] =
                    json!(explored.coverage == Coverage::Exhaustive && !explored.stopped);
                value["explored"] = json!(explored.to_string());
            }
            Cell::Ran { with_verdict, rounds, slowest, explored: None, .. } => {
                value["runs"] = json!(rounds);
                value["runs_with_this_verdict"] = json!(with_verdict);
                value["seconds"] = json!(slowest.as_secs_f64());
            }
        }
        value
    };
    let findings = finding::findings(row, report.options);
    let mut value = json!({
        "name": row.example.name,
        "expected": row.example.expected_path(),
        "cells": report.backends.iter().map(cell).collect::<Vec<_>>(),
        "findings": findings.iter().map(finding_value).collect::<Vec<_>>(),
    });
    if !row.example.directives.only.is_empty() {
        let only = row.example.directives.only.iter().map(|backend| backend.name());
        value["only"] = json!(only.collect::<Vec<_>>());
    }
    match &row.blessing {
        None => {}
        Some(Blessing::Unchanged) => value["blessing"] = json!("unchanged"),
        Some(Blessing::Write(_)) => value["blessing"] = json!("written"),
        Some(Blessing::Refused(reasons)) => {
            value["blessing"] = json!("refused");
            value["reasons"] = json!(reasons);
        }
    }
    value
}

fn finding_value(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind,
        "backends": finding.backends.iter().map(|backend| backend.name()).collect::<Vec<_>>(),
        "text": finding.text,
        "schedule": finding.schedule.as_ref().map(ToString::to_string),
        "command": finding.command,
    })
}
