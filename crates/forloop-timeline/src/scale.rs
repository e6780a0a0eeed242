//! What the axis of a picture shows.

use std::time::Duration;

/// What the axis of the picture shows.
#[derive(Debug, Clone)]
pub(crate) enum Scale {
    /// The time since the first body.
    Time,
    /// The steps of a schedule, labelled with the times to which the clock has advanced.
    Steps(Vec<ClockAdvance>),
}

/// The clock has advanced in a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockAdvance {
    /// In steps.
    pub(crate) at: Duration,
    /// The time to which it has advanced.
    pub(crate) to: Duration,
}

/// One step of a schedule. What happens during a poll happens in the middle of its step.
pub(crate) const STEP: Duration = Duration::from_millis(1);
