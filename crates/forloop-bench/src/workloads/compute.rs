//! W6: bodies that only compute, for about twenty microseconds, to show the gain of a second core.

use crate::body::Computes;
use crate::meter::Meter;
use crate::peers::{self, Peer};

pub(super) fn run(peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let host = peer.host();
    meter.measured(|| peers::all(peer, &host, n, |seed| Computes { seed }, None));
}
