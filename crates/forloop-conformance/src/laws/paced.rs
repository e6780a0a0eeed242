//! When bodies may begin: a rate, staggered starts, a limit for each key, weights.

use std::time::Duration;

use forloop_core::{InvalidRate, LoopError, Rate, ZeroLimit, each};
use futures_lite::StreamExt;

use super::times::Stopwatch;
use crate::{Backend, Gate, LONG, Peak, Tally, job, on_time, seconds, yields};

/// OPT-1
pub fn bodies_begin_evenly_apart<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    // One each second; and the limit has no say in it.
    let rate = Rate::new(5, seconds::<B>(5)).unwrap();
    let looping = each(0..6).unbounded().at(backend.place()).rate(&watch.clock, rate);
    let outputs = backend.block_on(looping.gather(|n| watch.begins(n, Duration::ZERO)));
    assert_eq!(outputs, [0, 1, 2, 3, 4, 5]);
    for (n, begun) in watch.noted().into_iter().enumerate() {
        on_time::<B>(begun, seconds::<B>(n as u64));
    }
}

/// OPT-1: whoever comes late lets nobody begin earlier.
pub fn two_starts_are_never_nearer_than_the_rate_says<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let rate = Rate::new(1, seconds::<B>(4)).unwrap();
    let looping = each(0..5).limit(2).unwrap().at(backend.place()).rate(&watch.clock, rate);
    // The limit makes some late.
    let outputs = looping.gather(|n| watch.begins(n, seconds::<B>(if n == 1 { 6 } else { 5 })));
    assert_eq!(backend.block_on(outputs).len(), 5);
    let begun = watch.noted();
    for (begun, due) in begun.into_iter().zip([0, 4, 8, 12, 16]) {
        on_time::<B>(begun, seconds::<B>(due));
    }
}

/// OPT-1
pub fn a_burst_may_begin_at_once<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let rate = Rate::new(1, seconds::<B>(2)).unwrap().burst(3).unwrap();
    let looping = each(0..5).unbounded().at(backend.place()).rate(&watch.clock, rate);
    backend.block_on(looping.gather(|n| watch.begins(n, Duration::ZERO)));
    for (begun, due) in watch.noted().into_iter().zip([0, 0, 0, 2, 4]) {
        on_time::<B>(begun, seconds::<B>(due));
    }
}

/// OPT-1
pub fn a_rate_that_is_none_is_refused<B: Backend>(_backend: B) {
    assert_eq!(Rate::per_second(0), Err(InvalidRate));
    assert_eq!(Rate::per_minute(0), Err(InvalidRate));
    assert_eq!(Rate::new(1, Duration::ZERO), Err(InvalidRate));
    assert_eq!(Rate::new(1, Duration::MAX), Err(InvalidRate));
    assert_eq!(Rate::per_second(1).unwrap().burst(0), Err(InvalidRate));
    assert_eq!(Rate::per_second(1).unwrap().burst(u32::MAX), Err(InvalidRate));
    assert_eq!(Rate::per_second(3).unwrap().interval(), Duration::from_nanos(333_333_334));
    assert_eq!(Rate::per_second(u32::MAX).unwrap().interval(), Duration::from_nanos(1));
}

/// OPT-4
pub fn the_next_begins_after_the_delay_or_when_the_one_before_it_has_failed<B: Backend>(
    backend: B,
) {
    let watch = Stopwatch::start(&backend);
    let looping = each(0..4).unbounded().at(backend.place());
    let looping = looping.stagger(&watch.clock, seconds::<B>(10));
    let settled = backend.block_on(looping.settle(|n| {
        watch.times.write((n, watch.read()));
        let clock = watch.clock.clone();
        job(async move {
            use forloop_core::Timer;

            match n {
                // Fails before its time is over: the next begins at once.
                0 => clock.sleep(seconds::<B>(3)).await,
                // Outlasts it.
                1 => clock.sleep(seconds::<B>(12)).await,
                // Has ended well: that lets nobody begin earlier.
                2 => return Ok(n),
                _ => {}
            }
            Err(format!("{n} failed"))
        })
    }));
    assert_eq!(settled.errors().count(), 3);
    for (begun, due) in watch.noted().into_iter().zip([0, 3, 13, 23]) {
        on_time::<B>(begun, seconds::<B>(due));
    }
}

