//! One value of all outputs, made as they finish.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::{CancelToken, Cause, Outcome, each};

use super::endless;
use crate::{Alive, Backend, Bomb, Gate, Tally, job, seconds, yields};

/// FLD-1
pub fn each_output_is_put_in_once_in_completion_order_with_its_index<B: Backend>(backend: B) {
    let gates: Vec<_> = (0..4).map(|_| Gate::default()).collect();
    // Only what was put in opens the next one's gate: 3, 1, 0, 2.
    gates[3].open();
    let next = [2, 0, 4, 1];
    let looping = each(0..4).unbounded().at(backend.place());
    let body = |n: u64| {
        let gate = gates[n as usize].clone();
        job(async move {
            gate.passed().await;
            10 * n
        })
    };
    let folded = looping.fold(Vec::new(), body, |mut outputs, (index, output)| {
        outputs.push((index, output));
        gates.get(next[index]).into_iter().for_each(Gate::open);
        outputs
    });
    assert_eq!(backend.block_on(folded), [(3, 30), (1, 10), (0, 0), (2, 20)]);
}

/// FLD-1, law 6
pub fn of_many_items_no_more_than_the_limit_are_there_at_once<B: Backend>(backend: B) {
    for limit in [1, 3, 64] {
        let (pulled, folded) = (Alive::default(), Alive::default());
        let items = (0..1000).inspect(|_: &u64| {
            pulled.guard();
            assert!(pulled.ever() - folded.ever() <= limit);
        });
        let looping = each(items).limit(limit).unwrap().at(backend.place());
        let body = |n: u64| {
            job(async move {
                yields(n as usize % 3).await;
                n
            })
        };
        let sum = looping.fold(0, body, |sum, (index, n)| {
            folded.guard();
            assert_eq!(index as u64, n);
            sum + n
        });
        assert_eq!(backend.block_on(sum), 999 * 500);
        assert_eq!((pulled.ever(), folded.ever()), (1000, 1000));
    }
}

/// FLD-1: bodies that read, await and write forget what the others have written.
pub fn a_shared_counter_loses_what_a_fold_keeps<B: Backend>(backend: B) {
    let (total, all_in) = (Tally::<u64>::default(), Gate::default());
    let counted = each(1..=10).unbounded().at(backend.place()).for_each(|n: u64| {
        let (total, all_in) = (total.clone(), all_in.clone());
        job(async move {
            let before = total.read().last().copied().unwrap_or_default();
            if n == 10 {
                all_in.open();
            }
            all_in.passed().await;
            total.write(before + n);
        })
    });
    backend.block_on(counted);
    assert_eq!(total.read().len(), 10);
    if !B::SPAWNED {
        assert!(*total.read().last().unwrap() < 55);
    }

    let looping = each(1..=10).unbounded().at(backend.place());
    let body = |n: u64| {
        job(async move {
            yields(1).await;
            n
        })
    };
    assert_eq!(backend.block_on(looping.fold(0, body, |total, (_, n)| total + n)), 55);
}

/// FLD-2
pub fn the_first_failure_stops_the_fold_and_nothing_is_put_in_after_it<B: Backend>(backend: B) {
    let (alive, failed, pulled) = (Alive::default(), Gate::default(), Tally::default());
    let items = (0..9).inspect(|&n: &u64| pulled.write(n));
    let looping = each(items).limit(3).unwrap().at(backend.place());
    let put_in = Tally::default();
    let body = |n: u64| {
        let (guard, failed) = (alive.guard(), failed.clone());
        job(async move {
            let _alive = guard;
            match n {
                0 => Ok(n),
                1 => {
                    // The other two of the three have begun.
                    failed.passed().await;
                    Err(n.to_string())
                }
                3 => {
                    failed.open();
                    std::future::pending().await
                }
                _ => std::future::pending().await,
            }
        })
    };
    let folded = looping.try_fold(0, body, |count, (index, n)| {
        assert_eq!(index as u64, n);
        put_in.write(n);
        count + 1
    });
    let error = backend.block_on(async {
        let error = folded.await.unwrap_err();
        assert_eq!(alive.now(), 0);
        error
    });
    assert_eq!((error.failures().len(), error.get(1)), (1, Some(&String::from("1"))));
    assert_eq!((put_in.read(), pulled.read()), (vec![0], vec![0, 1, 2, 3]));

    let looping = each(0..9).limit(3).unwrap().at(backend.place());
    let body = |n: u64| job(async move { Ok::<_, String>(n) });
    assert_eq!(backend.block_on(looping.try_fold(0, body, |sum, (_, n)| sum + n)), Ok(36));
}

