//! The engine by itself: its own files and the modules that these import, without the rest of the core.
//!
//! If this crate does not compile, the engine imports something from a layer above it. Its tests are a loop
//! without a driver: they start bodies, poll them in rounds, and cancel them.

#![no_std]
#![allow(
    dead_code,
    unused_imports,
    unnameable_types,
    unreachable_pub,
    reason = "the layers above use and export the rest"
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[path = "../../../crates/forloop-core/src/engine/mod.rs"]
mod engine;
#[path = "../../../crates/forloop-core/src/indices.rs"]
mod indices;
#[path = "../../../crates/forloop-core/src/outcome/mod.rs"]
mod outcome;
#[path = "../../../crates/forloop-core/src/simulation.rs"]
mod simulation;
#[path = "../../../crates/forloop-core/src/single.rs"]
mod single;
#[path = "../../../crates/forloop-core/src/wait_group.rs"]
mod wait_group;

#[cfg(test)]
mod tests;
