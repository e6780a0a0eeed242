//! The laws in simulation.

use std::time::Duration;

use forloop_conformance::suite;
use forloop_sim::Sim;

/// Some rows have threads of their own that wake a task.
const PATIENCE: Duration = Duration::from_secs(600);

suite!(sim: Sim::new().with_patience(PATIENCE));