/// OPT-4, OPT-3
pub fn in_a_staggered_race_those_not_needed_are_never_called<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let looping = || {
        let looping = each(0..9).unbounded().at(backend.place());
        looping.stagger(&watch.clock, LONG)
    };
    let called = Tally::default();
    let body = |n: u64| {
        called.write(n);
        job(async move { if n < 2 { Err(format!("{n} failed")) } else { Ok(n) } })
    };
    let begun = watch.read();
    assert_eq!(backend.block_on(looping().race_ok(body)), Ok((2, 2)));
    assert_eq!(called.read(), [0, 1, 2]);
    on_time::<B>(watch.read() - begun, Duration::ZERO);
    let none = each(0..3).unbounded().at(backend.place()).stagger(&watch.clock, LONG);
    let error =
        backend.block_on(none.race_ok(|n| job(async move { Err::<u64, _>(n.to_string()) })));
    assert_eq!(error.unwrap_err().failures().len(), 3);
    let empty = each(0..0).unbounded().at(backend.place()).stagger(&watch.clock, LONG);
    assert_eq!(backend.block_on(empty.race_ok(body)), Err(LoopError::Empty));
}

/// OPT-8
pub fn never_more_bodies_of_one_key_run_than_its_limit<B: Backend>(backend: B) {
    for (limit, per_key) in [(1, 1), (3, 2), (8, 1), (8, 3), (100, 2)] {
        let (all, peaks) = (Peak::default(), [(); 4].map(|()| Peak::default()));
        let looping = each(0..60).limit(limit).unwrap().at(backend.place());
        let looping = looping.limit_by(|n: &u64| n % 4, per_key).unwrap();
        let outputs = backend.block_on(looping.gather(|n| {
            let (all, peak) = (all.clone(), peaks[(n % 4) as usize].clone());
            job(async move {
                all.during(peak.during(yields(n as usize % 5 + 1))).await;
                n
            })
        }));
        assert_eq!(outputs, (0..60).collect::<Vec<_>>());
        assert!(all.most() <= limit && peaks.iter().all(|peak| peak.most() <= per_key));
        // As many as may do run; tasks, when their runtime comes to them.
        assert!(B::SPAWNED || all.most() == limit.min(4 * per_key));
    }
}

/// OPT-8, law 7: those with other keys do not wait for those whose key has no room.
pub fn a_key_without_room_holds_up_no_other<B: Backend>(backend: B) {
    let (gate, begun) = (Gate::default(), Tally::default());
    // Three of one key that wait for one of the other, which comes last.
    let looping = each([1, 1, 1, 2]).limit(4).unwrap().at(backend.place());
    let looping = looping.limit_by(|n: &u64| *n, 1).unwrap();
    let outputs = looping.gather(|n| {
        begun.write(n);
        let gate = gate.clone();
        job(async move {
            if n == 2 {
                gate.open();
            } else {
                gate.passed().await;
            }
            n
        })
    });
    assert_eq!(backend.block_on(outputs), [1, 1, 1, 2]);
    assert_eq!(begun.read(), [1, 2, 1, 1]);
}

/// OPT-8, law 6: the loop pulls ahead no more than the limit.
pub fn items_are_pulled_ahead_up_to_the_limit<B: Backend>(backend: B) {
    let (pulled, gate, three_wait) = (Tally::default(), Gate::default(), Gate::default());
    let items = (0..100_u64).inspect(|&n| {
        pulled.write(n);
        if n == 3 {
            three_wait.open();
        }
    });
    let looping = each(items).limit(3).unwrap().at(backend.place());
    let looping = looping.limit_by(|_: &u64| "one", 1).unwrap();
    let seen = Tally::default();
    let outputs = looping.gather(|n| {
        let (gate, pulled, seen) = (gate.clone(), pulled.clone(), seen.clone());
        let three_wait = three_wait.clone();
        job(async move {
            if n == 0 {
                three_wait.passed().await;
                yields(30).await;
                seen.write(pulled.read().len() as u64);
            }
            gate.open();
            n
        })
    });
    assert_eq!(backend.block_on(outputs).len(), 100);
    // One runs and three wait.
    assert_eq!(seen.read(), [4]);
}

/// OPT-8: with two kinds of keys there must be room for both.
pub fn limits_by_two_keys_hold_together<B: Backend>(backend: B) {
    let (cases, columns) = ([(); 3].map(|()| Peak::default()), [(); 5].map(|()| Peak::default()));
    let looping = each(0..60).unbounded().at(backend.place());
    let looping = looping.limit_by(|n: &u64| n % 3, 2).unwrap();
    let looping = looping.limit_by(|n: &u64| n % 5, 1).unwrap();
    let outputs = backend.block_on(looping.gather(|n| {
        let (row, column) = (cases[(n % 3) as usize].clone(), columns[(n % 5) as usize].clone());
        job(async move {
            row.during(column.during(yields(2))).await;
            n
        })
    }));
    assert_eq!(outputs, (0..60).collect::<Vec<_>>());
    assert!(cases.iter().all(|row| row.most() <= 2));
    assert!(columns.iter().all(|column| column.most() <= 1));
}