/// FLD-3: under options that give each item an outcome, the step gets it.
pub fn a_fold_has_a_place_for_a_body_without_time<B: Backend>(backend: B) {
    let clock = backend.clock();
    let looping = each(0..3).unbounded().at(backend.place()).timeout(&clock, seconds::<B>(1));
    let body = |n: u64| if n == 1 { job(std::future::pending()) } else { job(async move { n }) };
    let folded =
        looping.fold((0, Vec::new()), body, |(sum, mut late), (index, outcome)| match outcome {
            Outcome::Ok(n) => (sum + n, late),
            Outcome::TimedOut => {
                late.push(index);
                (sum, late)
            }
            other => panic!("{other:?}"),
        });
    let (sum, late) = backend.block_on(folded);
    // On a clock that is not exact, time may be short for anybody.
    assert!((sum, &late[..]) == (2, &[1]) || !B::EXACT && late.contains(&1), "{late:?}");
}

/// FLD-3
pub fn a_fold_that_is_cut_short_tells_the_value_so_far<B: Backend>(backend: B) {
    let (alive, token) = (Alive::default(), CancelToken::new());
    let looping = each(0..).limit(2).unwrap().at(backend.place()).cancel_on(&token);
    let body = |n: u64| if n < 3 { job(async move { n }) } else { endless(&alive) };
    let folded = looping.fold(Vec::new(), body, |mut outputs, (_, n)| {
        outputs.push(n);
        if outputs.len() == 3 {
            token.cancel();
        }
        outputs
    });
    let interrupted = backend.block_on(folded).unwrap_err();
    let mut ready = interrupted.ready;
    ready.sort_unstable();
    assert_eq!((interrupted.cause, ready), (Cause::Cancelled, vec![0, 1, 2]));
    assert_eq!(alive.now(), 0);
}

/// FLD-4, law 1
pub fn a_folds_panic_goes_on_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let (alive, called) = (Alive::default(), Tally::default());
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..).limit(3).unwrap().at(backend.place());
        let body = |n: u64| if n < 2 { job(async move { n }) } else { endless(&alive) };
        backend.block_on(looping.fold(0, body, |sum, (_, n)| {
            called.write(n);
            assert_ne!(called.read().len(), 2, "on purpose");
            sum + n
        }))
    }));
    let payload = ended.unwrap_err();
    assert!(payload.downcast_ref::<String>().unwrap().contains("on purpose"));
    assert_eq!((alive.now(), called.read().len()), (0, 2));
}

/// FLD-4, law 2: of the step's panic and those of destructors that come of it, the step's goes on.
pub fn a_folds_panic_is_shown_before_those_that_come_of_it<B: Backend>(backend: B) {
    let all_in = Gate::default();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..2).unbounded().at(backend.place());
        let body = |n: u64| {
            let all_in = all_in.clone();
            job(async move {
                if n == 0 {
                    all_in.passed().await;
                    return n;
                }
                let _bomb = Bomb;
                all_in.open();
                std::future::pending().await
            })
        };
        backend.block_on(looping.fold(0, body, |_, _| -> u64 { panic!("the step") }))
    }));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"the step"));
}
