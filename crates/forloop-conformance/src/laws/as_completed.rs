//! As completed, and the consumers that keep the bodies going.

use std::time::Duration;

use forloop_core::{Timer, each};
use futures_lite::StreamExt;

use crate::{Alive, Backend, Gate, Job, Tally, eventually, job, yields};

/// ASC-1
pub fn results_come_in_completion_order_each_once<B: Backend>(backend: B) {
    let gates = [Gate::default(), Gate::default(), Gate::default()];
    let mut results = each(gates.clone()).unbounded().at(backend.place()).as_completed(|gate| {
        job(async move {
            gate.passed().await;
            1_u64
        })
    });
    let order = backend.block_on(async {
        let mut order = Vec::new();
        for next in [1, 2, 0] {
            gates[next].open();
            order.push(results.next().await.unwrap().0);
        }
        assert_eq!(results.next().await, None);
        assert_eq!(results.next().await, None);
        order
    });
    assert_eq!(order, [1, 2, 0]);
}

/// ASC-2
pub fn a_failing_body_is_an_item_and_does_not_end_the_iteration<B: Backend>(backend: B) {
    // Some fail, and all fail at once.
    for divisor in [2, 1] {
        let (gate, arrived) = (Gate::default(), Tally::default());
        let results = each(0..6).unbounded().at(backend.place()).as_completed(|n: u64| {
            let (gate, arrived) = (gate.clone(), arrived.clone());
            job(async move {
                arrived.write(n);
                if arrived.read().len() == 6 {
                    gate.open();
                }
                gate.passed().await;
                if n.is_multiple_of(divisor) { Err(n.to_string()) } else { Ok(n) }
            })
        });
        let mut results: Vec<_> = backend.block_on(results.collect());
        results.sort();
        assert_eq!(results.len(), 6);
        for (index, result) in results {
            let n = index as u64;
            assert_eq!(result, if n.is_multiple_of(divisor) { Err(n.to_string()) } else { Ok(n) });
        }
    }
}

/// Of several such bodies one ends, at its first poll, and the others never do.
fn one_that_ends(alive: &Alive, n: u64, ends: u64) -> Job<u64> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        if n != ends {
            std::future::pending::<()>().await;
        }
        n
    })
}

/// ASC-3
pub fn leaving_early_stops_the_unfinished<B: Backend>(backend: B) {
    let alive = Alive::default();
    let clock = backend.clock();
    backend.block_on(async {
        let mut results = each(0..5)
            .unbounded()
            .at(backend.place())
            .as_completed(|n| one_that_ends(&alive, n, 0));
        assert_eq!(results.next().await, Some((0, 0)));
        drop(results);
        if !B::SPAWNED {
            assert_eq!(alive.now(), 0);
        }
        eventually(&clock, || alive.now() == 0).await;
    });
    assert!(alive.ever() >= 1);
}

/// ASC-5
pub fn bodies_go_on_while_a_step_awaits<B: Backend>(backend: B) {
    let others = Gate::default();
    let finished = Tally::default();
    let seen = Tally::default();
    backend.block_on(
        each(0..5)
            .unbounded()
            .at(backend.place())
            .as_completed(|n: u64| {
                let (others, finished) = (others.clone(), finished.clone());
                job(async move {
                    yields(10 * n as usize).await;
                    finished.write(n);
                    if finished.read().len() == 5 {
                        others.open();
                    }
                    n
                })
            })
            .for_each(|(_, n)| {
                let (others, seen) = (others.clone(), seen.clone());
                async move {
                    // The first step ends only when every body has finished beside it.
                    others.passed().await;
                    seen.write(n);
                }
            }),
    );
    assert_eq!(seen.read().len(), 5);
}

/// ASC-5
pub fn bodies_go_on_while_a_consumer_awaits<B: Backend>(backend: B) {
    let both = Gate::default();
    let finished = Tally::default();
    let results = each(0..2).limit(2).unwrap().at(backend.place()).stream(|n: u64| {
        let (both, finished) = (both.clone(), finished.clone());
        job(async move {
            yields(20 * n as usize).await;
            finished.write(n);
            if finished.read().len() == 2 {
                both.open();
            }
            n
        })
    });
    let sum = backend.block_on(results.consume(|mut feed| {
        let both = both.clone();
        async move {
            let mut sum = 0;
            while let Some(n) = feed.next().await {
                both.passed().await;
                sum += n;
            }
            sum
        }
    }));
    assert_eq!(sum, 1);
}

/// ASC-3
pub fn a_consumer_that_returns_early_stops_the_bodies<B: Backend>(backend: B) {
    let alive = Alive::default();
    let first = each(0..5)
        .unbounded()
        .at(backend.place())
        .as_completed(|n| one_that_ends(&alive, n, 3))
        .consume(|mut feed| async move { feed.next().await });
    backend.block_on(async {
        assert_eq!(first.await, Some((3, 3)));
        assert_eq!(alive.now(), 0, "stopped before it returned");
    });
}

/// ASC-3
pub fn a_step_that_fails_stops_the_bodies<B: Backend>(backend: B) {
    let alive = Alive::default();
    let ended = each(0..5)
        .unbounded()
        .at(backend.place())
        .stream_unordered(|n| one_that_ends(&alive, n, 3))
        .try_for_each(async |n| Err::<(), u64>(n));
    backend.block_on(async {
        assert_eq!(ended.await, Err(3));
        assert_eq!(alive.now(), 0, "stopped before it returned");
    });
}

