//! Reading the answer of `status.lua`.

use std::collections::BTreeMap;
use std::time::Duration;

use ::redis::Value;

use super::reply::{list_of, number_of, text_of, unknown};
use crate::error::EngineError;
use crate::job::BodyId;
use crate::status::{BodyStatus, RunStatus, Status, WorkerStatus};

pub(super) fn parse(answer: &Value) -> Result<Status, EngineError> {
    let [runs, bodies, workers] = list_of(answer)? else { return Err(unknown()) };
    let mut status = Status {
        runs: list_of(runs)?.iter().map(run).collect::<Result<_, _>>()?,
        bodies: Vec::new(),
        workers: Vec::new(),
    };
    for entry in list_of(bodies)? {
        // A name that is none of ours was written by another client.
        status.bodies.extend(body(entry)?);
    }
    // A worker is a consumer of each of its bodies.
    let mut by_name = BTreeMap::<String, WorkerStatus>::new();
    for entry in list_of(workers)? {
        let worker = worker(entry)?;
        match by_name.get_mut(&worker.name) {
            Some(known) => {
                known.held += worker.held;
                known.silent = known.silent.min(worker.silent);
            }
            None => drop(by_name.insert(worker.name.clone(), worker)),
        }
    }
    status.workers = by_name.into_values().collect();
    status.runs.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    status.bodies.sort_unstable_by(|a, b| a.body.cmp(&b.body));
    Ok(status)
}

fn run(entry: &Value) -> Result<RunStatus, EngineError> {
    let [name, is_held, jobs, expires] = list_of(entry)? else { return Err(unknown()) };
    let expires_in = match text_of(expires)? {
        "never" => None,
        left => Some(Duration::from_millis(left.parse().map_err(|_| unknown())?)),
    };
    let name = name_of(name)?;
    Ok(RunStatus { name, is_held: number_of(is_held)? == 1, jobs: count_of(jobs)?, expires_in })
}

fn body(entry: &Value) -> Result<Option<BodyStatus>, EngineError> {
    let [name, is_served, queued, running, completed, deaths] = list_of(entry)? else {
        return Err(unknown());
    };
    let Some(body) = text_of(name).ok().and_then(BodyId::parse) else { return Ok(None) };
    Ok(Some(BodyStatus {
        body,
        is_served: number_of(is_served)? == 1,
        queued: count_of(queued)?,
        held: count_of(running)?,
        completed: number_of(completed)?.try_into().ok(),
        deaths: count_of(deaths)?,
    }))
}

fn worker(entry: &Value) -> Result<WorkerStatus, EngineError> {
    let [name, held, silent] = list_of(entry)? else { return Err(unknown()) };
    let silent = Duration::from_millis(count_of(silent)?);
    Ok(WorkerStatus { name: name_of(name)?, held: count_of(held)?, silent })
}

fn name_of(value: &Value) -> Result<String, EngineError> {
    Ok(String::from_utf8_lossy(super::reply::bytes_of(value)?).into_owned())
}

/// A number, which is not below zero unless a client has deleted entries meanwhile.
fn count_of(value: &Value) -> Result<u64, EngineError> {
    Ok(number_of(value)?.try_into().unwrap_or(0))
}
