//! `gather`, `try_gather` and `settle`.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::{Outcome, Timer, each};
use futures_lite::FutureExt;
use futures_lite::future::poll_once;

use crate::strategies::{Run, Stops, every_strategy};
use crate::{Alive, Backend, Gate, Inline, LONG, Log, Peak, boxed, eventually, job, yields};

/// GAT-1: Without a limit, all bodies are in flight at once.
pub fn all_bodies_run_at_once<B: Backend>(backend: B) {
    // Ten bodies that wait for each other complete only if all ten are in flight.
    let (peak, gate, arrived) = (Peak::default(), Gate::default(), Log::default());
    let bodies = each(0..10).unbounded().at(backend.place()).gather(boxed(|n: u64| {
        let (peak, gate, arrived) = (peak.clone(), gate.clone(), arrived.clone());
        job(async move {
            let body = async {
                arrived.write(n);
                if arrived.read().len() == 10 {
                    gate.open();
                }
                gate.passed().await;
                n
            };
            peak.during(body).await
        })
    }));
    assert_eq!(backend.block_on(bodies).len(), 10);
    assert_eq!(peak.most(), 10);
}

/// GAT-2: Outputs are returned in input order, in any order of completion.
pub fn outputs_are_returned_in_input_order<B: Backend>(backend: B) {
    let (a, c) = (Gate::default(), Gate::default());
    let log = Log::default();
    let outputs = each(["a", "b", "c"]).unbounded().at(backend.place()).gather(boxed(|name| {
        let (a, c, log) = (a.clone(), c.clone(), log.clone());
        job(async move {
            match name {
                "a" => a.passed().await,
                "c" => c.passed().await,
                _ => {}
            }
            log.write(name);
            match name {
                "b" => a.open(),
                "a" => c.open(),
                _ => {}
            }
            name.as_bytes()[0] as u64
        })
    }));
    assert_eq!(backend.block_on(outputs), [97, 98, 99]);
    assert_eq!(log.read(), ["b", "a", "c"]);
}

/// GAT-3: Each item is pulled once and its body called once, in input order.
pub fn each_item_is_pulled_once_and_its_body_called_once_in_input_order<B: Backend>(backend: B) {
    let (pulled, called) = (Log::default(), Log::default());
    let items = (0..100).inspect(|&n: &u64| pulled.write(n)).enumerate();
    let outputs = each(items).unbounded().at(backend.place()).gather(boxed(|(index, n)| {
        assert_eq!(index as u64, n);
        called.write(n);
        job(async move {
            yields(n as usize % 3).await;
            n
        })
    }));
    let expected: Vec<_> = (0..100).collect();
    assert_eq!(backend.block_on(outputs), expected);
    assert_eq!(pulled.read(), expected);
    assert_eq!(called.read(), expected);
}

/// GAT-4: The earliest error is returned, not the one with the lowest index.
pub fn the_earliest_error_is_returned<B: Backend>(backend: B) {
    let (gate, clock) = (Gate::default(), backend.clock());
    let outcome = each(0..2).unbounded().at(backend.place()).try_gather(boxed(|n: u64| {
        let (gate, clock) = (gate.clone(), clock.clone());
        job(async move {
            if n == 0 {
                gate.passed().await;
                // Body 1 opens the gate before it has failed.
                clock.sleep(Duration::from_millis(200)).await;
            } else {
                gate.open();
            }
            Err::<u64, _>(format!("body {n}"))
        })
    }));
    let error = backend.block_on(outcome).unwrap_err();
    assert_eq!(error.first().unwrap().error, "body 1");
}

