//! How far `limit_by` looks ahead, in time that is exact.

use std::pin::pin;
use std::time::Duration;

use forloop_core::{BlockOn, Timer, each};
use forloop_sim::Sim;
use futures_util::{Stream, StreamExt};

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

/// The time of a loop over a hundred items, whose bodies take ten seconds each, ten at once, and whose consumer takes a
/// second for each result.
fn time_of_slow_consumer<S: Stream<Item = u32>>(results: impl FnOnce(&Sim) -> S) -> Duration {
    let sim = Sim::new();
    sim.block_on(async {
        let mut results = pin!(results(&sim));
        for n in 0..100 {
            assert_eq!(results.next().await, Some(n));
            sim.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(results.next().await, None);
    });
    sim.now()
}

#[test]
fn tasks_start_at_each_result_that_the_consumer_of_a_stream_takes() {
    let body = |sim: &Sim| {
        let sim = sim.clone();
        move |n| {
            let sleep = sim.sleep(Duration::from_secs(10));
            async move {
                sleep.await;
                n
            }
        }
    };
    let items = || each(0..100_u32).limit(10).unwrap();
    let times = [
        time_of_slow_consumer(|sim| items().on(sim.clone()).stream(body(sim))),
        time_of_slow_consumer(|sim| items().on(sim.clone()).stream_unordered(body(sim))),
        time_of_slow_consumer(|sim| items().on_workers(sim.clone()).stream(body(sim))),
        time_of_slow_consumer(|sim| items().on_workers(sim.clone()).stream_unordered(body(sim))),
    ];
    // The first bodies take ten seconds. From then on a body starts one second after a result was taken, so it is late by
    // one second for the consumer, nine times.
    assert_eq!(times, [Duration::from_secs(10 + 100 + 9); 4]);
}
