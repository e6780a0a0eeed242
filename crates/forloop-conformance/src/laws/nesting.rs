//! Loops in loops, and groups in groups.

use std::error::Error;

use forloop_core::{LoopError, each, scope};

use crate::{Alive, Backend, Gate, Group, Job, Peak, Spawning, Tally, job, yields};

/// Twelve bodies that wait for each other: fewer in flight would never finish.
#[derive(Clone, Default)]
struct Meeting {
    peak: Peak,
    arrived: Tally,
    all_in: Gate,
}

impl Meeting {
    fn body(&self, n: u64) -> Job<u64> {
        let Self { peak, arrived, all_in } = self.clone();
        job(async move {
            let meets = async {
                arrived.write(n);
                if arrived.read().len() == 12 {
                    all_in.open();
                }
                all_in.passed().await;
            };
            peak.during(meets).await;
            n
        })
    }

    fn over(self, outputs: &[Vec<u64>]) {
        assert_eq!(outputs.concat(), (0..12).collect::<Vec<_>>());
        assert_eq!(self.peak.most(), 12);
    }
}

/// NST-1
pub fn limits_multiply_and_an_inner_loop_takes_no_slot_of_the_outer<B: Backend>(backend: B) {
    // The inner loops' bodies run at the backend.
    let meeting = Meeting::default();
    let outputs = each(0..3).limit(3).unwrap().gather(|outer| {
        let (meeting, inner) = (&meeting, each(0..4).limit(4).unwrap().at(backend.place()));
        inner.gather(move |n| meeting.body(outer * 4 + n))
    });
    let outputs = backend.block_on(outputs);
    meeting.over(&outputs);
    // The outer loop's bodies do.
    let meeting = Meeting::default();
    let outputs = each(0..3).limit(3).unwrap().at(backend.place()).gather(|outer| {
        let meeting = meeting.clone();
        job(async move {
            let inner = each(0..4).limit(4).unwrap();
            inner.gather(|n| meeting.body(outer * 4 + n)).await
        })
    });
    let outputs = backend.block_on(outputs);
    meeting.over(&outputs);
}

/// NST-1: tasks that start tasks.
pub fn limits_multiply_where_tasks_start_tasks<B: Spawning>(backend: B) {
    let meeting = Meeting::default();
    let outputs = each(0..3).limit(3).unwrap().at(backend.place()).gather(|outer| {
        let (meeting, runtime) = (meeting.clone(), backend.runtime());
        job(async move {
            let inner = each(0..4).limit(4).unwrap().on(runtime);
            inner.gather(|n| meeting.body(outer * 4 + n)).await
        })
    });
    let outputs = backend.block_on(outputs);
    meeting.over(&outputs);
}

/// NST-2
pub fn an_inner_groups_error_is_an_error_of_the_outer_one<B: Backend>(backend: B) {
    // Groups of other error types: the in-task form serves for the inner one.
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

/// NST-2
pub fn an_inner_groups_error_stops_the_siblings_in_the_outer_one<B: Backend>(backend: B) {
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
