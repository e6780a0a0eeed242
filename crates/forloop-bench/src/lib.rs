//! Measures what a concurrent loop costs, next to its peers: `cargo xtask bench`.
//!
//! - `body.rs`: the bodies, the same for every peer; `counters.rs` counts their polls.
//! - `peers/`: one file for each family of peers, each peer in the form that its documentation recommends.
//! - `host.rs`: what polls a loop.
//! - `workloads/`: one file for each workload, and the blocks of the table.
//! - `meter.rs`, `child.rs`: one measurement, in its own process, so that neither the heap nor the threads of
//!   one peer influence the figures of another.
//! - `cell.rs`: the measured figures; `report/` formats them.
//! - `parent/`: starts the processes in turn, and compares our exact figures with the committed baseline.
#![forbid(unsafe_code)]

mod body;
mod cell;
mod child;
mod counters;
mod host;
mod meter;
mod parent;
mod peers;
mod report;
mod workloads;

use std::env;
use std::process::ExitCode;

pub use crate::meter::Heap;

/// Runs the command line: one measurement for `child ..`, the benchmarks otherwise.
pub fn main(heap: Option<&dyn Heap>) -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next() {
        Some(first) if first == "child" => child::main(arguments, heap),
        _ => parent::main(),
    }
}
