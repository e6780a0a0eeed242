//! How many bodies may run: a limit for each key, weights, a limit that loops share.

use std::time::Duration;

use forloop_core::{CancelToken, Cause, Rate, SharedLimit, ZeroLimit, each};
use futures_lite::{StreamExt, future};

use crate::{Backend, Gate, LONG, Log, Peak, boxed, job, yields};

/// OPT-8: `limit_by` bounds the bodies in flight for each key.
pub fn limit_by_bounds_the_running_bodies_of_each_key<B: Backend>(backend: B) {
    for (limit, per_key) in [(1, 1), (3, 2), (8, 1), (8, 3), (100, 2)] {
        let (all, peaks) = (Peak::default(), [(); 4].map(|()| Peak::default()));
        let looping = each(0..60).limit(limit).unwrap().at(backend.place());
        let looping = looping.limit_by(|n: &u64| n % 4, per_key).unwrap();
        let outputs = backend.block_on(looping.gather(boxed(|n| {
            let (all, peak) = (all.clone(), peaks[(n % 4) as usize].clone());
            job(async move {
                all.during(peak.during(yields(n as usize % 5 + 1))).await;
                n
            })
        })));
        assert_eq!(outputs, (0..60).collect::<Vec<_>>());
        assert!(all.most() <= limit && peaks.iter().all(|peak| peak.most() <= per_key));
        // In the caller's task as many bodies run as may; a task runs when its runtime polls it.
        assert!(B::SPAWNED || all.most() == limit.min(4 * per_key));
    }
}

/// OPT-8, law 7: Items whose key is at its limit do not block items with other keys.
pub fn a_key_at_its_limit_does_not_block_other_keys<B: Backend>(backend: B) {
    let (gate, started) = (Gate::default(), Log::default());
    // Three items of one key wait for the last item, which has another key.
    let looping = each([1, 1, 1, 2]).limit(4).unwrap().at(backend.place());
    let looping = looping.limit_by(|n: &u64| *n, 1).unwrap();
    let outputs = looping.gather(boxed(|n| {
        started.write(n);
        let gate = gate.clone();
        job(async move {
            if n == 2 {
                gate.open();
            } else {
                gate.passed().await;
            }
            n
        })
    }));
    assert_eq!(backend.block_on(outputs), [1, 1, 1, 2]);
    assert_eq!(started.read(), [1, 2, 1, 1]);
}

/// OPT-8, law 6: At most sixteen times `limit` items are pulled ahead and queued for their key.
pub fn at_most_sixteen_times_limit_items_are_queued_for_their_key<B: Backend>(backend: B) {
    let (pulled, gate, all_wait) = (Log::default(), Gate::default(), Gate::default());
    let items = (0..100_u64).inspect(|&n| {
        pulled.write(n);
        if n == 48 {
            all_wait.open();
        }
    });
    let looping = each(items).limit(3).unwrap().at(backend.place());
    let looping = looping.limit_by(|_: &u64| "one", 1).unwrap();
    let seen = Log::default();
    let outputs = looping.gather(boxed(|n| {
        let (gate, pulled, seen) = (gate.clone(), pulled.clone(), seen.clone());
        let all_wait = all_wait.clone();
        job(async move {
            if n == 0 {
                all_wait.passed().await;
                yields(30).await;
                seen.write(pulled.read().len() as u64);
            }
            gate.open();
            n
        })
    }));
    assert_eq!(backend.block_on(outputs).len(), 100);
    // One body runs and forty-eight items are queued.
    assert_eq!(seen.read(), [49]);
}

