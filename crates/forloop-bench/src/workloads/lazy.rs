//! W4: lazy items, a limit, and one yield in each body.

use std::num::NonZeroUsize;

use crate::body::{Silent, Yields};
use crate::meter::Meter;
use crate::peers::{self, Peer};

pub(super) fn run(peer: Peer, n: usize, limit: usize, meter: &mut Meter<'_>) {
    let host = peer.host();
    let limit = NonZeroUsize::new(limit).expect("the limit of a block is not zero");
    meter.measured(|| {
        let body = |item| Silent(Yields::new(item, 1));
        peers::bounded(peer, &host, n, body, limit);
    });
}
