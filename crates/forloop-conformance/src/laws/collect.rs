//! Outputs in any collection.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::{CancelToken, Cause, Outcome, each};
use futures_lite::future::poll_once;

use super::{endless, errors};
use crate::{Alive, Backend, Gate, Job, boxed, job, seconds, yields};

/// A body that takes longer the earlier its item is.
fn slower_first(n: u64) -> Job<u64> {
    job(async move {
        yields(20 - 2 * n as usize).await;
        n
    })
}

/// COL-1: `collect` fills any collection in input order, with outcomes if an option produces them.
pub fn collect_fills_any_collection_in_input_order<B: Backend>(backend: B) {
    let looping = || each(0..10).limit(4).unwrap().at(backend.place());
    backend.block_on(async {
        let in_order: VecDeque<_> = looping().collect(slower_first).await;
        assert!(in_order.into_iter().eq(0..10));
        let digits: BTreeSet<_> = looping().collect(|n| slower_first(n % 3)).await;
        assert!(digits.into_iter().eq(0..3));
        // With an option that produces outcomes, `collect` collects them.
        let outcomes: Vec<_> = looping()
            .timer(&backend.clock())
            .timeout(seconds::<B>(1))
            .collect(|n| if n == 4 { job(std::future::pending()) } else { slower_first(n) })
            .await;
        assert_eq!(outcomes.len(), 10);
        assert!(matches!(outcomes[4], Outcome::TimedOut));
        // On a real clock, any body may time out.
        assert!(!B::EXACT || matches!(outcomes[9], Outcome::Ok(9)));
    });
}

/// COL-1: `try_collect` collects the values, or stops the bodies at the first failure and returns it.
pub fn try_collect_stops_at_the_first_failure<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = || each(0..10).limit(4).unwrap().at(backend.place());
    backend.block_on(async {
        let all: Result<VecDeque<_>, _> =
            looping().try_collect(|n| super::fallible(slower_first(n))).await;
        assert!(all.unwrap().into_iter().eq(0..10));
        let none: Result<BTreeSet<u64>, _> = looping()
            .try_collect(|n| match n {
                3 => job(async { Err(String::from("three")) }),
                _ => endless(&alive),
            })
            .await;
        assert_eq!(alive.now(), 0);
        assert_eq!(errors(&none.unwrap_err()), ["three"]);
    });
}

/// COL-1: An interrupted `collect` returns the outputs so far, in input order.
pub fn an_interrupted_collect_returns_the_outputs_so_far<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let looping = each(0..3).unbounded().at(backend.place()).cancel_on(gate.passed());
    let body = |n: u64| match n {
        1 => {
            let (guard, gate) = (alive.guard(), gate.clone());
            job(async move {
                let _alive = guard;
                yields(20).await;
                gate.open();
                std::future::pending().await
            })
        }
        _ => slower_first(n + 8),
    };
    let collected: Result<VecDeque<_>, _> = backend.block_on(looping.collect(body));
    let interrupted = collected.unwrap_err();
    assert_eq!((interrupted.cause, interrupted.pending.contains(&1)), (Cause::Cancelled, true));
    assert!(interrupted.ready.iter().all(|&n| n == 8 || n == 10));
    if !B::SPAWNED {
        assert_eq!(interrupted.ready, [8, 10]);
    }
    assert_eq!(alive.now(), 0);
}

/// COL-2: `extend` adds each output as soon as its body completes, and keeps the previous elements.
pub fn extend_adds_outputs_in_completion_order<B: Backend>(backend: B) {
    /// Opens the gate of the next body when an output is added.
    struct Openers<'a>(Vec<u64>, &'a [Gate]);

    impl Extend<u64> for Openers<'_> {
        fn extend<I: IntoIterator<Item = u64>>(&mut self, outputs: I) {
            for n in outputs {
                self.0.push(n);
                self.1.get((n as usize).wrapping_sub(1)).into_iter().for_each(Gate::open);
            }
        }
    }

    let gates: Vec<_> = (0..5).map(|_| Gate::default()).collect();
    gates[4].open();
    let mut openers = Openers(vec![7], &gates);
    let looping = each(0..5).unbounded().at(backend.place());
    backend.block_on(looping.extend(
        &mut openers,
        boxed(|n: u64| {
            let gate = gates[n as usize].clone();
            job(async move {
                gate.passed().await;
                n
            })
        }),
    ));
    assert_eq!(openers.0, [7, 4, 3, 2, 1, 0]);
}

/// COL-2: The outputs so far stay in the collection if `extend` is interrupted or dropped.
pub fn an_interrupted_or_dropped_extend_keeps_the_outputs_so_far<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = || each(0..).limit(2).unwrap().at(backend.place());
    let body = |n: u64| if n < 3 { job(async move { n }) } else { endless(&alive) };
    let (mut interrupted, mut dropped) = (Vec::new(), Vec::new());
    backend.block_on(async {
        let token = CancelToken::new();
        let stopped = looping().cancel_on(&token).extend(&mut interrupted, body);
        let stops = async {
            while alive.now() < 2 {
                yields(1).await;
            }
            token.cancel();
        };
        let (stopped, ()) = futures_lite::future::zip(stopped, stops).await;
        assert_eq!(stopped.unwrap_err().cause, Cause::Cancelled);
        assert_eq!(alive.now(), 0);

        let mut looping = Box::pin(looping().extend(&mut dropped, body));
        while alive.now() < 2 {
            assert!(poll_once(looping.as_mut()).await.is_none());
            yields(1).await;
        }
        // The next poll adds the outputs of the bodies that have completed.
        assert!(poll_once(looping.as_mut()).await.is_none());
    });
    for mut collection in [interrupted, dropped] {
        collection.sort_unstable();
        assert_eq!(collection, [0, 1, 2]);
    }
}

/// COL-2, law 1: A panic of the collection propagates after the bodies have stopped.
pub fn a_collections_panic_propagates_after_the_bodies_have_stopped<B: Backend>(backend: B) {
    struct Full;

    impl Extend<u64> for Full {
        fn extend<I: IntoIterator<Item = u64>>(&mut self, _: I) {
            panic!("no room");
        }
    }

    let alive = Alive::default();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let looping = each(0..).limit(3).unwrap().at(backend.place());
        let body = |n: u64| if n == 1 { job(async move { n }) } else { endless(&alive) };
        backend.block_on(looping.extend(&mut Full, body));
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"no room"));
    assert_eq!(alive.now(), 0);
}
