//! W1: bodies that are ready at their first poll.

use crate::body::{SMALL, Wide, small as body};
use crate::meter::{Measure, Meter};
use crate::peers::{self, Peer};

pub(super) fn small(peer: Peer, n: usize, repeats: usize, meter: &mut Meter<'_>) {
    assert_eq!(size_of_val(&body::<false>(0)), SMALL);
    match meter.measure {
        Measure::Polls => run(peer, n, repeats, body::<true>, meter),
        _ => run(peer, n, repeats, body::<false>, meter),
    }
}

pub(super) fn wide(peer: Peer, n: usize, repeats: usize, meter: &mut Meter<'_>) {
    match meter.measure {
        Measure::Polls => run(peer, n, repeats, Wide::<true>::new, meter),
        _ => run(peer, n, repeats, Wide::<false>::new, meter),
    }
}

fn run<B: Future<Output = usize> + Send + 'static>(
    peer: Peer,
    n: usize,
    repeats: usize,
    body: impl Fn(usize) -> B + Copy + Send + Sync + 'static,
    meter: &mut Meter<'_>,
) {
    let host = peer.host();
    meter.measured(|| {
        for _ in 0..repeats {
            peers::all(peer, &host, n, body, None);
        }
    });
}
