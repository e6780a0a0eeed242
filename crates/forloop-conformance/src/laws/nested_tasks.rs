//! Law 1 for nested tasks: waiting for a cancelled body includes waiting for the tasks that it had started.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::types::Child;
use forloop_core::{Cancelled, Group, Spawn, Task, each, scope, task_group};

use crate::{Alive, Gate, Job, PanicOnDrop, Spawning, boxed, eventually, job, yields};

/// A value whose destructor takes 20 ms.
struct Slow(#[allow(dead_code)] crate::Guard);

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A loop of tasks that are pending forever, `depth` levels deep.
fn endless<R: Spawn + Clone + Send + Sync + 'static>(
    runtime: R,
    alive: Alive,
    all_in: Gate,
    expected: usize,
    depth: usize,
) -> Job<()> {
    job(async move {
        let _slow = Slow(alive.guard());
        if alive.now() == expected {
            all_in.open();
        }
        if depth > 0 {
            let body =
                |_| endless(runtime.clone(), alive.clone(), all_in.clone(), expected, depth - 1);
            each(0..2).unbounded().on(runtime.clone()).for_each(body).await;
        }
        std::future::pending::<()>().await;
    })
}

/// Law 1: `Task::cancel` returns after the loops that ran inside the task have stopped.
pub fn cancelling_a_task_waits_for_the_loop_inside_it<B: Spawning>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    backend.block_on(async {
        let task = backend.spawn(endless(backend.runtime(), alive.clone(), all_in.clone(), 7, 2));
        all_in.passed().await;
        assert_eq!(task.cancel().await, None);
        assert_eq!(alive.now(), 0);
    });
    assert_eq!(alive.ever(), 7);
}

/// GAT-5: A failure is returned after the loops that ran inside the siblings have stopped.
pub fn a_failure_waits_for_the_loops_inside_the_siblings<B: Spawning>(backend: B) {
    // The outer loop spawned, and in the caller's task.
    for spawned in [true, false] {
        let (alive, all_in) = (Alive::default(), Gate::default());
        let body = |n: u64| {
            let (runtime, alive, all_in) = (backend.runtime(), alive.clone(), all_in.clone());
            job(async move {
                if n == 0 {
                    all_in.passed().await;
                    return Err(String::from("no"));
                }
                endless(runtime, alive, all_in, 6, 1).await;
                Ok(())
            })
        };
        let looping = each(0..3).unbounded();
        backend.block_on(async {
            let returned = match spawned {
                true => looping.at(backend.place()).try_for_each(body).await,
                false => looping.try_for_each(body).await,
            };
            assert_eq!(returned.unwrap_err().get(0).unwrap(), "no");
            assert_eq!(alive.now(), 0, "spawned: {spawned}");
        });
        assert_eq!(alive.ever(), 6);
    }
}

/// NST-2: A group returns after the groups that ran inside its children have stopped.
pub fn a_group_waits_for_the_groups_inside_its_children<B: Spawning>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let outer = backend.group({
        let (runtime, alive, all_in) = (backend.runtime(), alive.clone(), all_in.clone());
        move |group| {
            job(async move {
                use crate::Group;

                let (inner_runtime, gate) = (runtime.clone(), all_in.clone());
                group.spawn(job(async move {
                    forloop_core::task_group(inner_runtime, async |inner| {
                        for _ in 0..3 {
                            let body = endless(runtime.clone(), alive.clone(), gate.clone(), 4, 0);
                            inner.spawn(async {
                                body.await;
                                Ok(())
                            });
                        }
                        endless(runtime.clone(), alive.clone(), gate.clone(), 4, 0).await;
                        Ok::<_, String>(())
                    })
                    .await
                    .map_err(|error| error.to_string())?;
                    Ok(0)
                }));
                all_in.passed().await;
                Err::<(), _>(String::from("body"))
            })
        }
    });
    backend.block_on(async {
        assert_eq!(outer.await.unwrap_err().first().unwrap().error, "body");
        assert_eq!(alive.now(), 0);
    });
    assert_eq!(alive.ever(), 4);
}

/// Law 1: When a body's panic drops the consumer, the tasks that it had started have stopped as well.
pub fn a_dropped_consumer_leaves_no_task_running<B: Spawning>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let looping = each(0..1)
        .unbounded()
        .at(backend.place())
        .as_completed(boxed(|_: u64| {
            let all_in = all_in.clone();
            job(async move {
                all_in.passed().await;
                panic!("on purpose")
            })
        }))
        .consume(|_receiver: forloop_core::types::ResultReceiver<(usize, u64)>| {
            endless(backend.runtime(), alive.clone(), all_in.clone(), 3, 1)
        });
    backend.block_on(async {
        let mut looping = std::pin::pin!(looping);
        let panicked = futures_lite::future::poll_fn(|cx| {
            let poll = || looping.as_mut().poll(cx);
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)) {
                Ok(polled) => polled.map(|()| false),
                Err(_) => std::task::Poll::Ready(true),
            }
        });
        assert!(panicked.await, "the body's panic propagates");
        assert_eq!(alive.now(), 0);
    });
    assert_eq!(alive.ever(), 3);
}

