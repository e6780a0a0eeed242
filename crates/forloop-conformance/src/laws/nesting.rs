//! Loops inside loops, and groups inside groups.

use std::error::Error;

use forloop_core::{LoopError, each, scope};

use crate::{Alive, Backend, Gate, Group, Job, Log, Peak, Spawning, boxed, job, yields};

/// Twelve bodies that wait for each other: they complete only if all of them are in flight.
#[derive(Clone, Default)]
struct Barrier {
    peak: Peak,
    arrived: Log,
    all_in: Gate,
}

impl Barrier {
    fn body(&self, n: u64) -> Job<u64> {
        let Self { peak, arrived, all_in } = self.clone();
        job(async move {
            let waits = async {
                arrived.write(n);
                if arrived.read().len() == 12 {
                    all_in.open();
                }
                all_in.passed().await;
            };
            peak.during(waits).await;
            n
        })
    }

    fn check(self, outputs: &[Vec<u64>]) {
        assert_eq!(outputs.concat(), (0..12).collect::<Vec<_>>());
        assert_eq!(self.peak.most(), 12);
    }
}

/// NST-1: Nested limits multiply, and an inner loop takes no permit of the outer loop.
pub fn nested_limits_multiply_and_an_inner_loop_takes_no_outer_permit<B: Backend>(backend: B) {
    // The inner loops' bodies run on the backend.
    let barrier = Barrier::default();
    let outputs = each(0..3).limit(3).unwrap().gather(|outer| {
        let (barrier, inner) = (&barrier, each(0..4).limit(4).unwrap().at(backend.place()));
        inner.gather(move |n| barrier.body(outer * 4 + n))
    });
    let outputs = backend.block_on(outputs);
    barrier.check(&outputs);
    // The outer loop's bodies run on the backend.
    let barrier = Barrier::default();
    let outputs = each(0..3).limit(3).unwrap().at(backend.place()).gather(boxed(|outer: u64| {
        let barrier = barrier.clone();
        job(async move {
            let inner = each(0..4).limit(4).unwrap();
            inner.gather(|n| barrier.body(outer * 4 + n)).await
        })
    }));
    let outputs = backend.block_on(outputs);
    barrier.check(&outputs);
}

/// NST-1: Nested limits multiply when tasks spawn tasks.
pub fn nested_limits_multiply_when_tasks_spawn_tasks<B: Spawning>(backend: B) {
    let barrier = Barrier::default();
    let outputs = each(0..3).limit(3).unwrap().at(backend.place()).gather(boxed(|outer: u64| {
        let (barrier, runtime) = (barrier.clone(), backend.runtime());
        job(async move {
            let inner = each(0..4).limit(4).unwrap().on(runtime);
            inner.gather(|n| barrier.body(outer * 4 + n)).await
        })
    }));
    let outputs = backend.block_on(outputs);
    barrier.check(&outputs);
}

/// NST-2: The error of an inner group is the `source` of the outer loop's error.
pub fn an_inner_groups_error_is_the_source_of_the_outer_error<B: Backend>(backend: B) {
    // The groups of a backend have one type of errors, so the inner group is in the caller's task.
    let outer = each([1, 2]).unbounded().try_gather(async |n| {
        scope(|scope| async move {
            scope.spawn(async move {
                yields(n).await;
                Err::<(), _>(std::io::Error::other(format!("inner {n}")))
            });
            Ok(())
        })
        .await
    });
    let error = backend.block_on(outer).unwrap_err();
    let inner = error.source().unwrap();
    assert!(inner.is::<LoopError<std::io::Error>>());
    assert_eq!(inner.source().unwrap().to_string(), "inner 1");
}

/// NST-2: The error of an inner group stops the siblings in the outer group.
pub fn an_inner_groups_error_stops_the_siblings_in_the_outer_group<B: Backend>(backend: B) {
    let alive = Alive::default();
    let outer = backend.group({
        let alive = alive.clone();
        move |group| {
            job(async move {
                let guard = alive.guard();
                group.spawn(job(async move {
                    let _alive = guard;
                    std::future::pending().await
                }));
                group.spawn(job(async {
                    let inner = scope(|inner| async move {
                        inner.spawn(async {
                            yields(3).await;
                            Err::<(), _>(String::from("inner"))
                        });
                        std::future::pending::<Result<(), String>>().await
                    });
                    inner.await.map_err(|error| error.into_first().unwrap().error)?;
                    Ok(0)
                }));
                std::future::pending::<Result<(), String>>().await
            })
        }
    });
    backend.block_on(async {
        let error = outer.await.unwrap_err();
        assert_eq!(alive.now(), 0, "stopped before it returned");
        assert_eq!(error.failures().len(), 1);
        assert_eq!(error.get(1).unwrap(), "inner");
    });
}
