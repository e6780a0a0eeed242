//! `as_completed` and streams, and the consumers that poll the bodies while they await something else.

use std::time::Duration;

use forloop_core::{Timer, each};
use futures_lite::StreamExt;

use crate::{Alive, Backend, Gate, Job, Log, boxed, eventually, job, yields};

/// ASC-1: `as_completed` yields each result once, in completion order.
pub fn results_are_yielded_once_each_in_completion_order<B: Backend>(backend: B) {
    let gates = [Gate::default(), Gate::default(), Gate::default()];
    let mut results =
        each(gates.clone()).unbounded().at(backend.place()).as_completed(boxed(|gate: Gate| {
            job(async move {
                gate.passed().await;
                1_u64
            })
        }));
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

/// ASC-2: An error is yielded like a value and does not stop the iteration, even if all bodies fail at once.
pub fn a_failure_is_yielded_and_does_not_stop_the_iteration<B: Backend>(backend: B) {
    // Some fail, and all fail at once.
    for divisor in [2, 1] {
        let (gate, arrived) = (Gate::default(), Log::default());
        let results = each(0..6).unbounded().at(backend.place()).as_completed(boxed(|n: u64| {
            let (gate, arrived) = (gate.clone(), arrived.clone());
            job(async move {
                arrived.write(n);
                if arrived.read().len() == 6 {
                    gate.open();
                }
                gate.passed().await;
                if n.is_multiple_of(divisor) { Err(n.to_string()) } else { Ok(n) }
            })
        }));
        let mut results: Vec<_> = backend.block_on(results.collect());
        results.sort();
        assert_eq!(results.len(), 6);
        for (index, result) in results {
            let n = index as u64;
            assert_eq!(result, if n.is_multiple_of(divisor) { Err(n.to_string()) } else { Ok(n) });
        }
    }
}

/// Of several such bodies the one with the number `completes` is ready on its first poll, and the others are
/// pending forever.
fn one_that_completes(alive: &Alive, n: u64, completes: u64) -> Job<u64> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        if n != completes {
            std::future::pending::<()>().await;
        }
        n
    })
}

/// ASC-3: Dropping the stream early stops the bodies that are still running.
pub fn dropping_the_stream_stops_the_running_bodies<B: Backend>(backend: B) {
    let alive = Alive::default();
    let clock = backend.clock();
    backend.block_on(async {
        let mut results = each(0..5)
            .unbounded()
            .at(backend.place())
            .as_completed(|n| one_that_completes(&alive, n, 0));
        assert_eq!(results.next().await, Some((0, 0)));
        drop(results);
        if !B::SPAWNED {
            assert_eq!(alive.now(), 0);
        }
        eventually(&clock, || alive.now() == 0).await;
    });
    assert!(alive.ever() >= 1);
}

/// ASC-5: Bodies make progress while the step of `for_each` awaits.
pub fn bodies_make_progress_while_a_step_awaits<B: Backend>(backend: B) {
    let others = Gate::default();
    let finished = Log::default();
    let seen = Log::default();
    backend.block_on(
        each(0..5)
            .unbounded()
            .at(backend.place())
            .as_completed(boxed(|n: u64| {
                let (others, finished) = (others.clone(), finished.clone());
                job(async move {
                    yields(10 * n as usize).await;
                    finished.write(n);
                    if finished.read().len() == 5 {
                        others.open();
                    }
                    n
                })
            }))
            .for_each(|(_, n)| {
                let (others, seen) = (others.clone(), seen.clone());
                async move {
                    // The first step completes only after every body has completed.
                    others.passed().await;
                    seen.write(n);
                }
            }),
    );
    assert_eq!(seen.read().len(), 5);
}

/// ASC-5: Bodies make progress while the future of `consume` awaits something else.
pub fn bodies_make_progress_while_a_consumer_awaits<B: Backend>(backend: B) {
    let both = Gate::default();
    let finished = Log::default();
    let results = each(0..2).limit(2).unwrap().at(backend.place()).stream(boxed(|n: u64| {
        let (both, finished) = (both.clone(), finished.clone());
        job(async move {
            yields(20 * n as usize).await;
            finished.write(n);
            if finished.read().len() == 2 {
                both.open();
            }
            n
        })
    }));
    let sum = backend.block_on(results.consume(|mut receiver| {
        let both = both.clone();
        async move {
            let mut sum = 0;
            while let Some(n) = receiver.next().await {
                both.passed().await;
                sum += n;
            }
            sum
        }
    }));
    assert_eq!(sum, 1);
}

/// ASC-3: When a consumer returns early, `consume` returns after the running bodies have stopped.
pub fn a_consumer_that_returns_early_stops_the_bodies<B: Backend>(backend: B) {
    let alive = Alive::default();
    let first = each(0..5)
        .unbounded()
        .at(backend.place())
        .as_completed(|n| one_that_completes(&alive, n, 3))
        .consume(|mut receiver| async move { receiver.next().await });
    backend.block_on(async {
        assert_eq!(first.await, Some((3, 3)));
        assert_eq!(alive.now(), 0, "stopped before it returned");
    });
}