/// Law 5: A cancelled task stops even if it holds its own handle.
pub fn a_task_that_holds_its_own_handle_can_be_cancelled<B: Spawning>(backend: B) {
    let alive = Alive::default();
    backend.block_on(async {
        let own: Arc<Mutex<Option<Task<()>>>> = Arc::default();
        let (guard, held) = (alive.guard(), own.clone());
        let task = backend.spawn(job(async move {
            let _alive = guard;
            let _own_handle = held;
            std::future::pending::<()>().await;
        }));
        yields(3).await;
        task.request_cancel();
        *own.lock().unwrap() = Some(task);
        drop(own);
        eventually(&backend.clock(), || alive.now() == 0).await;
    });
}

/// Law 1: A loop that is dropped outside its runtime cancels its tasks.
pub fn a_loop_dropped_outside_its_runtime_cancels_its_tasks<B: Spawning>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    futures_lite::future::block_on(async {
        let looping = each(0..3).unbounded().on(backend.runtime()).for_each(|_| {
            let (guard, gate) = (alive.guard(), gate.clone());
            async move {
                let _alive = guard;
                gate.passed().await;
            }
        });
        let mut looping = Box::pin(looping);
        assert!(futures_lite::future::poll_once(looping.as_mut()).await.is_none());
    });
    assert_eq!(alive.ever(), 3);
    backend.block_on(eventually(&backend.clock(), || alive.now() == 0));
}

/// LST-4, law 1: The handle of a cancelled child completes when the tasks have stopped that the child had started.
pub fn cancelling_a_child_waits_for_the_loop_inside_it<B: Spawning>(backend: B) {
    // The group spawned, and in the caller's task.
    for spawned in [true, false] {
        let (alive, all_in) = (Alive::default(), Gate::default());
        let child = endless(backend.runtime(), alive.clone(), all_in.clone(), 7, 2);
        let child = job(async move {
            child.await;
            Ok(())
        });
        let cancelled = |child: Child<()>| {
            let (alive, all_in) = (alive.clone(), all_in.clone());
            async move {
                all_in.passed().await;
                child.cancel();
                assert_eq!((child.await, alive.now()), (Err(Cancelled), 0));
                Ok::<_, String>(())
            }
        };
        let returned = backend.block_on(async {
            if spawned {
                let body = |group: Group<_, _>| cancelled(group.spawn(child));
                task_group(backend.runtime(), body).await
            } else {
                scope(|scope| cancelled(scope.spawn(child))).await
            }
        });
        assert_eq!((returned, alive.ever()), (Ok(()), 7), "spawned: {spawned}");
    }
}

/// Law 1, law 5: A group whose cancelled child panics when it is dropped waits for the tasks that the child had started.
pub fn a_cancelled_child_that_panics_when_dropped_leaves_no_task_running<B: Spawning>(backend: B) {
    // The group spawned, and in the caller's task; stopped by the panic, and by an error before it.
    for (spawned, fails) in [(true, true), (true, false), (false, true), (false, false)] {
        let (alive, all_in) = (Alive::default(), Gate::default());
        let tasks = endless(backend.runtime(), alive.clone(), all_in.clone(), 7, 2);
        let child = job(async move {
            let _panics = PanicOnDrop;
            tasks.await;
            Ok(())
        });
        let cancelled = |child: Child<()>| {
            let all_in = all_in.clone();
            async move {
                all_in.passed().await;
                child.cancel();
                yields(1).await;
                if fails { Err(String::from("body")) } else { child.await.or(Ok(())) }
            }
        };
        let returned = catch_unwind(AssertUnwindSafe(|| {
            backend.block_on(async {
                if spawned {
                    let body = |group: Group<_, _>| cancelled(group.spawn(child));
                    task_group(backend.runtime(), body).await
                } else {
                    scope(|scope| cancelled(scope.spawn(child))).await
                }
            })
        }));
        let running = alive.now();
        let how = format!("spawned: {spawned}, fails: {fails}");
        assert_eq!(returned.unwrap_err().downcast_ref(), Some(&"on purpose"), "{how}");
        assert_eq!((running, alive.ever()), (0, 7), "{how}");
    }
}
