//! Delays between attempts to reach a broker.

use std::time::Duration;

/// The first delay.
const FIRST: Duration = Duration::from_millis(20);

/// The longest delay.
const LONGEST: Duration = Duration::from_secs(2);

/// Delays that double, from 20 ms to 2 s.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let delay = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        delay.min(LONGEST)
    }

    /// After a success, the next delay is the first one again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}
