//! Reading replies: what the server says is checked, and nothing of it panics.

use std::collections::BTreeMap;

use ::redis::Value;

use crate::engine::Delivery;
use crate::error::EngineError;
use crate::job::{BodyId, Job, JobKey};

/// An entry of a stream.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) fields: BTreeMap<String, Vec<u8>>,
}

impl Entry {
    pub(super) fn new(id: &str, fields: &Value) -> Result<Self, EngineError> {
        let list = list_of(fields)?;
        let pairs = list.chunks_exact(2).filter_map(|pair| {
            // A field whose name is no text is none of ours.
            Some((text_of(&pair[0]).ok()?.to_owned(), bytes_of(&pair[1]).ok()?.to_owned()))
        });
        Ok(Self { id: id.to_owned(), fields: pairs.collect() })
    }
}

/// The server has answered what this version does not understand.
pub(super) fn unknown() -> EngineError {
    EngineError::unavailable("the server has answered something else than was expected")
}

pub(super) fn list_of(value: &Value) -> Result<&[Value], EngineError> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(&[]),
        _ => Err(unknown()),
    }
}

pub(super) fn bytes_of(value: &Value) -> Result<&[u8], EngineError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.as_bytes()),
        _ => Err(unknown()),
    }
}

pub(super) fn text_of(value: &Value) -> Result<&str, EngineError> {
    std::str::from_utf8(bytes_of(value)?).map_err(|_| unknown())
}

pub(super) fn number_of(value: &Value) -> Result<i64, EngineError> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => Err(unknown()),
    }
}

/// The entries of a read, by stream.
pub(super) fn entries_of(value: &Value) -> Result<Vec<(String, Vec<Entry>)>, EngineError> {
    let mut streams = Vec::new();
    for stream in list_of(value)? {
        let [name, entries] = list_of(stream)? else { return Err(unknown()) };
        let mut read = Vec::new();
        for entry in list_of(entries)? {
            let [id, fields] = list_of(entry)? else { return Err(unknown()) };
            read.push(Entry::new(text_of(id)?, fields)?);
        }
        streams.push((text_of(name)?.to_owned(), read));
    }
    Ok(streams)
}

/// The jobs among entries, and the ids of those that are none.
pub(super) fn deliveries_of(body: &BodyId, entries: Vec<Entry>) -> (Vec<Delivery>, Vec<String>) {
    let (mut jobs, mut foreign) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.id.clone();
        match delivery_of(body, entry) {
            Some(delivery) => jobs.push(delivery),
            None => foreign.push(id),
        }
    }
    (jobs, foreign)
}

fn delivery_of(body: &BodyId, mut entry: Entry) -> Option<Delivery> {
    let run = std::str::from_utf8(entry.fields.get("r")?).ok()?;
    let key = job_key(entry.fields.get("k")?)?;
    if !crate::run::is_run_name(run) {
        return None;
    }
    let fingerprint = std::str::from_utf8(entry.fields.get("f")?).ok()?;
    let fingerprint = u64::from_str_radix(fingerprint, 16).ok()?;
    let id = delivery_id(&entry.id, run, key, &body.to_string());
    let is_once = entry.fields.get("o")? == b"1";
    let payload = entry.fields.remove("p")?;
    let context = entry.fields.remove("c").and_then(|context| String::from_utf8(context).ok());
    let context = context.unwrap_or_default();
    let job =
        Job { key, body: body.clone(), is_once, fingerprint, payload, context: String::new() };
    let job = job.with_context(context);
    Some(Delivery { id, job, deaths: 0 })
}

/// What a delivery is called: its entry, run, job and body. Only the last may have spaces.
fn delivery_id(entry: &str, run: &str, key: JobKey, body: &str) -> String {
    format!("{entry} {run} {key} {body}")
}

pub(super) fn parts_of(delivery: &str) -> [&[u8]; 4] {
    let mut parts = delivery.splitn(4, ' ').map(str::as_bytes);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Reads `index.attempt`.
pub(super) fn job_key(bytes: &[u8]) -> Option<JobKey> {
    let (index, attempt) = std::str::from_utf8(bytes).ok()?.split_once('.')?;
    let key = JobKey { index: index.parse().ok()?, attempt: attempt.parse().ok()? };
    // As it is written: a job has one name.
    (key.to_string().as_bytes() == bytes).then_some(key)
}

/// The id that follows this one.
pub(super) fn after(id: &str) -> String {
    let next = id.split_once('-').and_then(|(time, number)| {
        let number: u64 = number.parse().ok()?;
        Some(format!("{time}-{}", number.checked_add(1)?))
    });
    next.unwrap_or_else(|| "0".to_owned())
}