/// ASC-3: When a step fails, `try_for_each` returns its error after the running bodies have stopped.
pub fn a_failed_step_stops_the_bodies<B: Backend>(backend: B) {
    let alive = Alive::default();
    let tried = each(0..5)
        .unbounded()
        .at(backend.place())
        .stream_unordered(|n| one_that_completes(&alive, n, 3))
        .try_for_each(async |n| Err::<(), u64>(n));
    backend.block_on(async {
        assert_eq!(tried.await, Err(3));
        assert_eq!(alive.now(), 0, "stopped before it returned");
    });
}

/// Law 5: A receiver that was moved to another thread yields `None` after its loop has returned or was dropped.
pub fn a_receiver_that_outlives_its_loop_is_closed<B: Backend>(backend: B) {
    let results = |count: u64| {
        each(0..count).limit(3).unwrap().at(backend.place()).stream_unordered(boxed(|n: u64| {
            job(async move {
                if n == 7 {
                    std::future::pending::<()>().await;
                }
                n
            })
        }))
    };
    let drain = |mut receiver: forloop_core::types::ResultReceiver<u64>| {
        std::thread::spawn(move || {
            futures_lite::future::block_on(async { while receiver.next().await.is_some() {} });
        })
    };
    // The consumer returns at once.
    let drained = backend.block_on(results(100).consume(|receiver| async { drain(receiver) }));
    drained.join().unwrap();
    // The receiver is still waiting when the loop is dropped.
    let thread = Log::default();
    backend.block_on(async {
        let looping = results(100).consume(|receiver| {
            thread.write(std::sync::Arc::new(std::sync::Mutex::new(Some(drain(receiver)))));
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

/// ASC-1: Tasks that complete between two polls of the loop are yielded in the order in which they completed.
pub fn results_between_two_polls_are_yielded_in_completion_order<B: Backend>(backend: B) {
    let clock = backend.clock();
    let completed = Log::default();
    let seen: Vec<usize> = backend.block_on(async {
        let bodies: Vec<_> = (0..10).map(|_| Alive::default()).collect();
        let mut results =
            each(0..10).unbounded().at(backend.place()).as_completed(boxed(|n: usize| {
                let (guard, next) = (bodies[n].guard(), bodies.get(n + 1).cloned());
                let (clock, completed) = (clock.clone(), completed.clone());
                job(async move {
                    let _alive = guard;
                    if let Some(next) = next {
                        eventually(&clock, || next.ever() == 1 && next.now() == 0).await;
                    }
                    // A task completes a moment after its future has been dropped.
                    clock.sleep(Duration::from_millis(100)).await;
                    completed.write(n);
                    n as u64
                })
            }));
        assert!(futures_lite::future::poll_once(results.next()).await.is_none());
        let mut waiting = std::pin::pin!(eventually(&clock, || completed.read().len() == 10));
        if B::SPAWNED {
            waiting.as_mut().await;
        }
        results.map(|(index, _)| index).collect().await
    });
    assert_eq!(seen, (0..10).rev().collect::<Vec<_>>());
}

/// Law 3: A receiver on another thread receives every result once and in order, for every limit.
pub fn a_receiver_on_another_thread_receives_every_result<B: Backend>(backend: B) {
    for limit in [1, 2, 3] {
        let results = each(0..20_000)
            .limit(limit)
            .unwrap()
            .at(backend.place())
            .stream(boxed(|n: u64| job(async move { n })));
        let taken = backend.block_on(results.consume(|mut receiver| {
            let (done, wait) = async_channel::bounded(1);
            std::thread::spawn(move || {
                futures_lite::future::block_on(async {
                    let mut next = 0;
                    while let Some(n) = receiver.next().await {
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

/// Law 5: A receiver yields `None` after its loop has returned, even if the loop's future still exists.
pub fn a_receiver_is_closed_when_its_loop_returns<B: Backend>(backend: B) {
    let results = each(0..3)
        .limit(2)
        .unwrap()
        .at(backend.place())
        .stream(boxed(|n: u64| job(async move { n })));
    backend.block_on(async {
        let mut looping = Box::pin(results.consume(|receiver| async { receiver }));
        let mut receiver = looping.as_mut().await;
        while receiver.next().await.is_some() {}
        drop(looping);
    });
}

/// ASC-1: Results keep the completion order if the loop is not polled in between.
pub fn a_paused_consumer_does_not_change_the_completion_order<B: Backend>(backend: B) {
    let gates: Vec<Gate> = (0..4).map(|_| Gate::default()).collect();
    let completed = Log::default();
    let clock = backend.clock();
    let mut results =
        each(0..4).limit(3).unwrap().at(backend.place()).as_completed(boxed(|n: usize| {
            let (gate, completed) = (gates[n].clone(), completed.clone());
            job(async move {
                gate.passed().await;
                completed.write(n);
                n as u64
            })
        }));
    backend.block_on(async {
        gates[0].open();
        assert_eq!(results.next().await, Some((0, 0)));
        for (count, next) in [2, 1].into_iter().enumerate() {
            gates[next].open();
            if B::SPAWNED {
                // The task has completed, and the loop was not polled since.
                eventually(&clock, || completed.read().len() == count + 2).await;
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
