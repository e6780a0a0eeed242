//! Children of a group that fail together.

use std::time::Duration;

use forloop_core::Timer;

use crate::{Alive, Backend, Gate, Group, Log, eventually, job, yields};

/// GRP-4, law 2: The error contains every failure of children that are woken by one event. The body and a child that
/// await one of them do not continue.
pub fn the_error_contains_every_failure_of_children_that_fail_together<B: Backend>(backend: B) {
    let (gate, arrived, failed) = (Gate::default(), Log::default(), Log::default());
    let after = Log::<u64>::default();
    let result = backend.group({
        let (gate, arrived, failed) = (gate.clone(), arrived.clone(), failed.clone());
        let after = after.clone();
        move |group| {
            job(async move {
                let child = |n: u64| {
                    let (gate, arrived) = (gate.clone(), arrived.clone());
                    let failed = failed.clone();
                    job(async move {
                        arrived.write(n);
                        gate.passed().await;
                        failed.write(n);
                        Err::<u64, _>(n.to_string())
                    })
                };
                let first = group.spawn(child(0));
                let (behind, written) = (group.spawn(child(1)), after.clone());
                group.spawn(job(async move {
                    let _ = behind.await;
                    written.write(0);
                    Ok(0)
                }));
                group.spawn(child(2));
                let _ = first.await;
                after.write(1);
                Ok(())
            })
        }
    });
    let mut result = Box::pin(result);
    let error = backend.block_on(async {
        while arrived.read().len() < 3 {
            assert!(futures_lite::future::poll_once(result.as_mut()).await.is_none());
            yields(1).await;
        }
        gate.open();
        if B::SPAWNED {
            // The tasks fail while no task polls the group.
            eventually(&backend.clock(), || failed.read().len() == 3).await;
        }
        result.as_mut().await.unwrap_err()
    });
    let mut errors: Vec<_> = error.failures().iter().map(|failure| &failure.error[..]).collect();
    errors.sort_unstable();
    assert_eq!(errors, ["0", "1", "2"]);
    assert!(after.read().is_empty());
}

/// GRP-4: The error also contains failures that the group had not seen when it stopped the other children.
pub fn the_error_contains_failures_that_the_group_had_not_seen_yet<B: Backend>(backend: B) {
    // A task completes a moment after its last line, and that moment has no upper bound, so one round of many
    // must have all failures.
    let mut most = 0;
    for round in 0..20 {
        let (alive, gate, started) = (Alive::default(), Gate::default(), Log::default());
        let result = backend.group({
            let (alive, gate, started) = (alive.clone(), gate.clone(), started.clone());
            move |group| {
                job(async move {
                    for n in 0..3 {
                        let (guard, gate, started) = (alive.guard(), gate.clone(), started.clone());
                        group.spawn(job(async move {
                            let _alive = guard;
                            started.write(n);
                            gate.passed().await;
                            Err(n.to_string())
                        }));
                    }
                    std::future::pending::<Result<(), String>>().await
                })
            }
        });
        let clock = backend.clock();
        let error = backend.block_on(async {
            let mut result = Box::pin(result);
            // No child is polled for the first time after another has failed.
            while started.read().len() < 3 {
                assert!(futures_lite::future::poll_once(result.as_mut()).await.is_none());
                yields(1).await;
            }
            gate.open();
            if B::SPAWNED {
                // The group is not polled in between.
                eventually(&clock, || alive.now() == 0).await;
                clock.sleep(Duration::from_millis(round)).await;
            }
            result.await.unwrap_err()
        });
        for failure in error.failures() {
            assert_eq!(failure.error, failure.index.unwrap().to_string());
        }
        most = most.max(error.failures().len());
    }
    assert_eq!(most, 3);
}
