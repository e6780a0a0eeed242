//! Races: the first completion, and the first success.

use std::convert::Infallible;

use forloop_core::{CancelToken, Cause, LoopError, each};

use crate::{Alive, Backend, Gate, Log, boxed, job, seconds, yields};

/// OPT-3: `race_ok` returns the first success and stops the other bodies.
pub fn the_first_success_wins_and_stops_the_others<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..4).unbounded().at(backend.place());
    let won = backend.block_on(looping.race_ok(boxed(|n: u64| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            match n {
                1 => Err(String::from("too early to be right")),
                2 => {
                    yields(5).await;
                    Ok(n)
                }
                _ => std::future::pending().await,
            }
        })
    })));
    assert_eq!(won.unwrap(), (2, 2));
    assert_eq!((alive.now(), alive.ever()), (0, 4));
}

/// OPT-3: If no body succeeds, `race_ok` returns every error in completion order.
pub fn without_a_success_every_error_is_returned_in_completion_order<B: Backend>(backend: B) {
    let gates: Vec<_> = (0..3).map(|_| Gate::default()).collect();
    gates[1].open();
    let looping = each(0..3).unbounded().at(backend.place());
    let error = backend.block_on(looping.race_ok(boxed(|n: u64| {
        let gates = gates.clone();
        job(async move {
            gates[n as usize].passed().await;
            // 1, then 2, then 0.
            gates[(n as usize + 1) % 3].open();
            Err::<u64, _>(n.to_string())
        })
    })));
    let error = error.unwrap_err();
    let mut order: Vec<_> = error.failures().iter().map(|failure| failure.index.unwrap()).collect();
    // A task opens the next gate before it completes, so two tasks may complete in another order.
    if B::SPAWNED {
        order.sort_by_key(|&index| [2, 0, 1][index]);
    }
    assert_eq!(order, [1, 2, 0]);
    assert!(matches!(error, LoopError::Failed { .. }));
}

/// OPT-3: A sequential `race_ok` pulls no item and calls no body after the first success.
pub fn a_sequential_race_stops_at_the_first_success<B: Backend>(backend: B) {
    let (called, pulled) = (Log::default(), Log::default());
    let items = (0..9).inspect(|&n: &u64| pulled.write(n));
    let found =
        backend.block_on(each(items).sequential().at(backend.place()).race_ok(boxed(|n: u64| {
            called.write(n);
            job(async move { if n < 3 { Err(n.to_string()) } else { Ok(n) } })
        })));
    assert_eq!(found.unwrap(), (3, 3));
    assert_eq!((called.read(), pulled.read()), (vec![0, 1, 2, 3], vec![0, 1, 2, 3]));
}

/// OPT-3: Of bodies that complete at the same time, exactly one wins; in the caller's task, the lowest index.
pub fn of_simultaneous_completions_exactly_one_wins<B: Backend>(backend: B) {
    for _ in 0..50 {
        let gate = Gate::default();
        let looping = each(0..4).unbounded().at(backend.place());
        let race = looping.race(boxed(|n: u64| {
            let gate = gate.clone();
            job(async move {
                gate.passed().await;
                n
            })
        }));
        let opens = async {
            yields(3).await;
            gate.open();
        };
        let (won, ()) = backend.block_on(futures_lite::future::zip(race, opens));
        let (index, won) = won.unwrap();
        assert_eq!(index as u64, won);
        if !B::SPAWNED {
            assert_eq!(index, 0);
        }
    }
}

/// OPT-3: `race` returns the first output, even if it is an error, and stops the other bodies.
pub fn a_race_returns_the_first_completion_even_if_it_is_an_error<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..3).unbounded().at(backend.place());
    let won = backend.block_on(looping.race(boxed(|n: u64| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            match n {
                1 => Err(String::from("first")),
                _ => std::future::pending::<Result<u64, String>>().await,
            }
        })
    })));
    assert_eq!(won, Ok((1, Err(String::from("first")))));
    assert_eq!(alive.now(), 0);
}

/// EMP-1, OPT-3: A race without items completes on its first poll with `LoopError::Empty`.
pub fn an_empty_race_is_an_error<B: Backend>(backend: B) {
    let empty = || each(0..0).unbounded().at(backend.place());
    backend.block_on(async {
        let race = empty().race(boxed(|n: u64| job(async move { n })));
        assert_eq!(futures_lite::future::poll_once(race).await, Some(Err(LoopError::Empty)));
        let race = empty().race_ok(boxed(|n: u64| job(async move { Ok::<u64, String>(n) })));
        assert_eq!(futures_lite::future::poll_once(race).await, Some(Err(LoopError::Empty)));
    });
}

/// OPT-3, law 2: Bodies that timed out do not win; a race without a winner lists them.
pub fn a_race_reports_the_bodies_that_timed_out<B: Backend>(backend: B) {
    let clock = backend.clock();
    let race = || {
        let looping = each(0..3).unbounded().at(backend.place());
        looping.timer(&clock).timeout(seconds::<B>(1))
    };
    backend.block_on(async {
        let lost = race().race(boxed(|_| job(std::future::pending::<u64>()))).await;
        let expected: Result<_, LoopError<Infallible>> = lost;
        assert_eq!(expected.unwrap_err().timed_out(), [0, 1, 2]);
        let lost = race().race_ok(boxed(|n| {
            job(async move {
                match n {
                    1 => Err::<u64, _>(String::from("failed")),
                    _ => std::future::pending().await,
                }
            })
        }));
        let lost = lost.await.unwrap_err();
        let reported = (lost.failures().len(), lost.timed_out());
        // On a real clock, any body may time out.
        assert!(
            reported == (1, &[0, 2]) || !B::EXACT && reported == (0, &[0, 1, 2]),
            "{reported:?}"
        );
    });
}

/// OPT-3, law 2: An interrupted race returns the failures so far and the cause.
pub fn an_interrupted_race_reports_the_failures_and_the_cause<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let looping = each(0..3).sequential().at(backend.place()).cancel_on(&token);
    let error = backend.block_on(looping.race_ok(boxed(|n: u64| {
        let token = token.clone();
        job(async move {
            if n == 1 {
                token.cancel();
                std::future::pending::<()>().await;
            }
            Err::<u64, _>(n.to_string())
        })
    })));
    let error = error.unwrap_err();
    assert_eq!((error.failures().len(), error.cause()), (1, Some(Cause::Cancelled)));
}
