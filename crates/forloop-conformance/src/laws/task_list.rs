//! Tasks and lists of tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::{CancelHandle, Cancelled, Outcome, scope};
use futures_lite::FutureExt;

use crate::{Alive, Backend, Gate, Inline, Log, Spawning, eventually, job, yields};

/// LST-1: Building the list starts every task before a handle is awaited.
pub fn building_the_list_starts_every_task<B: Spawning>(backend: B) {
    let (all_in, arrived) = (Gate::default(), Log::default());
    backend.block_on(async {
        let tasks: Vec<_> = (0..5)
            .map(|n: u64| {
                let (all_in, arrived) = (all_in.clone(), arrived.clone());
                backend.spawn(job(async move {
                    arrived.write(n);
                    if arrived.read().len() == 5 {
                        all_in.open();
                    }
                    all_in.passed().await;
                }))
            })
            .collect();
        // No handle has been awaited yet.
        all_in.passed().await;
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// LST-2: Handles awaited in order return the outputs in input order; an early error stays in its handle.
pub fn awaiting_in_order_returns_outputs_in_input_order_and_each_error_from_its_handle<
    B: Spawning,
>(
    backend: B,
) {
    backend.block_on(async {
        let gate = Gate::default();
        let slow = gate.clone();
        let first = backend.spawn(job(async move {
            slow.passed().await;
            Ok::<u64, String>(1)
        }));
        let second = backend.spawn(job(async { Err::<u64, _>(String::from("early")) }));
        eventually(&backend.clock(), || second.is_finished()).await;
        gate.open();
        assert_eq!(first.await, Ok(Ok(1)));
        assert_eq!(second.await, Ok(Err(String::from("early"))));
    });
}

/// LST-2: The outcome of a task is its value, its panic or its cancellation, and a panic does not propagate.
pub fn a_tasks_outcome_has_its_panic_as_a_value<B: Spawning>(backend: B) {
    backend.block_on(async {
        let [value, panicked, cancelled, caught] = [0, 1, 2, 1].map(|n: u64| {
            backend.spawn(job(async move {
                match n {
                    0 => n,
                    1 => panic!("on purpose"),
                    _ => std::future::pending().await,
                }
            }))
        });
        assert!(matches!(value.outcome().await, Outcome::Ok(0)));
        let Outcome::Panicked(panic) = panicked.outcome().await else { panic!("no panic") };
        assert_eq!(panic.message(), Some("on purpose"));
        cancelled.request_cancel();
        let outcome = cancelled.outcome().await;
        assert!(matches!(outcome, Outcome::Cancelled | Outcome::NotRun), "{outcome:?}");
        let payload = caught.catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
    });
}

/// LST-3: Dropping the remaining handles stops their tasks.
pub fn dropping_the_remaining_handles_stops_their_tasks<B: Spawning>(backend: B) {
    let alive = Alive::default();
    backend.block_on(async {
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let guard = alive.guard();
                backend.spawn(job(async move {
                    let _alive = guard;
                    std::future::pending::<()>().await;
                }))
            })
            .collect();
        yields(3).await;
        drop(tasks);
        eventually(&backend.clock(), || alive.now() == 0).await;
    });
}

/// LST-4: Only the handle of a cancelled task reports it; the siblings complete.
pub fn cancelling_a_task_affects_only_its_own_handle<B: Spawning>(backend: B) {
    backend.block_on(async {
        let cancelled = backend.spawn(job(std::future::pending::<u64>()));
        let sibling = backend.spawn(job(async {
            yields(5).await;
            2_u64
        }));
        cancelled.request_cancel();
        cancelled.request_cancel();
        assert_eq!(cancelled.await, Err(Cancelled));
        assert_eq!(sibling.await, Ok(2));
    });
}

/// LST-4: A cancel handle cancels its task, whether the handle is awaited or detached, and does not own it.
pub fn a_cancel_handle_cancels_its_task_also_if_it_is_detached<B: Spawning>(backend: B) {
    let (alive, started) = (Alive::default(), Log::default());
    let endless = || {
        let (guard, started) = (alive.guard(), started.clone());
        backend.spawn(job(async move {
            let _alive = guard;
            started.write(1_u64);
            std::future::pending::<()>().await;
        }))
    };
    backend.block_on(async {
        let (awaited, detached) = (endless(), endless());
        let handles = [awaited.cancel_handle(), detached.cancel_handle().clone()];
        detached.detach();
        eventually(&backend.clock(), || started.read().len() == 2).await;
        assert_eq!((alive.now(), handles[1].is_finished()), (2, false));
        handles.iter().for_each(CancelHandle::request_cancel);
        assert_eq!(awaited.await, Err(Cancelled));
        eventually(&backend.clock(), || alive.now() == 0).await;
        eventually(&backend.clock(), || handles.iter().all(CancelHandle::is_finished)).await;
        // Dropping the handle changes nothing, before and after the end of its task.
        let sibling = backend.spawn(job(async {
            yields(5).await;
            2_u64
        }));
        drop(sibling.cancel_handle());
        let late = sibling.cancel_handle();
        assert_eq!(sibling.await, Ok(2));
        late.request_cancel();
        assert!(late.is_finished());
    });
}

/// CAN-4: `Task::cancel` returns after the destructors of the task's future have run.
pub fn cancel_waits_until_the_destructors_have_run<B: Spawning>(backend: B) {
    let alive = Alive::default();
    backend.block_on(async {
        for warm_up in 0..20 {
            let guard = alive.guard();
            let task = backend.spawn(job(async move {
                let _alive = guard;
                std::future::pending::<()>().await;
            }));
            yields(warm_up % 4).await;
            assert_eq!(task.cancel().await, None);
            assert_eq!(alive.now(), 0);
        }
    });
}

/// Law 2: `Task::cancel` returns the value of a task that has already completed.
pub fn cancel_returns_the_value_of_a_completed_task<B: Spawning>(backend: B) {
    backend.block_on(async {
        let task = backend.spawn(job(async { 7_u64 }));
        eventually(&backend.clock(), || task.is_finished()).await;
        assert_eq!(task.cancel().await, Some(7));
    });
}

/// Law 10: A task keeps running without its handle only if it was detached explicitly.
pub fn a_detached_task_keeps_running<B: Spawning>(backend: B) {
    backend.block_on(async {
        let (gate, log) = (Gate::default(), Log::default());
        let (passed, writer) = (gate.clone(), log.clone());
        backend
            .spawn(job(async move {
                passed.passed().await;
                writer.write(1_u64);
            }))
            .detach();
        gate.open();
        eventually(&backend.clock(), || log.read() == [1]).await;
    });
}

/// PAN-1: A task's panic propagates to the caller that awaits its handle, and the runtime stays usable.
pub fn a_tasks_panic_propagates_to_the_awaiting_caller<B: Spawning>(backend: B) {
    let task = backend.spawn(job(async { panic!("on purpose") }));
    let caught = catch_unwind(AssertUnwindSafe(|| backend.block_on(task))).unwrap_err();
    assert_eq!(caught.downcast_ref(), Some(&"on purpose"));
    // The runtime stays usable.
    assert_eq!(backend.block_on(backend.spawn(job(async { 1_u64 }))), Ok(1));
}

/// Law 1: Tasks whose handles are dropped at once stop.
pub fn a_task_dropped_at_once_stops<B: Spawning>(backend: B) {
    let alive = Alive::default();
    backend.block_on(async {
        for _ in 0..100 {
            let guard = alive.guard();
            drop(backend.spawn(job(async move {
                let _alive = guard;
                std::future::pending::<()>().await;
            })));
        }
        eventually(&backend.clock(), || alive.now() == 0).await;
    });
}

/// LST-2: In the caller's task, the children of a scope are the list; an early error stays in its handle.
pub fn children_awaited_in_order_return_each_error_from_its_handle(in_task: Inline) {
    let outputs = in_task.block_on(scope(|scope| async move {
        let gate = Gate::default();
        let slow = gate.clone();
        let first = scope.spawn(async move {
            slow.passed().await;
            Ok(Ok::<u64, String>(1))
        });
        let second = scope.spawn(async { Ok(Err::<u64, _>(String::from("early"))) });
        while !second.is_finished() {
            yields(1).await;
        }
        gate.open();
        Ok::<_, String>((first.await, second.await))
    }));
    assert_eq!(outputs, Ok((Ok(Ok(1)), Ok(Err(String::from("early"))))));
}
