//! One value of all outputs, updated as bodies complete.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::{CancelToken, Cause, Outcome, each};

use super::endless;
use crate::{Alive, Backend, Gate, Log, PanicOnDrop, boxed, job, seconds, yields};

/// FLD-1: `fold` receives each output once, in completion order, with its index.
pub fn each_output_is_folded_once_in_completion_order_with_its_index<B: Backend>(backend: B) {
    let gates: Vec<_> = (0..4).map(|_| Gate::default()).collect();
    // The step opens the gate of the next body: 3, 1, 0, 2.
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

/// FLD-1, law 6: A fold of many items holds at most `limit` of them at once.
pub fn of_many_items_at_most_limit_exist_at_once<B: Backend>(backend: B) {
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

/// FLD-1: A fold keeps every update, while bodies that read, await and write a shared counter lose some.
pub fn a_fold_keeps_updates_that_a_shared_counter_loses<B: Backend>(backend: B) {
    let (total, all_in) = (Log::<u64>::default(), Gate::default());
    let counted = each(1..=10).unbounded().at(backend.place()).for_each(boxed(|n: u64| {
        let (total, all_in) = (total.clone(), all_in.clone());
        job(async move {
            let before = total.read().last().copied().unwrap_or_default();
            if n == 10 {
                all_in.open();
            }
            all_in.passed().await;
            total.write(before + n);
        })
    }));
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

/// FLD-2: The first failure stops the bodies of a `try_fold`, and no output is folded after it.
pub fn the_first_failure_stops_a_try_fold_and_no_output_is_folded_after_it<B: Backend>(backend: B) {
    let (alive, failed, pulled) = (Alive::default(), Gate::default(), Log::default());
    let items = (0..9).inspect(|&n: &u64| pulled.write(n));
    let looping = each(items).limit(3).unwrap().at(backend.place());
    let folded = Log::default();
    let body = |n: u64| {
        let (guard, failed) = (alive.guard(), failed.clone());
        job(async move {
            let _alive = guard;
            match n {
                0 => Ok(n),
                1 => {
                    // The other two of the three have started.
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
    let fold = looping.try_fold(0, body, |count, (index, n)| {
        assert_eq!(index as u64, n);
        folded.write(n);
        count + 1
    });
    let error = backend.block_on(async {
        let error = fold.await.unwrap_err();
        assert_eq!(alive.now(), 0);
        error
    });
    assert_eq!((error.failures().len(), error.get(1)), (1, Some(&String::from("1"))));
    assert_eq!((folded.read(), pulled.read()), (vec![0], vec![0, 1, 2, 3]));

    let looping = each(0..9).limit(3).unwrap().at(backend.place());
    let body = |n: u64| job(async move { Ok::<_, String>(n) });
    assert_eq!(backend.block_on(looping.try_fold(0, body, |sum, (_, n)| sum + n)), Ok(36));
}

/// FLD-3: With an option that produces outcomes, the step receives the outcome of a body that timed out.
pub fn a_fold_receives_the_outcomes_of_timed_out_bodies<B: Backend>(backend: B) {
    let clock = backend.clock();
    let looping = each(0..3).unbounded().at(backend.place()).timer(&clock).timeout(seconds::<B>(1));
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
    // On a real clock, any body may time out.
    assert!((sum, &late[..]) == (2, &[1]) || !B::EXACT && late.contains(&1), "{late:?}");
}

/// FLD-3: An interrupted `fold` returns the value so far.
pub fn an_interrupted_fold_returns_the_value_so_far<B: Backend>(backend: B) {
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

/// FLD-4, law 1: A panic of the step propagates after the bodies have stopped, and the step is not called again.
pub fn a_folds_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    let (alive, called) = (Alive::default(), Log::default());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..).limit(3).unwrap().at(backend.place());
        let body = |n: u64| if n < 2 { job(async move { n }) } else { endless(&alive) };
        backend.block_on(looping.fold(0, body, |sum, (_, n)| {
            called.write(n);
            assert_ne!(called.read().len(), 2, "on purpose");
            sum + n
        }))
    }));
    let payload = caught.unwrap_err();
    assert!(payload.downcast_ref::<String>().unwrap().contains("on purpose"));
    assert_eq!((alive.now(), called.read().len()), (0, 2));
}

/// FLD-4, law 2: A panic of the step propagates, not the panics of destructors that follow from it.
pub fn a_folds_panic_takes_precedence_over_those_of_destructors<B: Backend>(backend: B) {
    let all_in = Gate::default();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..2).unbounded().at(backend.place());
        let body = |n: u64| {
            let all_in = all_in.clone();
            job(async move {
                if n == 0 {
                    all_in.passed().await;
                    return n;
                }
                let _panics = PanicOnDrop;
                all_in.open();
                std::future::pending().await
            })
        };
        backend.block_on(looping.fold(0, body, |_, _| -> u64 { panic!("the step") }))
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"the step"));
}