/// OPT-8
pub fn a_limit_of_zero_for_each_key_is_an_error<B: Backend>(backend: B) {
    let looping = each(0..3).unbounded().at(backend.place());
    assert_eq!(looping.limit_by(|n: &u64| *n, 0).err(), Some(ZeroLimit));
}

/// OPT-9
pub fn never_more_weight_runs_than_the_limit<B: Backend>(backend: B) {
    let weight = |n: &u64| *n as usize % 4;
    let (running, most) = (std::sync::Arc::new(std::sync::Mutex::new(0)), Peak::default());
    let looping = each(0..60).limit(6).unwrap().at(backend.place()).weight_by(weight);
    let outputs = backend.block_on(looping.gather(|n| {
        let (running, most) = (running.clone(), most.clone());
        job(async move {
            let weight = weight(&n).max(1);
            *running.lock().unwrap() += weight;
            assert!(*running.lock().unwrap() <= 6);
            most.during(yields(2)).await;
            *running.lock().unwrap() -= weight;
            n
        })
    }));
    assert_eq!(outputs, (0..60).collect::<Vec<_>>());
    assert!(B::SPAWNED || most.most() > 1);
}

/// OPT-9: a heavy one is not starved by light ones, and one that is too heavy for the limit runs alone.
pub fn a_heavy_item_is_not_overtaken_and_one_too_heavy_runs_alone<B: Backend>(backend: B) {
    let (begun, flying) = (Tally::default(), Peak::default());
    let weights = [1, 1, 4, 1, 1, 100, 1, usize::MAX, 0, 0];
    let looping = each(weights).limit(4).unwrap().at(backend.place()).weight_by(|&weight| weight);
    let outputs = backend.block_on(looping.gather(|weight| {
        begun.write(weight as u64);
        let flying = flying.clone();
        job(async move {
            let alone = flying.clone();
            flying.during(yields(3)).await;
            let _ = alone;
            weight as u64
        })
    }));
    assert_eq!(outputs.len(), weights.len());
    assert_eq!(begun.read(), weights.map(|weight| weight as u64));
}

/// OPT-1, OPT-8, OPT-9: with streams, whose results hold places until they are taken.
pub fn paced_loops_stream_their_results<B: Backend>(backend: B) {
    let clock = backend.clock();
    let rate = Rate::new(1000, Duration::from_millis(1)).unwrap();
    let looping = || {
        let looping = each(0..40).limit(4).unwrap().at(backend.place());
        let looping = looping.limit_by(|n: &u64| n % 3, 2).unwrap();
        looping.weight_by(|n| 1 + *n as usize % 2).rate(&clock, rate)
    };
    let body = |n| {
        job(async move {
            yields(n as usize % 3).await;
            n
        })
    };
    backend.block_on(async {
        let streamed: Vec<_> = looping().stream(body).collect().await;
        assert_eq!(streamed, (0..40).collect::<Vec<_>>());
        let mut completed: Vec<_> = looping().stream_unordered(body).collect().await;
        completed.sort();
        assert_eq!(completed, streamed);
        let mut stepped = Vec::new();
        looping()
            .as_completed(body)
            .for_each(|(_, n)| {
                stepped.push(n);
                yields(2)
            })
            .await;
        stepped.sort();
        assert_eq!(stepped, streamed);
    });
}

/// OPT-8, OPT-9, law 5: results in input order hold places, and yet the item that they wait for gets one.
pub fn the_item_that_ordered_results_wait_for_gets_a_place<B: Backend>(backend: B) {
    let run = |items: Vec<(u64, usize, usize)>, limit: usize| {
        let count = items.len();
        let looping = each(items).limit(limit).unwrap().at(backend.place());
        let looping = looping.limit_by(|&(key, ..)| key, 1).unwrap();
        let looping = looping.limit_by(|&(key, ..)| key % 2, 1).unwrap();
        let stream = looping.weight_by(|&(_, weight, _)| weight).stream(|(key, _, polls)| {
            job(async move {
                yields(polls).await;
                key
            })
        });
        assert_eq!(backend.block_on(stream.collect::<Vec<_>>()).len(), count);
    };
    run(vec![(1, 1, 20), (1, 1, 1), (2, 1, 1), (2, 1, 1), (2, 1, 1)], 3);
    run(vec![(1, 1, 5), (1, 3, 1), (2, 1, 1)], 3);
    run(vec![(1, 1, 5), (3, 1, 1), (2, 2, 1), (4, 1, 0), (6, 9, 2), (1, 1, 1)], 2);
}
