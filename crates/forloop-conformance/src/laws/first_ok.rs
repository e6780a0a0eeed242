//! The first `n` successes.

use forloop_core::{CancelToken, Cause, LoopError, each};
use futures_lite::future::poll_once;

use super::errors;
use crate::{Alive, Backend, Gate, Job, Log, boxed, job};

/// OPT-3: The first `n` successes are returned in completion order, and the other bodies are stopped.
pub fn the_first_n_successes_are_returned_in_completion_order<B: Backend>(backend: B) {
    let alive = Alive::default();
    let gates: Vec<_> = (0..6).map(|_| Gate::default()).collect();
    gates[4].open();
    let looping = each(0..6).unbounded().at(backend.place());
    let firsts = looping.first_ok(
        2,
        boxed(|n: u64| {
            let (guard, gates) = (alive.guard(), gates.clone());
            job(async move {
                let _alive = guard;
                gates[n as usize].passed().await;
                match n {
                    4 => {
                        gates[1].open();
                        Err(String::from("four"))
                    }
                    1 => {
                        gates[3].open();
                        Ok(n)
                    }
                    _ => Ok(n),
                }
            })
        }),
    );
    let mut firsts = backend.block_on(firsts).unwrap();
    // A task opens the next gate before it completes, so two tasks may complete in another order.
    if B::SPAWNED {
        firsts.sort_unstable();
    }
    assert_eq!(firsts, [(1, 1), (3, 3)]);
    assert_eq!((alive.now(), alive.ever()), (0, 6));

    // One after another: no body is called after the last success.
    let (called, pulled) = (Log::default(), Log::default());
    let items = (0..9).inspect(|&n: &u64| pulled.write(n));
    let firsts = each(items).sequential().at(backend.place()).first_ok(
        2,
        boxed(|n: u64| {
            called.write(n);
            job(async move { if n.is_multiple_of(2) { Err(n.to_string()) } else { Ok(n) } })
        }),
    );
    assert_eq!(backend.block_on(firsts), Ok(vec![(1, 1), (3, 3)]));
    assert_eq!((called.read(), pulled.read()), (vec![0, 1, 2, 3], vec![0, 1, 2, 3]));
}

/// OPT-3, law 2: If fewer than `n` bodies succeed, the error contains every failure.
pub fn too_few_successes_are_an_error_with_every_failure<B: Backend>(backend: B) {
    let looping = each(0..5).sequential().at(backend.place());
    let few = looping.first_ok(
        4,
        boxed(|n: u64| job(async move { if n % 2 == 1 { Err(n.to_string()) } else { Ok(n) } })),
    );
    let error = backend.block_on(few).unwrap_err();
    assert_eq!(errors(&error), ["1", "3"]);
    assert!(matches!(error, LoopError::Failed { cause: None, .. }));
}

/// OPT-3: If the source has fewer than `n` items, the error says how many succeeded and how many were required.
pub fn too_few_items_are_an_error_with_both_counts<B: Backend>(backend: B) {
    let looping = |items| each(0..items).unbounded().at(backend.place());
    let body = |n: u64| job(async move { Ok::<_, String>(n) });
    backend.block_on(async {
        let error = looping(2).first_ok(3, body).await.unwrap_err();
        assert!(matches!(error, LoopError::TooFew { succeeded: 2, wanted: 3, .. }));
        assert_eq!(looping(0).first_ok(3, body).await, Err(LoopError::Empty));
        assert_eq!(looping(3).first_ok(3, body).await.unwrap().len(), 3);
    });
}

/// OPT-3, law 5: With `n` of zero, the loop completes on its first poll, pulls no item and calls no body.
pub fn requiring_no_success_pulls_no_item_and_calls_no_body<B: Backend>(backend: B) {
    let source = Alive::default();
    let in_source = source.guard();
    let items = std::iter::from_fn(move || -> Option<u64> {
        let _source = &in_source;
        panic!("an item was pulled")
    });
    let body = |_| -> Job<Result<u64, String>> { panic!("a body was called") };
    let looping = each(items).limit(2).unwrap().at(backend.place());
    backend.block_on(async {
        let none = poll_once(looping.first_ok(0, body)).await;
        assert_eq!((none, source.now()), (Some(Ok(vec![])), 0));
    });
}

/// OPT-3, law 2: If the loop is interrupted before `n` bodies succeed, the error has the failures and the cause.
pub fn an_interrupted_first_ok_reports_the_failures_and_the_cause<B: Backend>(backend: B) {
    let token = CancelToken::new();
    let looping = each(0..4).sequential().at(backend.place()).cancel_on(&token);
    let few = looping.first_ok(
        2,
        boxed(|n: u64| {
            let token = token.clone();
            job(async move {
                match n {
                    0 => Ok(n),
                    1 => Err(n.to_string()),
                    _ => {
                        token.cancel();
                        std::future::pending().await
                    }
                }
            })
        }),
    );
    let error = backend.block_on(few).unwrap_err();
    assert_eq!((errors(&error), error.cause()), (vec!["1"], Some(Cause::Cancelled)));
}
