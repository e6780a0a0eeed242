//! Law 1, all the way down: whoever waits for a cancelled body waits for the tasks it had started.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::{Spawn, Task, each};

use crate::{Alive, Gate, Job, Spawning, eventually, job, yields};

/// Something whose destructor takes its time.
struct Slow(#[allow(dead_code)] crate::Guard);

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A loop of tasks that never end by themselves, some levels deep.
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

/// Law 1
pub fn cancelling_a_task_waits_for_the_loop_that_ran_in_it<B: Spawning>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    backend.block_on(async {
        let task = backend.spawn(endless(backend.runtime(), alive.clone(), all_in.clone(), 7, 2));
        all_in.passed().await;
        assert_eq!(task.cancel().await, None);
        assert_eq!(alive.now(), 0);
    });
    assert_eq!(alive.ever(), 7);
}

/// GAT-5
pub fn a_failure_waits_for_the_loops_that_ran_in_the_siblings<B: Spawning>(backend: B) {
    // Spawned, and in-task over spawned ones.
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
            let ended = match spawned {
                true => looping.at(backend.place()).try_for_each(body).await,
                false => looping.try_for_each(body).await,
            };
            assert_eq!(ended.unwrap_err().get(0).unwrap(), "no");
            assert_eq!(alive.now(), 0, "spawned: {spawned}");
        });
        assert_eq!(alive.ever(), 6);
    }
}

/// NST-2
pub fn a_group_waits_for_the_groups_that_ran_in_its_children<B: Spawning>(backend: B) {
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

/// Law 1
pub fn a_consumer_that_is_dropped_leaves_no_task_behind<B: Spawning>(backend: B) {
    let (alive, all_in) = (Alive::default(), Gate::default());
    let looping = each(0..1)
        .unbounded()
        .at(backend.place())
        .as_completed(|_: u64| {
            let all_in = all_in.clone();
            job(async move {
                all_in.passed().await;
                panic!("on purpose")
            })
        })
        .consume(|_feed: forloop_core::ResultReceiver<(usize, u64)>| {
            endless(backend.runtime(), alive.clone(), all_in.clone(), 3, 1)
        });
    backend.block_on(async {
        let mut looping = std::pin::pin!(looping);
        let ended = futures_lite::future::poll_fn(|cx| {
            let poll = || looping.as_mut().poll(cx);
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)) {
                Ok(polled) => polled.map(|()| false),
                Err(_) => std::task::Poll::Ready(true),
            }
        });
        assert!(ended.await, "the body's panic goes on");
        assert_eq!(alive.now(), 0);
    });
    assert_eq!(alive.ever(), 3);
}

/// Law 5
pub fn a_task_that_holds_its_own_handle_ends<B: Spawning>(backend: B) {
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

/// Law 1: also a loop that is dropped where no task of its runtime runs.
pub fn a_loop_that_is_dropped_outside_every_task_asks_its_tasks_to_stop<B: Spawning>(backend: B) {
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
