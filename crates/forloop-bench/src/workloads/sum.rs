//! W9: a million items that cost nothing, summed by a program that is not async.

use std::hint::black_box;

use crate::meter::Meter;
use crate::peers::{self, Peer};

/// Whether a peer has a sum.
pub(super) fn is_for(peer: Peer) -> bool {
    matches!(
        peer,
        Peer::Sequential
            | Peer::Forloop
            | Peer::ForloopWorkersTokioTwo
            | Peer::ForloopWorkersSmolTwo
            | Peer::ForloopParallelTwo
            | Peer::RayonTwo
    )
}

pub(super) fn run(peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let host = peer.host();
    meter.measured(|| {
        assert_eq!(black_box(peers::sum(peer, &host, n)), n * (n - 1) / 2);
    });
}
