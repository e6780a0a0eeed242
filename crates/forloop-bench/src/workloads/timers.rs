//! W5: bodies that sleep for 1 to 50 ms.

use std::time::Duration;

use crate::body::polls_counted;
use crate::host::Host;
use crate::meter::Meter;
use crate::peers::{self, Kind, Peer};

/// The clock and timers that the bodies use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clockwork {
    Tokio,
    AsyncIo,
    AsyncStd,
}

impl Clockwork {
    pub(super) fn is_for(self, peer: Peer) -> bool {
        let spawned = match self {
            Self::Tokio => matches!(peer, Peer::ForloopTokio | Peer::JoinSet | Peer::TaskTracker),
            Self::AsyncIo => matches!(peer, Peer::ForloopSmol | Peer::Executor),
            Self::AsyncStd => false,
        };
        peer.runs_all() && peer != Peer::Sequential && (peer.kind() == Kind::Inline || spawned)
    }
}

pub(super) fn run(peer: Peer, clockwork: Clockwork, n: usize, meter: &mut Meter<'_>) {
    let spawned = peer.kind() != Kind::Inline;
    match clockwork {
        Clockwork::Tokio => {
            let host = Host::tokio();
            let body = |item| {
                polls_counted(async move {
                    tokio::time::sleep(duration(item)).await;
                    item
                })
            };
            meter.measured(|| peers::all(peer, &host, n, body, None));
        }
        Clockwork::AsyncIo => {
            let host = if spawned { Host::smol() } else { Host::AsyncIo };
            let body = |item| {
                polls_counted(async move {
                    async_io::Timer::after(duration(item)).await;
                    item
                })
            };
            meter.measured(|| peers::all(peer, &host, n, body, None));
        }
        Clockwork::AsyncStd => {
            let body = |item| {
                polls_counted(async move {
                    async_std::task::sleep(duration(item)).await;
                    item
                })
            };
            meter.measured(|| peers::all(peer, &Host::AsyncStd, n, body, None));
        }
    }
}

/// Returns 1 to 50 ms, with different values for neighbours.
fn duration(item: usize) -> Duration {
    Duration::from_micros(1000 + (item as u64 * 7919) % 49_000)
}