/// OPT-8, law 7: Items that are sorted by key run as many bodies as the limit permits.
pub fn items_that_are_sorted_by_key_run_up_to_the_limit<B: Backend>(backend: B) {
    let (started, six_run) = (Log::default(), Gate::default());
    let looping = each(0..40).limit(6).unwrap().at(backend.place());
    let looping = looping.limit_by(|n: &u64| n / 10, 2).unwrap();
    let outputs = looping.gather(boxed(|n: u64| {
        started.write(n);
        let six_run = six_run.clone();
        if started.read().len() == 6 {
            six_run.open();
        }
        job(async move {
            // None completes before six run together.
            six_run.passed().await;
            n
        })
    }));
    assert_eq!(backend.block_on(outputs), (0..40).collect::<Vec<_>>());
    assert_eq!(started.read()[..6], [0, 1, 10, 11, 20, 21]);
}

/// OPT-8: A key may be borrowed from its item, which the loop owns.
pub fn a_key_borrowed_from_its_item_bounds_the_running_bodies<B: Backend>(backend: B) {
    let peaks = [(); 3].map(|()| Peak::default());
    let items = (0..30).map(|n| match n % 3 {
        0 => String::from("none"),
        host => format!("host{host}/{n}"),
    });
    let looping = each(items).limit(20).unwrap().at(backend.place());
    let looping = looping.limit_by_ref(|url: &String| Some(url.split_once('/')?.0), 2).unwrap();
    let outputs = backend.block_on(looping.gather(boxed(|url: String| {
        let peak = match url.as_bytes().get(..5) {
            Some([.., b'1']) => &peaks[1],
            Some([.., b'2']) => &peaks[2],
            _ => &peaks[0],
        };
        let peak = peak.clone();
        job(async move {
            peak.during(yields(3)).await;
            url.len() as u64
        })
    })));
    assert_eq!(outputs.len(), 30);
    assert!(peaks.iter().all(|peak| peak.most() <= 2 && (B::SPAWNED || peak.most() == 2)));
}

/// OPT-8: With two `limit_by` options, an item starts only if both of its keys have a free permit.
pub fn two_limits_by_key_hold_together<B: Backend>(backend: B) {
    let (rows, columns) = ([(); 3].map(|()| Peak::default()), [(); 5].map(|()| Peak::default()));
    let looping = each(0..60).unbounded().at(backend.place());
    let looping = looping.limit_by(|n: &u64| n % 3, 2).unwrap();
    let looping = looping.limit_by(|n: &u64| n % 5, 1).unwrap();
    let outputs = backend.block_on(looping.gather(boxed(|n| {
        let (row, column) = (rows[(n % 3) as usize].clone(), columns[(n % 5) as usize].clone());
        job(async move {
            row.during(column.during(yields(2))).await;
            n
        })
    })));
    assert_eq!(outputs, (0..60).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.most() <= 2));
    assert!(columns.iter().all(|column| column.most() <= 1));
}

/// OPT-8: `limit_by` with a limit of zero is an error.
pub fn a_limit_by_key_of_zero_is_an_error<B: Backend>(backend: B) {
    let looping = each(0..3).unbounded().at(backend.place());
    assert_eq!(looping.limit_by(|n: &u64| *n, 0).err(), Some(ZeroLimit));
}

/// OPT-9: With `weight_by`, the total weight of the bodies in flight is at most the limit.
pub fn weight_by_bounds_the_weight_of_the_running_bodies<B: Backend>(backend: B) {
    let weight = |n: &u64| *n as usize % 4;
    let (running, most) = (std::sync::Arc::new(std::sync::Mutex::new(0)), Peak::default());
    let looping = each(0..60).limit(6).unwrap().at(backend.place()).weight_by(weight);
    let outputs = backend.block_on(looping.gather(boxed(|n| {
        let (running, most) = (running.clone(), most.clone());
        job(async move {
            let weight = weight(&n).max(1);
            *running.lock().unwrap() += weight;
            assert!(*running.lock().unwrap() <= 6);
            most.during(yields(2)).await;
            *running.lock().unwrap() -= weight;
            n
        })
    })));
    assert_eq!(outputs, (0..60).collect::<Vec<_>>());
    assert!(B::SPAWNED || most.most() > 1);
}

