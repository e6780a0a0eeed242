//! W2: bodies that wake themselves and are pending four times.

use crate::body::Yields;
use crate::host::Host;
use crate::meter::Meter;
use crate::peers::{self, Peer};

pub(super) fn run(peer: Peer, host: Host, n: usize, meter: &mut Meter<'_>) {
    meter.measured(|| peers::all(peer, &host, n, |item| Yields::new(item, 4), None));
}