/// GAT-5: An error is returned after every sibling has stopped.
pub fn an_error_is_returned_after_the_siblings_have_stopped<B: Backend>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let outcome = each(0..10).unbounded().at(backend.place()).try_gather(boxed(|n: u64| {
        let (alive, all_in) = (alive.clone(), all_in.clone());
        job(async move {
            let _alive = alive.guard();
            if alive.now() == 10 {
                all_in.open();
            }
            all_in.passed().await;
            if n == 4 {
                return Err(String::from("four"));
            }
            std::future::pending::<()>().await;
            Ok(n)
        })
    }));
    let error = backend.block_on(async {
        let error = outcome.await.unwrap_err();
        // Checked before any other task is polled.
        assert_eq!(alive.now(), 0);
        error
    });
    assert_eq!(error.failures().len(), 1);
    assert_eq!(error.get(4).unwrap(), "four");
}

/// GAT-5, law 2: The error contains every failure of the round that stopped the loop, in completion order: here of
/// bodies that were woken together.
pub fn the_error_contains_every_failure<B: Backend>(backend: B) {
    let (gate, arrived, done) = (Arc::new(Mutex::default()), Log::default(), Log::default());
    let looping = || each(0..100).limit(8).unwrap().at(backend.place());
    let body = |n: u64| {
        let gate: Arc<Mutex<Gate>> = gate.clone();
        let (arrived, done) = (arrived.clone(), done.clone());
        async move {
            let passed = gate.lock().unwrap().clone();
            arrived.write(n);
            if n == 6 {
                std::future::pending::<()>().await;
            }
            passed.passed().await;
            done.write(n);
            if n == 3 { Ok(n) } else { Err(n.to_string()) }
        }
    };
    backend.block_on(async {
        for Run { strategy, mut returned } in every_strategy!(spawned: looping(), body) {
            if strategy.stops != Stops::AtFailure {
                continue;
            }
            while arrived.read().len() < 8 {
                assert_eq!(poll_once(returned.as_mut()).await, None, "{strategy:?}");
                yields(1).await;
            }
            gate.lock().unwrap().open();
            if B::SPAWNED {
                // The tasks fail while no task polls the loop.
                eventually(&backend.clock(), || done.read().len() == 7).await;
            }
            let returned = returned.await;
            *gate.lock().unwrap() = Gate::default();
            assert_eq!(
                arrived.take().len(),
                8,
                "{strategy:?}: no body was called after the failure"
            );
            let (failed, order) = (returned.failures, done.take());
            let expected = order.into_iter().filter(|&n| n != 3).map(|n| n.to_string());
            let mut failed: Vec<_> = failed.into_iter().map(|(_, error)| error).collect();
            let mut expected: Vec<_> = expected.collect();
            if B::SPAWNED {
                // A body has failed a little later than it says.
                failed.sort();
                expected.sort();
            }
            assert_eq!(failed, expected, "{strategy:?}");
            assert_eq!(failed.len(), 6, "{strategy:?}");
        }
    });
}

/// GAT-5, law 2: The same of bodies that start together, and fail at their first poll: as many as have permits.
pub fn the_error_contains_every_failure_of_bodies_that_start_together(in_task: Inline) {
    let (called, clock) = (Log::default(), in_task.clock());
    let body = |n: u64| {
        called.write(n);
        async move { Err::<u64, _>(n.to_string()) }
    };
    for (limit, items, expected) in [(1, 9, 1), (3, 9, 3), (9, 3, 3), (100, 1000, 64)] {
        let looping = || each(0..items).limit(limit).unwrap();
        let with_deadline = || looping().timer(&clock).deadline(LONG);
        let runs = every_strategy!(local: looping(), body).into_iter();
        let runs = runs.chain(every_strategy!(local: looping().with_parent_waker(), body));
        let runs = runs.chain(every_strategy!(local: with_deadline(), body));
        in_task.block_on(async {
            for Run { strategy, returned } in runs {
                if strategy.stops != Stops::AtFailure {
                    continue;
                }
                let failed = returned.await.failures.into_iter().map(|(_, error)| error);
                assert!(failed.eq((0..expected).map(|n| n.to_string())), "{strategy:?}");
                assert!(called.take().into_iter().eq(0..expected), "{strategy:?}");
            }
        });
    }
}

