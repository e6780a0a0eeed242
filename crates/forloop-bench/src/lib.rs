//! What a concurrent loop costs beside its bodies, and beside its peers: `cargo xtask bench`.
//!
//! - `body.rs`: the bodies, the same for every peer; `counters.rs` counts their polls.
//! - `peers/`: each family of peers a file, each peer in the form that its documentation recommends.
//! - `host.rs`: what polls a loop.
//! - `workloads/`: each workload a file, and the blocks of the table.
//! - `meter.rs`, `child.rs`: one measurement, in a process of its own, so that neither the heap nor the
//!   threads of one peer colour another's figures.
//! - `parent/`: starts these processes, by turns, and compares our exact figures with those that were
//!   committed; `report/`: what is made of the figures.
#![forbid(unsafe_code)]

mod body;
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

/// An allocator that counts.
pub trait Heap {
    /// How often something was allocated or reallocated so far.
    fn allocations(&self) -> usize;
    /// How many bytes are held now.
    fn held(&self) -> usize;
    /// How many bytes were held at most.
    fn peak(&self) -> usize;
}

/// Runs the command line: one measurement for `child ..`, else the benchmarks.
pub fn main(heap: Option<&dyn Heap>) -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next() {
        Some(first) if first == "child" => child::main(arguments, heap),
        _ => parent::main(),
    }
}
