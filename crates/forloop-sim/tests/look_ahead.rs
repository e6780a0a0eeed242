//! How far `limit_by` looks ahead, in time that is exact.

use std::time::Duration;

use forloop_core::{BlockOn, Timer, each};
use forloop_sim::Sim;

/// The time that a thousand bodies of 100 ms take, fifty at once and eight for each key.
fn time_of(keys: impl Iterator<Item = usize>) -> Duration {
    let sim = Sim::new();
    let bodies = each(keys).limit(50).unwrap().limit_by(|key| *key, 8).unwrap();
    sim.block_on(bodies.for_each(|_| sim.sleep(Duration::from_millis(100))));
    sim.now()
}

#[test]
fn a_source_that_is_sorted_by_key_takes_little_longer_than_a_mixed_one() {
    let mixed = time_of((0..1000).map(|n| n % 20));
    let sorted = time_of((0..1000).map(|n| n / 50));
    assert_eq!([mixed, sorted].map(|time| time.as_millis()), [2000, 2400]);
    // Of five keys forty bodies run at once, and each key has two hundred items.
    let five_keys = time_of((0..1000).map(|n| n / 200));
    assert_eq!(five_keys, Duration::from_millis(2500));
}
