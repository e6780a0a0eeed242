//! W1: bodies that are ready at their first poll.

use crate::body::{Small, Wide};
use crate::meter::Meter;
use crate::peers::{self, Peer};

pub(super) fn small(peer: Peer, n: usize, repeats: usize, meter: &mut Meter<'_>) {
    let host = peer.host();
    meter.measured(|| {
        for _ in 0..repeats {
            peers::all(peer, &host, (0..n).map(Small::new), None);
        }
    });
}

pub(super) fn wide(peer: Peer, n: usize, repeats: usize, meter: &mut Meter<'_>) {
    let host = peer.host();
    meter.measured(|| {
        for _ in 0..repeats {
            peers::all(peer, &host, (0..n).map(Wide::new), None);
        }
    });
}
