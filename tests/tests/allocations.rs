//! Law 6 in exact figures: the allocations of a loop depend on its limit, not on its items.
//!
//! There is a single test, because the allocator counts for the whole process.

use std::alloc::System;
use std::convert::Infallible;
use std::future::pending;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicIsize, Ordering};

use forloop::tokio::OwnedRuntime;
use forloop_conformance::{LONG, TickingClock, yields};
use futures_lite::future::block_on;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs `run` five times and returns the least number of allocations, because the test harness may allocate
/// at the same time.
fn allocations<T>(run: impl Fn() -> T) -> usize {
    let once = || {
        let region = Region::new(ALLOCATOR);
        drop(black_box(run()));
        region.change().allocations
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
}

fn for_each(items: usize, limit: usize, duration: usize) -> usize {
    allocations(|| {
        let looping = forloop::each(0..items).limit(limit).unwrap();
        block_on(looping.for_each(|_| yields(duration)));
    })
}

fn consume(items: usize, limit: usize) -> usize {
    allocations(|| {
        let results = forloop::each(0..items).limit(limit).unwrap().stream(|_| yields(1));
        block_on(results.for_each(|()| yields(1)));
    })
}

fn scope(children: usize) -> isize {
    // Bytes that are still allocated after a scope has run many children.
    let region = Region::new(ALLOCATOR);
    let held = block_on(forloop::local_scope(|scope| {
        let region = &region;
        async move {
            for _ in 0..children {
                let child = scope.spawn(async {
                    yields(1).await;
                    Ok(())
                });
                child.await.map_err(|_| ())?;
            }
            let change = region.change();
            Ok::<_, ()>(change.bytes_allocated as isize - change.bytes_deallocated as isize)
        }
    }));
    held.unwrap()
}

/// With a timeout for each body, and a signal that is never ready.
fn with_options(items: usize, limit: usize) -> usize {
    allocations(|| {
        let looping = forloop::each(0..items).limit(limit).unwrap();
        let looping = looping.timeout(&TickingClock::default(), LONG).cancel_on(pending::<()>());
        block_on(looping.stream_unordered(|_| yields(1)).for_each(|item| {
            assert!(item.unwrap().is_ok());
            async {}
        }));
    })
}

/// On two workers of a runtime whose own queues do not allocate: without outputs, with ordered outputs, and
/// in completion order.
fn on_workers(runtime: &OwnedRuntime, items: usize) -> [usize; 3] {
    let looping = || {
        let looping = forloop::each(0..items).limit(64).unwrap();
        looping.on_workers_of(runtime.runtime(), NonZeroUsize::MIN.saturating_add(1))
    };
    [
        allocations(|| block_on(looping().for_each(|_| yields(1)))),
        allocations(|| block_on(looping().gather(|_| yields(1)))),
        allocations(|| block_on(looping().stream_unordered(|_| yields(1)).for_each(async |()| ()))),
    ]
}

/// Returns the maximum number of bytes held while `run` ran, among the samples that it took.
fn most_held(run: impl FnOnce(&dyn Fn())) -> isize {
    let most = AtomicIsize::new(0);
    let region = Region::new(ALLOCATOR);
    run(&|| {
        let change = region.change();
        let held = change.bytes_allocated as isize - change.bytes_deallocated as isize;
        most.fetch_max(held, Ordering::Relaxed);
    });
    most.into_inner()
}

/// A loop with a limit, sampled now and then.
fn held_by_a_loop(items: usize) -> isize {
    most_held(|sample| {
        block_on(forloop::each(0..items).limit(64).unwrap().for_each(async |n| {
            yields(1).await;
            if n % 997 == 0 {
                sample();
            }
        }));
    })
}

/// A group whose body spawns children, a few at a time, and awaits none of them.
fn held_by_a_group(children: usize) -> isize {
    most_held(|sample| {
        let group = forloop::local_scope(|scope| async move {
            for n in 0..children {
                scope.spawn(async {
                    yields(1).await;
                    Ok(())
                });
                if n % 64 == 0 {
                    yields(3).await;
                }
                if n % 997 == 0 {
                    sample();
                }
            }
            Ok::<(), Infallible>(())
        });
        block_on(group).unwrap();
    })
}

#[test]
fn a_loop_allocates_for_its_limit_and_never_for_an_item() {
    // Allocations per thread or process happen here, before any are counted.
    let _warm_up = (for_each(10, 3, 1), consume(10, 3), scope(10));

    for limit in [1, 7, 64, 1000] {
        let few = for_each(2000, limit, 1);
        let many = for_each(50_000, limit, 1);
        assert_eq!(few, many, "limit {limit}");
        assert!(few <= 3 * limit + 20, "{few} allocations for limit {limit}");
        assert_eq!(consume(2000, limit), consume(50_000, limit), "limit {limit}");
    }
    assert_eq!(with_options(2000, 64), with_options(50_000, 64));
    // Bodies that are ready at once need one slot, with any limit.
    assert_eq!(for_each(50_000, 64, 0), for_each(10, 64, 0));

    // How often workers and loop meet depends on timing, but not on the number of items.
    let runtime = OwnedRuntime::multi_thread(NonZeroUsize::new(2)).unwrap();
    let _warm_up = on_workers(&runtime, 1000);
    // Timing only adds allocations, so the least of three runs counts.
    let runs: [_; 3] = std::array::from_fn(|_| on_workers(&runtime, 400_000));
    let allocations: [usize; 3] =
        std::array::from_fn(|of| runs.map(|run| run[of]).into_iter().min().unwrap());
    assert!(allocations.iter().all(|&many| many < 200), "{allocations:?} for 400,000 items");

    // A completed child is forgotten.
    let (few, many) = (scope(100), scope(20_000));
    assert!((few - many).abs() < 4096, "{few} bytes held after 100 children, {many} after 20,000");

    // BIG-2: a million items, and a million children.
    let (few, many) = (held_by_a_loop(100_000), held_by_a_loop(1_000_000));
    assert!(many <= few + 4096, "{few} bytes held for 100,000 items, {many} for a million");
    let (few, many) = (held_by_a_group(100_000), held_by_a_group(1_000_000));
    assert!(many <= few + 4096, "{few} bytes held for 100,000 children, {many} for a million");
}
