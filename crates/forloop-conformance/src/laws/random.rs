//! Random loops compared with a sequential model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use forloop_core::types::Iter;
use forloop_core::{Loop, LoopError, Outcome, each};
use futures_lite::StreamExt;

use crate::{Alive, Backend, Job, Log, Peak, eventually, job, yields};

/// A small random number generator: the same numbers for the same seed, on every platform.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeds,
    Fails,
    Panics,
}

/// The items and the limit of one loop.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) items: Vec<(usize, Fate)>,
    pub(super) limit: usize,
    /// Polls after which the loop is dropped.
    dropped_after: Option<usize>,
}

impl Plan {
    pub(super) fn make(numbers: &mut Numbers) -> Self {
        let troubled = numbers.below(3);
        let items = (0..numbers.below(30)).map(|_| {
            let fate = match (troubled, numbers.below(12)) {
                (1 | 2, 0) => Fate::Fails,
                (2, 1) => Fate::Panics,
                _ => Fate::Succeeds,
            };
            (numbers.below(6), fate)
        });
        Self {
            items: items.collect(),
            limit: [1, 2, 3, 7, 100][numbers.below(5)],
            dropped_after: (numbers.below(4) == 0).then(|| numbers.below(12)),
        }
    }

    fn indices_of(&self, fate: Fate) -> Vec<usize> {
        let indices = 0..self.items.len();
        indices.filter(|&index| self.items[index].1 == fate).collect()
    }
}

/// A future that panics if it is polled after its completion.
struct Once(Option<Job<Result<u64, String>>>);

impl Future for Once {
    type Output = Result<u64, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.0.as_mut().expect("a completed body is not polled");
        let polled = catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll(cx)));
        if !matches!(polled, Ok(Poll::Pending)) {
            self.0 = None;
        }
        polled.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }
}

/// What was observed of one loop.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) called: Log<usize>,
    pub(super) pulled: Arc<AtomicUsize>,
    pub(super) peak: Peak,
    /// Bodies and the values that they return.
    pub(super) alive: Alive,
}

impl Observed {
    pub(super) fn body(
        &self,
        index: usize,
        (duration, fate): (usize, Fate),
    ) -> Job<Result<u64, String>> {
        self.called.write(index);
        let (guard, peak) = (self.alive.guard(), self.peak.clone());
        let body = async move {
            let _alive = guard;
            peak.during(yields(duration)).await;
            match fate {
                Fate::Succeeds => Ok(index as u64),
                Fate::Fails => Err(index.to_string()),
                Fate::Panics => panic!("on purpose"),
            }
        };
        job(Once(Some(job(body))))
    }
}

/// How a loop was left.
enum Exit<T> {
    Dropped,
    Panicked,
    Returned(T),
}

/// Runs a loop until it returns, panics, or is dropped as planned.
fn run<B: Backend, T>(backend: &B, plan: &Plan, looping: impl Future<Output = T>) -> Exit<T> {
    let dropped_after = plan.dropped_after;
    let run = catch_unwind(AssertUnwindSafe(|| {
        backend.block_on(async {
            let mut looping = Box::pin(looping);
            for _ in 0..dropped_after.unwrap_or(usize::MAX) {
                if let Some(output) = futures_lite::future::poll_once(looping.as_mut()).await {
                    return Exit::Returned(output);
                }
                yields(1).await;
            }
            Exit::Dropped
        })
    }));
    run.unwrap_or(Exit::Panicked)
}

type Source = Iter<Box<dyn Iterator<Item = (usize, (usize, Fate))>>>;

/// Runs one plan with one strategy, and checks what every strategy promises.
fn check<B: Backend, T, F: Future<Output = T>>(
    backend: &B,
    plan: &Plan,
    strategy: impl FnOnce(Loop<Source, B::Place>, Arc<Observed>) -> F,
    check_output: impl FnOnce(T),
) {
    let seen = Arc::new(Observed::default());
    let pulled = seen.pulled.clone();
    let items = plan.items.clone().into_iter().enumerate().inspect(move |_| {
        pulled.fetch_add(1, Ordering::SeqCst);
    });
    let items: Box<dyn Iterator<Item = _>> = Box::new(items);
    let looping = each(items).limit(plan.limit).unwrap().at(backend.place());
    match run(backend, plan, strategy(looping, seen.clone())) {
        Exit::Dropped => assert!(plan.dropped_after.is_some()),
        Exit::Panicked => assert!(!plan.indices_of(Fate::Panics).is_empty(), "{plan:?}"),
        Exit::Returned(output) => check_output(output),
    }
    backend.block_on(eventually(&backend.clock(), || seen.alive.now() == 0));
    let called = seen.called.read();
    assert_eq!(called, (0..called.len()).collect::<Vec<_>>(), "called in input order, once each");
    assert_eq!(seen.pulled.load(Ordering::SeqCst), called.len(), "each pulled item was called");
    assert!(seen.peak.most() <= plan.limit, "{} in flight in {plan:?}", seen.peak.most());
}

