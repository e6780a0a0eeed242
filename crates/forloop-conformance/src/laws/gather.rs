//! `gather`, `try_gather` and `settle`.

use std::time::Duration;

use forloop_core::{Outcome, Timer, each};

use crate::{Alive, Backend, Gate, Log, Peak, job, yields};

/// GAT-1: Without a limit, all bodies are in flight at once.
pub fn all_bodies_run_at_once<B: Backend>(backend: B) {
    // Ten bodies that wait for each other complete only if all ten are in flight.
    let (peak, gate, arrived) = (Peak::default(), Gate::default(), Log::default());
    let bodies = each(0..10).unbounded().at(backend.place()).gather(|n: u64| {
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
    });
    assert_eq!(backend.block_on(bodies).len(), 10);
    assert_eq!(peak.most(), 10);
}

/// GAT-2: Outputs are returned in input order, in any order of completion.
pub fn outputs_are_returned_in_input_order<B: Backend>(backend: B) {
    let (a, c) = (Gate::default(), Gate::default());
    let log = Log::default();
    let outputs = each(["a", "b", "c"]).unbounded().at(backend.place()).gather(|name| {
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
    });
    assert_eq!(backend.block_on(outputs), [97, 98, 99]);
    assert_eq!(log.read(), ["b", "a", "c"]);
}

/// GAT-3: Each item is pulled once and its body called once, in input order.
pub fn each_item_is_pulled_once_and_its_body_called_once_in_input_order<B: Backend>(backend: B) {
    let (pulled, called) = (Log::default(), Log::default());
    let items = (0..100).inspect(|&n: &u64| pulled.write(n)).enumerate();
    let outputs = each(items).unbounded().at(backend.place()).gather(|(index, n)| {
        assert_eq!(index as u64, n);
        called.write(n);
        job(async move {
            yields(n as usize % 3).await;
            n
        })
    });
    let expected: Vec<_> = (0..100).collect();
    assert_eq!(backend.block_on(outputs), expected);
    assert_eq!(pulled.read(), expected);
    assert_eq!(called.read(), expected);
}

/// GAT-4: The earliest error is returned, not the one with the lowest index.
pub fn the_earliest_error_is_returned<B: Backend>(backend: B) {
    let (gate, clock) = (Gate::default(), backend.clock());
    let outcome = each(0..2).unbounded().at(backend.place()).try_gather(|n: u64| {
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
    });
    let error = backend.block_on(outcome).unwrap_err();
    assert_eq!(error.first().unwrap().error, "body 1");
}

/// GAT-5: An error is returned after every sibling has stopped.
pub fn an_error_is_returned_after_the_siblings_have_stopped<B: Backend>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let outcome = each(0..10).unbounded().at(backend.place()).try_gather(|n: u64| {
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
    });
    let error = backend.block_on(async {
        let error = outcome.await.unwrap_err();
        // Checked before any other task is polled.
        assert_eq!(alive.now(), 0);
        error
    });
    assert_eq!(error.failures().len(), 1);
    assert_eq!(error.get(4).unwrap(), "four");
}

/// GAT-5, law 2: The error contains the bodies that failed before the loop stopped, each with its index.
pub fn the_error_contains_every_failure<B: Backend>(backend: B) {
    let all_in = Gate::default();
    let arrived = Log::default();
    let outcome = each(0..8).unbounded().at(backend.place()).try_for_each(|n: u64| {
        let (all_in, arrived) = (all_in.clone(), arrived.clone());
        job(async move {
            arrived.write(n);
            if arrived.read().len() == 8 {
                all_in.open();
            }
            all_in.passed().await;
            Err::<(), _>(n.to_string())
        })
    });
    let error = backend.block_on(outcome).unwrap_err();
    assert!(!error.failures().is_empty());
    for failure in error.failures() {
        assert_eq!(failure.error, failure.index.unwrap().to_string());
    }
}

/// GAT-6: `settle` returns the outcome of every item in input order, with every limit.
pub fn settle_returns_every_outcome_in_input_order<B: Backend>(backend: B) {
    let items = || each([3, 1, 0, 2]);
    let limited = |limit: usize| items().limit(limit).unwrap();
    for looping in [items().sequential(), limited(2), limited(4), items().unbounded()] {
        let outcomes = looping.at(backend.place()).settle(|n: u64| {
            job(async move {
                yields(n as usize).await;
                if n.is_multiple_of(2) { Err(format!("e{n}")) } else { Ok(n) }
            })
        });
        match &backend.block_on(outcomes)[..] {
            [Outcome::Ok(3), Outcome::Ok(1), Outcome::Err(first), Outcome::Err(second)] => {
                assert_eq!((&first[..], &second[..]), ("e0", "e2"));
            }
            other => panic!("{other:?}"),
        }
    }
}
