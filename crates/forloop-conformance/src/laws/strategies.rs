//! Strategies say once what stops them, and which outputs are failures. Both are the same wherever the bodies run.

use std::iter;
use std::sync::{Arc, Mutex};

use forloop_core::places::WorkerPool;
use forloop_core::{Cause, each};

use crate::strategies::{Errors, Returned, Run, Stops, Strategy, every_strategy};
use crate::{Gate, Inline, Log, Spawning, yields};

/// WRK-3: with a limit of 1, every strategy runs as many bodies as the sequential loop, and returns the same.
pub fn every_strategy_on_workers_stops_at_the_completion_that_decides<B: Spawning>(backend: B) {
    let failures: [fn(usize) -> bool; 2] = [|index| index == 2, |index| index % 4 == 0];
    for (workers, fails) in WORKERS.into_iter().flat_map(|w| failures.map(|fails| (w, fails))) {
        let all = run_every_strategy(&backend, (workers, 1), 8, Completions::AnyOrder, fails);
        for (strategy, returned, completed) in all {
            let called = completed.len();
            strategy.check_in_order(&returned, called, 8, |index| index as u64, fails);
        }
    }
}

/// WRK-3
pub fn every_strategy_on_workers_returns_failures_in_completion_order<B: Spawning>(backend: B) {
    for workers in WORKERS {
        let all = run_every_strategy(&backend, (workers, 2), 20, Completions::InputOrder, |_| true);
        for (strategy, returned, completed) in all {
            // Of two that run, the second may complete while the loop stops at the first.
            let decides = match (strategy.stops, strategy.errors) {
                (Stops::Never, _) => 20,
                (Stops::AtFailure, _) => 1,
                (Stops::AfterSuccesses(wanted), Errors::None | Errors::AsValues) => wanted,
                (Stops::AfterSuccesses(_), _) => 20,
            };
            assert!((decides..=decides + 1).contains(&completed.len()), "{strategy:?}");
            let first = returned.failures.len().min(decides);
            let failures = returned.failures.iter().map(|(_, error)| error.parse::<u64>().unwrap());
            let failures: Vec<_> = failures.collect();
            assert!(failures.iter().copied().eq(0..failures.len() as u64), "{strategy:?}");
            assert!(first == decides || strategy.errors == Errors::None, "{strategy:?}");
        }
    }
}

/// OPT-2: a strategy that looks into what bodies return counts their failures for the options of its loop.
pub fn every_strategy_says_which_outputs_are_failures(_in_task: Inline) {
    let completed = Log::default();
    let looping = || each(0..6_u64).limit(1).unwrap().stop_on_counts(|counts| counts.failed() == 2);
    let body = |n: u64| {
        let completed = completed.clone();
        async move {
            completed.write(n);
            if n % 2 == 1 { Err(n.to_string()) } else { Ok(n) }
        }
    };
    futures_lite::future::block_on(async {
        for Run { strategy, returned } in every_strategy!(local: looping(), body) {
            let returned = returned.await;
            let (called, causes) = match (strategy.errors, strategy.stops) {
                (_, Stops::AfterSuccesses(1)) => (1, vec![]),
                (Errors::None | Errors::AsValues, _) => (6, vec![]),
                (_, Stops::AtFailure) => (2, vec![]),
                (_, Stops::Never | Stops::AfterSuccesses(_)) => (4, vec![Cause::ConditionMet]),
            };
            assert_eq!(completed.take().len(), called, "{strategy:?}: {returned:?}");
            assert_eq!(returned.causes, causes, "{strategy:?}: {returned:?}");
        }
    });
}

/// The numbers of workers that a promise is checked with.
pub(super) const WORKERS: [usize; 3] = [1, 2, 4];

pub(super) fn worker_pool<B: Spawning>(backend: &B, workers: usize) -> WorkerPool<B::Runtime> {
    WorkerPool::of(backend.runtime(), workers.try_into().unwrap())
}

/// When the bodies of [`run_every_strategy`] complete.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Completions {
    /// After some polls, in any order.
    AnyOrder,
    /// In input order, with a limit of 2: each when the next item is pulled. Two bodies run, so by then the one before
    /// it has completed.
    InputOrder,
}

/// Runs every strategy on workers that pull the items `0..items`. Returns the result of each, and the items whose
/// bodies have completed, in completion order.
pub(super) fn run_every_strategy<B: Spawning>(
    backend: &B,
    pool: (usize, usize),
    items: usize,
    completions: Completions,
    fails: fn(usize) -> bool,
) -> Vec<(Strategy, Returned, Vec<u64>)> {
    let (workers, limit) = pool;
    // Gate n is opened when item n + 1 is pulled, or when there is none.
    let gates = Arc::new(Mutex::new(Vec::new()));
    let looping = || {
        *gates.lock().unwrap() = (0..items).map(|_| Gate::default()).collect();
        let (gates, mut pulled) = (gates.clone(), 0..items);
        let items = iter::from_fn(move || {
            if let Some(before) = pulled.start.checked_sub(1) {
                gates.lock().unwrap()[before].open();
            }
            pulled.next().map(|n| n as u64)
        });
        each(items).limit(limit).unwrap().at(worker_pool(backend, workers))
    };
    let completed = Log::default();
    let body = {
        let (completed, gates) = (completed.clone(), gates.clone());
        move |n: u64| {
            let (completed, gate) = (completed.clone(), gates.lock().unwrap()[n as usize].clone());
            async move {
                match completions {
                    Completions::AnyOrder => yields(n as usize % 3).await,
                    Completions::InputOrder => gate.passed().await,
                }
                completed.write(n);
                if fails(n as usize) { Err(n.to_string()) } else { Ok(n) }
            }
        }
    };
    backend.block_on(async {
        let mut all = Vec::new();
        for Run { strategy, returned } in every_strategy!(pulled: looping(), body) {
            let returned = returned.await;
            all.push((strategy, returned, completed.take()));
        }
        all
    })
}
