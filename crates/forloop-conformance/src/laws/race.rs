//! Races: the first to finish, the first to succeed.

use std::convert::Infallible;

use forloop_core::{CancelToken, Cause, LoopError, each};

use crate::{Alive, Backend, Gate, Tally, job, seconds, yields};

/// OPT-3
pub fn the_first_success_wins_and_stops_the_others<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..4).unbounded().at(backend.place());
    let won = backend.block_on(looping.race_ok(|n: u64| {
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
    }));
    assert_eq!(won.unwrap(), (2, 2));
    assert_eq!((alive.now(), alive.ever()), (0, 4));
}

/// OPT-3
pub fn when_none_succeeds_every_error_is_returned_the_first_in_time_first<B: Backend>(backend: B) {
    let gates: Vec<_> = (0..3).map(|_| Gate::default()).collect();
    gates[1].open();
    let looping = each(0..3).unbounded().at(backend.place());
    let error = backend.block_on(looping.race_ok(|n: u64| {
        let gates = gates.clone();
        job(async move {
            gates[n as usize].passed().await;
            // 1, then 2, then 0.
            gates[(n as usize + 1) % 3].open();
            Err::<u64, _>(n.to_string())
        })
    }));
    let error = error.unwrap_err();
    let mut order: Vec<_> = error.failures().iter().map(|failure| failure.index.unwrap()).collect();
    // A task opens the next one's gate before it has ended, so two may end in another order.
    if B::SPAWNED {
        order.sort_by_key(|&index| [2, 0, 1][index]);
    }
    assert_eq!(order, [1, 2, 0]);
    assert!(matches!(error, LoopError::Failed { .. }));
}

/// OPT-3
pub fn one_after_another_the_first_success_ends_the_search<B: Backend>(backend: B) {
    let (called, pulled) = (Tally::default(), Tally::default());
    let items = (0..9).inspect(|&n: &u64| pulled.write(n));
    let found = backend.block_on(each(items).sequential().at(backend.place()).race_ok(|n| {
        called.write(n);
        job(async move { if n < 3 { Err(n.to_string()) } else { Ok(n) } })
    }));
    assert_eq!(found.unwrap(), (3, 3));
    assert_eq!((called.read(), pulled.read()), (vec![0, 1, 2, 3], vec![0, 1, 2, 3]));
}

/// OPT-3
pub fn of_two_at_one_time_exactly_one_wins<B: Backend>(backend: B) {
    for _ in 0..50 {
        let gate = Gate::default();
        let looping = each(0..4).unbounded().at(backend.place());
        let race = looping.race(|n: u64| {
            let gate = gate.clone();
            job(async move {
                gate.passed().await;
                n
            })
        });
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

/// OPT-3
pub fn a_race_ends_with_the_first_to_finish_whatever_it_gives<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = each(0..3).unbounded().at(backend.place());
    let won = backend.block_on(looping.race(|n: u64| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            match n {
                1 => Err(String::from("first")),
                _ => std::future::pending::<Result<u64, String>>().await,
            }
        })
    }));
    assert_eq!(won, Ok((1, Err(String::from("first")))));
    assert_eq!(alive.now(), 0);
}

/// EMP-1, OPT-3
pub fn an_empty_race_has_no_winner<B: Backend>(backend: B) {
    let empty = || each(0..0).unbounded().at(backend.place());
    backend.block_on(async {
        let race = empty().race(|n: u64| job(async move { n }));
        assert_eq!(futures_lite::future::poll_once(race).await, Some(Err(LoopError::Empty)));
        let race = empty().race_ok(|n: u64| job(async move { Ok::<u64, String>(n) }));
        assert_eq!(futures_lite::future::poll_once(race).await, Some(Err(LoopError::Empty)));
    });
}

/// OPT-3, law 2: bodies without time do not win; that all had none is told.
pub fn a_race_without_time_tells_so<B: Backend>(backend: B) {
    let clock = backend.clock();
    let race = || {
        let looping = each(0..3).unbounded().at(backend.place());
        looping.timeout(&clock, seconds::<B>(1))
    };
    backend.block_on(async {
        let lost = race().race(|_| job(std::future::pending::<u64>())).await;
        let expected: Result<_, LoopError<Infallible>> = lost;
        assert_eq!(expected.unwrap_err().timed_out(), [0, 1, 2]);
        let lost = race().race_ok(|n| {
            job(async move {
                match n {
                    1 => Err::<u64, _>(String::from("failed")),
                    _ => std::future::pending().await,
                }
            })
        });
        let lost = lost.await.unwrap_err();
        let told = (lost.failures().len(), lost.timed_out());
        // On a clock that is not exact, time may be short for anybody.
        assert!(told == (1, &[0, 2]) || !B::EXACT && told == (0, &[0, 1, 2]), "{told:?}");
    });
}

/// OPT-3, law 2
pub fn a_race_that_is_cut_short_tells_who_had_failed_and_that_it_was_cut<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let looping = each(0..3).sequential().at(backend.place()).cancel_on(&token);
    let error = backend.block_on(looping.race_ok(|n: u64| {
        let token = token.clone();
        job(async move {
            if n == 1 {
                token.cancel();
                std::future::pending::<()>().await;
            }
            Err::<u64, _>(n.to_string())
        })
    }));
    let error = error.unwrap_err();
    assert_eq!((error.failures().len(), error.cause()), (1, Some(Cause::Cancelled)));
}
