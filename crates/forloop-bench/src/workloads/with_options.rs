//! W10: the lazy items of W4, with options.

use std::num::NonZeroUsize;

use crate::body::{Silent, Yields};
use crate::host::Host;
use crate::meter::Meter;
use crate::peers::Peer;
use crate::peers::options::{self, Options};

/// How many bodies run at once.
const LIMIT: NonZeroUsize = NonZeroUsize::new(64).unwrap();

pub(super) fn run(peer: Peer, options: Options, n: usize, meter: &mut Meter<'_>) {
    let host = match peer {
        Peer::Forloop => Host::tokio(),
        _ => peer.host(),
    };
    meter.measured(|| {
        let body = |item| async move {
            Silent(Yields::new(item, 1)).await;
            Ok(())
        };
        options::run(peer, &host, options, n, body, LIMIT);
    });
}
