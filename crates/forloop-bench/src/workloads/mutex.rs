//! W8: bodies that queue on one tokio `Mutex` inside tokio, and exhaust its cooperative budget.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::body::{polls_counted, yield_once};
use crate::host::Host;
use crate::meter::Meter;
use crate::peers::{self, Peer};

pub(super) fn run(peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let host = Host::tokio();
    let mutex = Arc::new(Mutex::new(0));
    let body = move |item| {
        let mutex = mutex.clone();
        polls_counted(async move {
            let mut held = mutex.lock().await;
            yield_once().await;
            *held += 1;
            item
        })
    };
    meter.measured(|| peers::all(peer, &host, n, body, None));
}