/// Law 5: a consumer that has carried its feed elsewhere hears of the loop's end.
pub fn a_feed_that_outlives_its_loop_ends<B: Backend>(backend: B) {
    let results = |count: u64| {
        each(0..count).limit(3).unwrap().at(backend.place()).stream_unordered(|n: u64| {
            job(async move {
                if n == 7 {
                    std::future::pending::<()>().await;
                }
                n
            })
        })
    };
    let drain = |mut feed: forloop_core::ResultReceiver<u64>| {
        std::thread::spawn(move || {
            futures_lite::future::block_on(async { while feed.next().await.is_some() {} });
        })
    };
    // Returned by a consumer that ends at once.
    let drained = backend.block_on(results(100).consume(|feed| async { drain(feed) }));
    drained.join().unwrap();
    // Still at it when the loop is dropped.
    let thread = Tally::default();
    backend.block_on(async {
        let looping = results(100).consume(|feed| {
            thread.write(std::sync::Arc::new(std::sync::Mutex::new(Some(drain(feed)))));
            std::future::pending::<()>()
        });
        let mut looping = std::pin::pin!(looping);
        for _ in 0..10 {
            assert!(futures_lite::future::poll_once(looping.as_mut()).await.is_none());
            yields(1).await;
        }
    });
    let drained = thread.read()[0].lock().unwrap().take().unwrap();
    drained.join().unwrap();
}

/// ASC-1: of tasks, too, in the order in which they ended, not in that in which they were seen.
pub fn tasks_that_ended_while_the_loop_was_busy_come_in_the_order_of_their_ends<B: Backend>(
    backend: B,
) {
    let clock = backend.clock();
    let ended = Tally::default();
    let seen: Vec<usize> = backend.block_on(async {
        let bodies: Vec<_> = (0..10).map(|_| Alive::default()).collect();
        let mut results = each(0..10).unbounded().at(backend.place()).as_completed(|n: usize| {
            let (guard, next) = (bodies[n].guard(), bodies.get(n + 1).cloned());
            let (clock, ended) = (clock.clone(), ended.clone());
            job(async move {
                let _alive = guard;
                if let Some(next) = next {
                    eventually(&clock, || next.ever() == 1 && next.now() == 0).await;
                }
                // A task has ended a moment after its future is gone.
                clock.sleep(Duration::from_millis(100)).await;
                ended.write(n);
                n as u64
            })
        });
        assert!(futures_lite::future::poll_once(results.next()).await.is_none());
        let mut waiting = std::pin::pin!(eventually(&clock, || ended.read().len() == 10));
        if B::SPAWNED {
            waiting.as_mut().await;
        }
        results.map(|(index, _)| index).collect().await
    });
    assert_eq!(seen, (0..10).rev().collect::<Vec<_>>());
}

/// Law 3: whatever the limit, and on whatever thread the results are taken.
pub fn a_feed_on_another_thread_gets_every_result<B: Backend>(backend: B) {
    for limit in [1, 2, 3] {
        let results = each(0..20_000)
            .limit(limit)
            .unwrap()
            .at(backend.place())
            .stream(|n: u64| job(async move { n }));
        let taken = backend.block_on(results.consume(|mut feed| {
            let (done, wait) = async_channel::bounded(1);
            std::thread::spawn(move || {
                futures_lite::future::block_on(async {
                    let mut next = 0;
                    while let Some(n) = feed.next().await {
                        assert_eq!(n, next);
                        next += 1;
                    }
                    done.send(next).await
                })
            });
            async move { wait.recv().await }
        }));
        assert_eq!(taken, Ok(20_000), "limit {limit}");
    }
}

/// Law 5: also while the loop that has returned is kept.
pub fn a_feed_hears_of_the_end_of_a_loop_that_is_kept<B: Backend>(backend: B) {
    let results =
        each(0..3).limit(2).unwrap().at(backend.place()).stream(|n: u64| job(async move { n }));
    backend.block_on(async {
        let mut looping = Box::pin(results.consume(|feed| async { feed }));
        let mut feed = looping.as_mut().await;
        while feed.next().await.is_some() {}
        drop(looping);
    });
}

/// ASC-1: also when the loop was not looked at in between.
pub fn a_pause_of_the_consumer_does_not_change_the_order_of_ends<B: Backend>(backend: B) {
    let gates: Vec<Gate> = (0..4).map(|_| Gate::default()).collect();
    let ended = Tally::default();
    let clock = backend.clock();
    let mut results = each(0..4).limit(3).unwrap().at(backend.place()).as_completed(|n: usize| {
        let (gate, ended) = (gates[n].clone(), ended.clone());
        job(async move {
            gate.passed().await;
            ended.write(n);
            n as u64
        })
    });
    backend.block_on(async {
        gates[0].open();
        assert_eq!(results.next().await, Some((0, 0)));
        for (count, next) in [2, 1].into_iter().enumerate() {
            gates[next].open();
            if B::SPAWNED {
                // Ended, and the loop was not polled since.
                eventually(&clock, || ended.read().len() == count + 2).await;
                clock.sleep(Duration::from_millis(100)).await;
            } else {
                assert_eq!(results.next().await, Some((next, next as u64)));
            }
        }
        gates[3].open();
        let rest: Vec<_> = results.map(|(index, _)| index).collect().await;
        assert_eq!(rest, if B::SPAWNED { vec![2, 1, 3] } else { vec![3] });
    });
}
