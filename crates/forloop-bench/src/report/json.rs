//! All figures as JSON, for other programs.

use serde_json::{Value, json};

use crate::cell::{Cell, Measured, Time};

use crate::report::machine;
use crate::report::table::{growth, ratio};

pub(crate) fn json(measured: &Measured) -> Value {
    let peers: serde_json::Map<String, Value> = machine::peers()
        .into_iter()
        .map(|(name, version)| (name.to_owned(), version.into()))
        .collect();
    let blocks = measured.cells.chunk_by(|a, b| a.block.name == b.block.name);
    let rows = blocks.flat_map(|block| block.iter().map(|cell| row(cell, block, measured)));
    json!({
        "cores": machine::cores(),
        "target": machine::target(),
        "rustc": machine::RUSTC,
        "peers": peers,
        "quick": measured.quick,
        "no_instructions": measured.no_instructions,
        "time_limit_seconds": measured.limit.as_secs(),
        "rows": rows.collect::<Vec<_>>(),
    })
}

fn row(cell: &Cell, block: &[Cell], measured: &Measured) -> Value {
    let samples = match &cell.time {
        Time::Samples(samples) => samples.clone(),
        Time::TimedOut | Time::Failed => Vec::new(),
    };
    json!({
        "workload": cell.block.name,
        "peer": cell.peer.name(),
        "items": cell.n,
        "clock": if cell.is_wall_time() { "wall" } else { "cpu" },
        "over_limit": cell.time == Time::TimedOut,
        "failed": cell.time == Time::Failed,
        "nanoseconds_per_item": cell.nanos(),
        "samples": samples,
        "times_ours": ratio(cell, block),
        "exact_items": cell.exact_n,
        "instructions_per_item": cell.instructions,
        "allocations_per_item": cell.allocations(),
        "bytes_per_pending_item": cell.bytes(),
        "polls_per_item": cell.polls(),
        "longest_poll_microseconds": cell.longest_poll(),
        "most_body_polls_in_a_poll": cell.most_polls(),
        "growth_exponent": growth(cell, measured),
    })
}