/// OPT-9: Light items do not overtake a heavy one, and an item heavier than the limit runs alone.
pub fn a_heavy_item_is_not_overtaken_and_one_over_the_limit_runs_alone<B: Backend>(backend: B) {
    let (started, in_flight) = (Log::default(), Peak::default());
    let weights = [1, 1, 4, 1, 1, 100, 1, usize::MAX, 0, 0];
    let looping = each(weights).limit(4).unwrap().at(backend.place()).weight_by(|&weight| weight);
    let outputs = backend.block_on(looping.gather(boxed(|weight| {
        started.write(weight as u64);
        let in_flight = in_flight.clone();
        job(async move {
            let alone = in_flight.clone();
            in_flight.during(yields(3)).await;
            let _ = alone;
            weight as u64
        })
    })));
    assert_eq!(outputs.len(), weights.len());
    assert_eq!(started.read(), weights.map(|weight| weight as u64));
}

/// OPT-1, OPT-8, OPT-9: Streams of loops with a rate, keys and weights yield every result.
pub fn loops_with_admission_options_stream_their_results<B: Backend>(backend: B) {
    let clock = backend.clock();
    let rate = Rate::new(1000, Duration::from_millis(1)).unwrap();
    let looping = || {
        let looping = each(0..40).limit(4).unwrap().at(backend.place());
        let looping = looping.limit_by(|n: &u64| n % 3, 2).unwrap();
        looping.weight_by(|n| 1 + *n as usize % 2).timer(&clock).rate(rate)
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

/// OPT-8, OPT-9, law 5: Buffered results of an ordered stream keep permits, but the item that they wait for gets
/// one.
pub fn the_next_item_of_an_ordered_stream_gets_a_permit<B: Backend>(backend: B) {
    let run = |items: Vec<(u64, usize, usize)>, limit: usize| {
        let count = items.len();
        let looping = each(items).limit(limit).unwrap().at(backend.place());
        let looping = looping.limit_by(|&(key, ..)| key, 1).unwrap();
        let looping = looping.limit_by(|&(key, ..)| key % 2, 1).unwrap();
        let stream =
            looping.weight_by(|&(_, weight, _)| weight).stream(boxed(|(key, _, polls)| {
                job(async move {
                    yields(polls).await;
                    key
                })
            }));
        assert_eq!(backend.block_on(stream.collect::<Vec<_>>()).len(), count);
    };
    run(vec![(1, 1, 20), (1, 1, 1), (2, 1, 1), (2, 1, 1), (2, 1, 1)], 3);
    run(vec![(1, 1, 5), (1, 3, 1), (2, 1, 1)], 3);
    run(vec![(1, 1, 5), (3, 1, 1), (2, 2, 1), (4, 1, 0), (6, 9, 2), (1, 1, 1)], 2);
}

/// BND-1, law 7: Loops that share a limit run no more bodies together, and as many as they may.
pub fn loops_that_share_a_limit_run_no_more_bodies_together<B: Backend>(backend: B) {
    assert_eq!(SharedLimit::new(0).err(), Some(ZeroLimit));
    let shared = SharedLimit::new(3).unwrap();
    let all = Peak::default();
    let run = |limit: usize| {
        let looping = each(0..20).limit(limit).unwrap().at(backend.place());
        looping.shared_limit(&shared).gather(boxed(|n: u64| {
            let all = all.clone();
            job(async move {
                all.during(yields(n as usize % 5 + 1)).await;
                n
            })
        }))
    };
    let all_three = future::zip(run(2), future::zip(run(7), run(usize::MAX)));
    let (one, (two, three)) = backend.block_on(all_three);
    for outputs in [one, two, three] {
        assert_eq!(outputs, (0..20).collect::<Vec<_>>());
    }
    assert!(all.most() <= 3 && (B::SPAWNED || all.most() == 3));
    assert_eq!((shared.available(), shared.limit()), (3, 3));
}

/// BND-1: Loops that share a limit get their permits in turn, and a clone of a loop shares it.
pub fn loops_that_share_a_limit_take_turns<B: Backend>(backend: B) {
    let shared = SharedLimit::new(1).unwrap();
    let (started, gate) = (Log::default(), Gate::default());
    let looping = each(0..10).unbounded().at(backend.place()).shared_limit(&shared);
    let (first, opened) = (each([0]).unbounded().at(backend.place()), gate.clone());
    let mut first = Box::pin(first.shared_limit(&shared).for_each(boxed(|_: u64| {
        let opened = opened.clone();
        job(async move { opened.passed().await })
    })));
    let run = |name: u64, looping: _| {
        let started = &started;
        Box::pin(forloop_core::Loop::for_each(looping, move |_: u64| {
            started.write(name);
            job(yields(3))
        }))
    };
    let (mut one, mut two) = (run(1, looping.clone()), run(2, looping));
    backend.block_on(async {
        // Both wait for the permit of another loop, so they take turns from the beginning.
        assert!(future::poll_once(&mut first).await.is_none());
        assert!(future::poll_once(&mut one).await.is_none());
        assert!(future::poll_once(&mut two).await.is_none());
        gate.open();
        future::zip(first, future::zip(one, two)).await;
    });
    assert_eq!(started.read(), [1, 2].repeat(10));
}

/// BND-1, law 7: A loop that is dropped or drained while it waits for a shared permit, or holds one, lets the next loop
/// have it.
pub fn a_loop_that_stops_returns_its_shared_permits<B: Backend>(backend: B) {
    for drains in [true, false] {
        let shared = SharedLimit::new(1).unwrap();
        let (token, gate) = (CancelToken::new(), Gate::default());
        let run = |waits: bool| {
            let looping = each(0..2).unbounded().at(backend.place()).shared_limit(&shared);
            let gate = gate.clone();
            looping.drain_on(&token).for_each(boxed(move |_: u64| {
                let gate = gate.clone();
                job(async move {
                    if waits {
                        gate.passed().await;
                    }
                })
            }))
        };
        let [mut holds, mut waits] = [run(true), run(true)].map(Box::pin);
        let last = each(0..2).unbounded().at(backend.place()).shared_limit(&shared);
        let mut last = Box::pin(last.gather(boxed(|n: u64| job(async move { n }))));
        let outputs = backend.block_on(async {
            assert!(future::poll_once(&mut holds).await.is_none());
            assert!(future::poll_once(&mut waits).await.is_none());
            assert!(future::poll_once(&mut last).await.is_none());
            if drains {
                token.cancel();
                gate.open();
                let (first, _) = future::zip(holds, waits).await;
                assert_eq!(first.unwrap_err().cause, Cause::Drained);
            } else {
                drop(waits);
                drop(holds);
            }
            last.await
        });
        assert_eq!((outputs, shared.available()), (vec![0, 1], 1));
    }
}

/// OPT-1, BND-1, law 7: A loop that waits for a rate holds no shared permit meanwhile.
pub fn a_loop_that_waits_for_its_rate_holds_no_shared_permit<B: Backend>(backend: B) {
    let clock = backend.clock();
    let shared = SharedLimit::new(1).unwrap();
    let hourly = Rate::new(1, LONG).unwrap();
    let slow = each(0..2).unbounded().at(backend.place());
    let slow = slow
        .shared_limit(&shared)
        .timer(&clock)
        .rate(hourly)
        .for_each(boxed(|_: u64| job(yields(1))));
    let fast = each(0..9).unbounded().at(backend.place()).shared_limit(&shared);
    let fast = fast.for_each(boxed(|_: u64| job(yields(1))));
    let slow = async {
        slow.await;
        false
    };
    let fast = async {
        fast.await;
        true
    };
    assert!(backend.block_on(future::or(slow, fast)));
}
