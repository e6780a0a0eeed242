//! Law 6 in exact figures: the allocations of a loop depend on its limit, not on its items.
//!
//! What is counted is what the test's own thread allocates. Other threads of the process, those of the harness among
//! them, do not change a figure.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use allocation_counter::{AllocationInfo, measure};
use async_executor::Executor;
use forloop::Spawn;
use forloop_conformance::{LONG, TickingClock, yields};
use futures_lite::future::block_on;

fn measured<T>(run: impl FnOnce() -> T) -> AllocationInfo {
    measure(|| drop(black_box(run())))
}

/// Returns the number of allocations.
fn allocations<T>(run: impl FnOnce() -> T) -> u64 {
    measured(run).count_total
}

/// Returns the most bytes that were in use at once.
fn most_held<T>(run: impl FnOnce() -> T) -> u64 {
    measured(run).bytes_max
}

fn for_each(items: usize, limit: usize, duration: usize) -> u64 {
    allocations(|| {
        let looping = forloop::each(0..items).limit(limit).unwrap();
        block_on(looping.for_each(|_| yields(duration)));
    })
}

fn consume(items: usize, limit: usize) -> u64 {
    allocations(|| {
        let results = forloop::each(0..items).limit(limit).unwrap().stream(|_| yields(1));
        block_on(results.for_each(|()| yields(1)));
    })
}

/// A scope that awaits each of its children.
fn held_by_a_scope(children: usize) -> u64 {
    most_held(|| {
        block_on(forloop::local_scope(|scope| async move {
            for _ in 0..children {
                let child = scope.spawn(async {
                    yields(1).await;
                    Ok::<_, Infallible>(())
                });
                child.await.unwrap();
            }
            Ok(())
        }))
        .unwrap();
    })
}

/// With a timeout for each body, and a signal that is never ready.
fn with_options(items: usize, limit: usize) -> u64 {
    allocations(|| {
        let looping = forloop::each(0..items).limit(limit).unwrap();
        let looping =
            looping.timer(&TickingClock::default()).timeout(LONG).cancel_on(pending::<()>());
        block_on(looping.stream_unordered(|_| yields(1)).for_each(|item| {
            assert!(item.unwrap().is_ok());
            async {}
        }));
    })
}

/// A loop with a limit.
fn held_by_a_loop(items: usize) -> u64 {
    most_held(|| block_on(forloop::each(0..items).limit(64).unwrap().for_each(|_| yields(1))))
}

/// A group whose body spawns children, a few at a time, and awaits none of them.
fn held_by_a_group(children: usize) -> u64 {
    most_held(|| {
        let group = forloop::local_scope(|scope| async move {
            for n in 0..children {
                scope.spawn(async {
                    yields(1).await;
                    Ok(())
                });
                if n % 64 == 0 {
                    yields(3).await;
                }
            }
            Ok::<(), Infallible>(())
        });
        block_on(group).unwrap();
    })
}

/// A task group whose body spawns children in a plain loop. They complete in the meantime, on an executor that the body
/// itself ticks, so the group is in the middle of one poll from the first child to the last.
fn held_by_a_task_group(children: usize) -> u64 {
    most_held(|| {
        let executor = Arc::new(Executor::new());
        let runtime = forloop::smol::Executor::from(executor.clone());
        let group = forloop::task_group(runtime, |group| async move {
            for _ in 0..children {
                drop(group.spawn(async { Ok::<_, Infallible>(()) }));
                while executor.try_tick() {}
            }
            Ok(())
        });
        block_on(group).unwrap();
    })
}

/// A task group with children that are pending.
fn held_by_children_that_run(children: usize) -> u64 {
    most_held(|| {
        let executor = Arc::new(Executor::new());
        let runtime = forloop::smol::Executor::from(executor.clone());
        let group = forloop::task_group(runtime, |group| async move {
            for _ in 0..children {
                drop(group.spawn(pending::<Result<(), Infallible>>()));
            }
            while executor.try_tick() {}
            group.cancel();
            while executor.try_tick() {}
            Ok(())
        });
        block_on(group).unwrap();
    })
}

/// The same number of tasks of the executor.
fn held_by_tasks_that_run(tasks: usize) -> u64 {
    most_held(|| {
        let executor = Executor::new();
        for _ in 0..tasks {
            executor.spawn(pending::<Result<(), Infallible>>()).detach();
        }
        while executor.try_tick() {}
    })
}

async fn sleeps() -> Result<(), Infallible> {
    tokio::time::sleep(LONG).await;
    Ok(())
}

/// The bytes that are in use once `poll` has been called often enough that all of so many tasks sleep.
fn held_by_sleeping(tasks: usize, mut poll: impl FnMut(&mut Context<'_>)) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let held = measure(|| {
        runtime.block_on(async {
            poll_fn(|cx| {
                poll(cx);
                Poll::Ready(())
            })
            .await;
            // Each time tokio polls some of them.
            for _ in 0..tasks {
                tokio::task::yield_now().await;
            }
        });
    });
    held.bytes_current
}

