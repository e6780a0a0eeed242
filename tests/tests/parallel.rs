//! Loops over borrowed data on all cores, from synchronous code.

use std::collections::HashSet;
use std::future::pending;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use forloop::{Cancelled, Cause, Outcome, Threads, parallel, spawn_scoped};

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

/// Counts the values that exist.
struct Guard<'a>(&'a AtomicUsize);

impl<'a> Guard<'a> {
    fn of(left: &'a AtomicUsize) -> Self {
        left.fetch_add(1, Ordering::SeqCst);
        Self(left)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn bodies_borrow_and_run_concurrently_on_other_threads() {
    let words = ["to", "be", "or", "not"].map(String::from);
    let both = Barrier::new(2);
    let seen = Mutex::new(HashSet::new());

    let threads = Threads::of(two());
    let cores = threads.cores();
    let lengths = forloop::each(&words).limit(cores.threads()).on_scoped(cores).gather(|word| {
        let (both, seen) = (&both, &seen);
        async move {
            // A body waits here for another one, so two must run at once.
            both.wait();
            seen.lock().unwrap().insert(thread::current().id());
            word.len()
        }
    });
    assert_eq!(threads.block_on(lengths), [2, 2, 2, 3]);
    drop(threads);
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 2);
    assert!(!seen.contains(&thread::current().id()));
}

#[test]
fn items_closure_and_bodies_borrow_on_workers() {
    let (numbers, factor): (Vec<usize>, _) = ((0..10_000).collect(), 3);
    let factor = &factor;
    let sum = parallel(|cores| {
        let looping = forloop::each(&numbers).unbounded().on_scoped(cores);
        looping.fold(0, move |n| async move { n * factor }, |sum, (_, n)| sum + n)
    });
    assert_eq!(sum, 3 * 9_999 * 5_000);

    // An error of the source ends the loop, and a body is limited in time. Both may borrow.
    let (rows, short) = (["1", "2", "three", "4"], Duration::from_millis(1));
    let interrupted = parallel(|cores| {
        let looping =
            forloop::try_each(rows.iter().map(|row| row.parse::<usize>().map_err(|_| row)));
        let looping = looping.limit(8).unwrap().on_scoped(cores).timeout(short);
        looping.gather(move |n| async move { if n == 2 { pending().await } else { n * factor } })
    });
    let interrupted = interrupted.unwrap_err();
    assert!(matches!(interrupted.cause, Cause::Source { index: 2, error: &"three" }));
    assert_eq!(interrupted.ready.len(), 2);
    let outcomes = parallel(|cores| {
        let looping = forloop::each(&numbers[..3]).limit(8).unwrap().on_scoped(cores);
        looping
            .timeout(short)
            .gather(move |n| async move { if *n == 2 { pending().await } else { n * factor } })
    });
    assert!(matches!(outcomes[2], Outcome::TimedOut));

    // Where an option decides when items start, its closure may borrow, too.
    let tripled = parallel(|cores| {
        let looping = forloop::each(&numbers[..1000]).limit(7).unwrap().on_scoped(cores);
        let looping = looping.limit_by(move |n: &&usize| **n % factor, 1).unwrap();
        looping.gather(move |n| async move { n * factor })
    });
    assert!(tripled.into_iter().eq((0..1000).map(|n| 3 * n)));
}

#[test]
fn a_loop_that_is_dropped_leaves_nothing_behind_when_the_call_returns() {
    let left = AtomicUsize::new(0);
    parallel(|cores| {
        let left = &left;
        let looping = forloop::each(0..).limit(8).unwrap().on_scoped(cores);
        let mut looping = Box::pin(looping.for_each(move |_: usize| {
            let guard = Guard::of(left);
            async move {
                let _held = guard;
                pending::<()>().await;
            }
        }));
        async move {
            assert!(futures_lite::future::poll_once(looping.as_mut()).await.is_none());
        }
    });
    assert_eq!(left.load(Ordering::SeqCst), 0);
}

#[test]
fn bodies_that_are_tasks_wait_for_each_other_by_blocking() {
    let all = Barrier::new(3);
    let threads = Threads::of(NonZeroUsize::new(3).unwrap());
    let looping = forloop::each(0..3).unbounded().on_scoped_tasks(threads.cores());
    let waited = looping.gather(|n| {
        let all = &all;
        async move {
            all.wait();
            n
        }
    });
    assert_eq!(threads.block_on(waited), [0, 1, 2]);
}

#[test]
fn a_failure_stops_the_others_and_drops_what_they_hold() {
    let left = AtomicUsize::new(0);
    let numbers = [1, 2, 3];
    let error = parallel(|cores| {
        forloop::each(&numbers).unbounded().on_scoped(cores).try_gather(|&n| {
            let guard = Guard::of(&left);
            async move {
                let _held = guard;
                if n == 2 { Err::<(), _>("two") } else { pending().await }
            }
        })
    })
    .unwrap_err();
    assert_eq!((error.first().unwrap().index, left.load(Ordering::SeqCst)), (Some(1), 0));
}

#[test]
fn no_task_outlives_the_call() {
    let left = AtomicUsize::new(0);
    let kept = parallel(|cores| {
        let left = &left;
        async move {
            // Detached, and holding a handle to its own executor.
            let guard = Guard::of(left);
            let held = (cores.clone(), guard);
            let (started, has_started) = futures_util::future::abortable(pending::<()>());
            spawn_scoped(&cores, async move {
                let _held = held;
                has_started.abort();
                pending::<()>().await;
            })
            .detach();
            started.await.unwrap_err();
            assert_eq!(left.load(Ordering::SeqCst), 1);
            cores
        }
    });
    assert_eq!(left.load(Ordering::SeqCst), 0);

    // A task spawned after the call never starts.
    let task = spawn_scoped(&kept, async { unreachable!("the threads have stopped") });
    assert_eq!(forloop::block_on(task), Err::<(), _>(Cancelled));
}

#[test]
fn panics_propagate_to_the_caller_when_all_tasks_have_stopped() {
    let left = AtomicUsize::new(0);
    let of_a_body = || {
        parallel(|cores| {
            forloop::each(0..3).unbounded().on_scoped(cores).for_each(|n| {
                let guard = Guard::of(&left);
                async move {
                    let _held = guard;
                    if n == 1 {
                        panic!("a body's");
                    }
                    pending::<()>().await;
                }
            })
        });
    };
    let of_the_program = || {
        parallel(|cores| {
            let guard = Guard::of(&left);
            async move {
                let task = spawn_scoped(&cores, async move {
                    let _held = guard;
                    pending::<()>().await;
                });
                task.detach();
                panic!("the program's");
            }
        });
    };
    for (panicking, message) in
        [(&of_a_body as &dyn Fn(), "a body's"), (&of_the_program, "the program's")]
    {
        let panic = catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&message));
        assert_eq!(left.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn calls_of_parallel_nest() {
    let rows = [[1, 2], [3, 4]];
    let sums = parallel(|cores| {
        forloop::each(&rows).limit(cores.threads()).on_scoped(cores).gather(|row| async move {
            let squares = parallel(|cores| {
                forloop::each(row).unbounded().on_scoped(cores).gather(|n| async move { n * n })
            });
            squares.into_iter().sum::<i32>()
        })
    });
    assert_eq!(sums, [5, 25]);
}

#[test]
fn threads_are_reusable_and_tasks_wait_for_the_next_use() {
    let threads = Threads::of(two());
    let task = spawn_scoped(&threads.cores(), async { 6 * 7 });
    threads.block_on(async {});
    assert_eq!(threads.block_on(task), Ok(42));
}
