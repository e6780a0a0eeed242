//! The times of the protocol.

use std::time::Duration;

/// The times of the protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) lease: Duration,
    pub(crate) patience: Duration,
    pub(crate) expiry: Option<Duration>,
}

impl Settings {
    /// How often leases are renewed, and stops are noticed.
    pub(crate) fn renewal(&self) -> Duration {
        (self.lease / 6).min(Duration::from_secs(1))
    }
}