/// A task group with children that sleep, and without their handles.
fn held_by_children_that_sleep(children: usize) -> i64 {
    let mut group = None;
    held_by_sleeping(children, |cx| {
        let runtime = forloop::tokio::Tokio::current().unwrap();
        let group = group.insert(Box::pin(forloop::task_group(runtime, |group| async move {
            for _ in 0..children {
                drop(group.spawn(sleeps()));
            }
            pending::<Result<(), Infallible>>().await
        })));
        assert!(group.as_mut().poll(cx).is_pending());
    })
}

fn held_by_a_join_set(tasks: usize) -> i64 {
    let mut set = tokio::task::JoinSet::new();
    held_by_sleeping(tasks, |_| {
        for _ in 0..tasks {
            set.spawn(sleeps());
        }
    })
}

#[test]
fn a_child_that_is_alive_takes_less_than_a_task_of_a_join_set() {
    let (children, tasks) = (held_by_children_that_sleep(1000), held_by_a_join_set(1000));
    assert!(children < tasks, "a thousand children take {children} bytes, and tasks {tasks}");
}

#[test]
fn a_loop_allocates_for_its_limit_and_never_for_an_item() {
    // Allocations per thread or process happen here, before any are counted.
    let _warm_up = (for_each(10, 3, 1), consume(10, 3), held_by_a_scope(10));

    for limit in [1, 7, 64, 1000] {
        let few = for_each(2000, limit, 1);
        let many = for_each(50_000, limit, 1);
        assert_eq!(few, many, "limit {limit}");
        assert!(few <= 3 * limit as u64 + 20, "{few} allocations for limit {limit}");
        assert_eq!(consume(2000, limit), consume(50_000, limit), "limit {limit}");
    }
    assert_eq!(with_options(2000, 64), with_options(50_000, 64));
    // Bodies that are ready at once need one slot, with any limit.
    assert_eq!(for_each(50_000, 64, 0), for_each(10, 64, 0));
}

#[test]
fn a_loop_or_group_holds_memory_for_what_runs_and_not_for_what_has_completed() {
    // A completed child is forgotten.
    let (few, many) = (held_by_a_scope(100), held_by_a_scope(20_000));
    assert!(many <= few + 4096, "{few} bytes held by 100 children, {many} by 20,000");

    // BIG-2: a million items, and a million children.
    let (few, many) = (held_by_a_loop(100_000), held_by_a_loop(1_000_000));
    assert!(many <= few + 4096, "{few} bytes held for 100,000 items, {many} for a million");
    let (few, many) = (held_by_a_group(100_000), held_by_a_group(1_000_000));
    assert!(many <= few + 4096, "{few} bytes held for 100,000 children, {many} for a million");
}

#[test]
fn a_task_group_holds_memory_for_the_children_that_run_and_not_for_those_that_have_completed() {
    let _warm_up = held_by_a_task_group(10);
    // The group is not polled between the first child and the last.
    let (few, many) = (held_by_a_task_group(100), held_by_a_task_group(20_000));
    assert!(many <= few + 4096, "{few} bytes held by 100 children, {many} by 20,000");

    // What a child takes beside the future that its runtime polls.
    let children = 10_000;
    let (group, tasks) = (held_by_children_that_run(children), held_by_tasks_that_run(children));
    let each = group.saturating_sub(tasks) / children as u64;
    assert!(each <= 128, "{each} bytes for each child, beside the task of the runtime");
}

/// A runtime that keeps its tasks in a queue: one allocation for each.
#[derive(Clone)]
struct Queue(Arc<Mutex<VecDeque<Pin<Box<dyn Future<Output = ()> + Send>>>>>);

impl Spawn for Queue {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap().push_back(Box::pin(future));
    }
}

/// Runs a loop of tasks, and returns the number of allocations and of wakes of the loop.
fn in_tasks(items: usize, limit: usize) -> (u64, usize) {
    let wakes = Arc::new(Wakes::default());
    let allocations = allocations(|| {
        let waker = Waker::from(wakes.clone());
        let queue = Queue(Arc::new(Mutex::new(VecDeque::with_capacity(limit))));
        let looping = forloop::each(0..items).limit(limit).unwrap().on(queue.clone());
        let mut looping = pin!(looping.for_each(|_| yields(1)));
        while looping.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            let queued = queue.0.lock().unwrap().len();
            for _ in 0..queued {
                let mut task = queue.0.lock().unwrap().pop_front().unwrap();
                if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                    queue.0.lock().unwrap().push_back(task);
                }
            }
        }
    });
    (allocations, wakes.0.load(SeqCst))
}

/// Counts wakes.
#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_loop_of_tasks_allocates_for_its_limit_and_is_woken_once_for_all_that_complete_together() {
    let limit = 50;
    let (few, few_wakes) = in_tasks(1000, limit);
    let (many, many_wakes) = in_tasks(11_000, limit);
    assert_eq!(many - few, 10_000, "the tasks of the runtime, and nothing else");
    assert!(few < 1000 + 30, "{few}");
    assert_eq!(many_wakes - few_wakes, 10_000 / limit);
}
