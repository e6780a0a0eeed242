//! W3: bodies that are woken one by one, in a shuffled order.

use std::thread;
use std::time::Duration;

use crate::body::{Slots, shuffled};
use crate::host::Waking;
use crate::meter::Meter;
use crate::peers::{self, Kind, Peer};

/// The thread that polls the loop alternates between waking one body and polling the loop.
pub(super) fn by_the_same_thread(peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let (host, slots) = (peer.host(), Slots::leaked(n));
    let waking = Waking { slots, order: shuffled(n) };
    meter.measured(|| peers::all(peer, &host, n, |item| slots.body(item), Some(waking)));
}

/// Once all bodies wait, another thread wakes them as fast as it can.
pub(super) fn by_another_thread(peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let (host, slots, order) = (peer.host(), Slots::leaked(n), shuffled(n));
    meter.measured(|| {
        let waking = thread::spawn(move || {
            // Most peers poll the last body last, so a single pass over the others usually suffices.
            for index in (0..n).rev() {
                while !slots.waits(index) {
                    thread::sleep(Duration::from_micros(50));
                }
            }
            for index in order {
                slots.wake(index);
            }
        });
        peers::all(peer, &host, n, |item| slots.body(item), None);
        waking.join().expect("waking does not panic");
    });
    debug_assert!(peer.kind() == Kind::TwoThreads || (0..n).all(|index| slots.is_done(index)));
}
