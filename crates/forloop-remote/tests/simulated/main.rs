//! The protocol under faults: deliveries late, twice and out of order; answers that never come; processes that die at any
//! await. The broker, the clock and the schedule are simulated.

#[path = "../engine/mod.rs"]
mod engine;

mod broker;
mod process;
mod world;

mod crashes;
mod laws;
mod runs;