/// GAT-5, law 2: The same of bodies whose timers fire at one instant, and of those that time out at one.
pub fn the_error_contains_every_failure_of_one_instant(in_task: Inline) {
    let clock = in_task.clock();
    let second = Duration::from_secs(1);
    let looping = || each(0..9_u64).limit(5).unwrap();
    let error = in_task.block_on(looping().try_for_each(|n| {
        let clock = clock.clone();
        async move {
            clock.sleep(if n == 3 { 2 * second } else { second }).await;
            Err::<(), _>(n)
        }
    }));
    let failed: Vec<_> =
        error.unwrap_err().failures().iter().map(|failure| failure.error).collect();
    assert_eq!(failed, [0, 1, 2, 4]);

    // One body fails when the others time out.
    for fails in [9, 2] {
        let timed = looping().timer(&clock).timeout(second).try_for_each(|n| {
            let clock = clock.clone();
            async move {
                clock.sleep(if n == fails { second } else { 2 * second }).await;
                Err::<(), _>(n)
            }
        });
        let error = in_task.block_on(timed).unwrap_err();
        let mut late: Vec<_> = (0..5).collect();
        late.retain(|&index| index as u64 != fails);
        assert_eq!(error.timed_out(), late);
        assert_eq!(error.failures().len(), usize::from(fails < 5));
    }
}

/// GAT-5: After a failure, a body of its round is polled once and no other is: one that is still pending is dropped, one
/// that was not woken is not polled, and a panic takes precedence.
pub fn after_a_failure_each_body_of_its_round_is_polled_once(_in_task: Inline) {
    for panics in [false, true] {
        let (gate, polled, alive) = (Gate::default(), Log::default(), Alive::default());
        let other = Gate::default();
        let body = |n: u64| {
            let (gate, other, polled) = (gate.clone(), other.clone(), polled.clone());
            let guard = alive.guard();
            async move {
                let _alive = guard;
                let waits_for = if n == 2 { &other } else { &gate };
                waits_for.passed().await;
                for _ in 0..2 {
                    polled.write(n);
                    if n != 1 {
                        break;
                    }
                    yields(1).await;
                }
                assert!(n != 3 || !panics, "on purpose");
                Err::<(), _>(n)
            }
        };
        let mut looping = Box::pin(each(0..9).limit(5).unwrap().try_for_each(body));
        let failed = futures_lite::future::block_on(async {
            assert!(poll_once(looping.as_mut()).await.is_none());
            gate.open();
            AssertUnwindSafe(looping.as_mut()).catch_unwind().await
        });
        assert_eq!(alive.now(), 0);
        match failed {
            Ok(failed) => {
                let failed = failed.unwrap_err();
                let failed: Vec<_> =
                    failed.failures().iter().map(|failure| failure.error).collect();
                assert!(!panics && failed == [0, 3, 4]);
                assert_eq!(polled.read(), [0, 1, 3, 4]);
            }
            Err(_) => assert!(panics),
        }
    }
}

/// GAT-6: `settle` returns the outcome of every item in input order, with every limit.
pub fn settle_returns_every_outcome_in_input_order<B: Backend>(backend: B) {
    let items = || each([3, 1, 0, 2]);
    let limited = |limit: usize| items().limit(limit).unwrap();
    for looping in [items().sequential(), limited(2), limited(4), items().unbounded()] {
        let outcomes = looping.at(backend.place()).settle(boxed(|n: u64| {
            job(async move {
                yields(n as usize).await;
                if n.is_multiple_of(2) { Err(format!("e{n}")) } else { Ok(n) }
            })
        }));
        match &backend.block_on(outcomes)[..] {
            [Outcome::Ok(3), Outcome::Ok(1), Outcome::Err(first), Outcome::Err(second)] => {
                assert_eq!((&first[..], &second[..]), ("e0", "e2"));
            }
            other => panic!("{other:?}"),
        }
    }
}