/// The results of the sequential loop.
fn model(plan: &Plan) -> Vec<Result<u64, String>> {
    let returns = |(index, &(_, fate)): (usize, &(usize, Fate))| match fate {
        Fate::Fails => Err(index.to_string()),
        _ => Ok(index as u64),
    };
    plan.items.iter().enumerate().map(returns).collect()
}

/// Law 1, law 2, law 3, law 4, law 6, law 7, law 8, law 10: Loops with random items, limits and failures return
/// what a sequential model returns.
pub fn random_loops_keep_every_promise<B: Backend>(backend: B) {
    for seed in 0..300 {
        let plan = Plan::make(&mut Numbers(seed));
        gathers(&backend, &plan);
        stops_at_a_failure(&backend, &plan);
        settles(&backend, &plan);
        streams(&backend, &plan);
    }
}

fn gathers<B: Backend>(backend: &B, plan: &Plan) {
    let gather = |looping: Loop<Source, B::Place>, seen: Arc<Observed>| {
        looping.gather(move |(index, item)| seen.body(index, item))
    };
    check(backend, plan, gather, |outputs| assert_eq!(outputs, model(plan)));
}

fn stops_at_a_failure<B: Backend>(backend: &B, plan: &Plan) {
    let try_gather = |looping: Loop<Source, B::Place>, seen: Arc<Observed>| {
        looping.try_gather(move |(index, item)| seen.body(index, item))
    };
    check(backend, plan, try_gather, |tried| match tried {
        Ok(values) => assert_eq!(values.into_iter().map(Ok).collect::<Vec<_>>(), model(plan)),
        Err(LoopError::Failed { failures, .. }) => {
            let failing = plan.indices_of(Fate::Fails);
            for failure in &failures {
                assert!(failing.contains(&failure.index.unwrap()), "{failure} in {plan:?}");
            }
            if plan.limit == 1 {
                assert_eq!((failures.len(), failures[0].index), (1, failing.first().copied()));
            }
        }
        Err(other) => panic!("{other} in {plan:?}"),
    });
}

fn settles<B: Backend>(backend: &B, plan: &Plan) {
    let settle = |looping: Loop<Source, B::Place>, seen: Arc<Observed>| {
        looping.catch_panics().settle(move |(index, item)| seen.body(index, item))
    };
    check(backend, plan, settle, |outcomes| {
        assert_eq!(outcomes.len(), plan.items.len());
        for (index, outcome) in outcomes.into_iter().enumerate() {
            match (plan.items[index].1, outcome) {
                (Fate::Succeeds, Outcome::Ok(value)) => assert_eq!(value, index as u64),
                (Fate::Fails, Outcome::Err(error)) => assert_eq!(error, index.to_string()),
                (Fate::Panics, Outcome::Panicked(_)) => {}
                other => panic!("{other:?} at {index} in {plan:?}"),
            }
        }
    });
}

fn streams<B: Backend>(backend: &B, plan: &Plan) {
    let ordered = |looping: Loop<Source, B::Place>, seen: Arc<Observed>| {
        looping.stream(move |(index, item)| seen.body(index, item)).collect::<Vec<_>>()
    };
    check(backend, plan, ordered, |outputs| assert_eq!(outputs, model(plan)));

    let indexed = |looping: Loop<Source, B::Place>, seen: Arc<Observed>| {
        looping.as_completed(move |(index, item)| seen.body(index, item)).collect::<Vec<_>>()
    };
    check(backend, plan, indexed, |mut results| {
        results.sort();
        assert_eq!(results, model(plan).into_iter().enumerate().collect::<Vec<_>>());
    });

    let steps = Log::default();
    let written = steps.clone();
    let consumed = |looping: Loop<Source, B::Place>, seen: Arc<Observed>| {
        let results = looping.stream_unordered(move |(index, item)| seen.body(index, item));
        results.consume(|mut receiver| async move {
            while let Some(result) = receiver.next().await {
                yields(1).await;
                written.write(result);
            }
        })
    };
    check(backend, plan, consumed, |()| {
        let (mut steps, mut expected) = (steps.read(), model(plan));
        steps.sort();
        expected.sort();
        assert_eq!(steps, expected);
    });
}
