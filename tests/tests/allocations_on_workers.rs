//! Law 6 on workers: their allocations do not depend on the number of items.
//!
//! There is a single test, because the allocator counts for the whole process, whose other threads can only add to the
//! figures.

use std::alloc::System;
use std::hint::black_box;
use std::num::NonZeroUsize;

use forloop::tokio::OwnedRuntime;
use forloop_conformance::yields;
use futures_lite::future::block_on;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs `run` five times and returns the least number of allocations.
fn allocations<T>(run: impl Fn() -> T) -> usize {
    let once = || {
        let region = Region::new(ALLOCATOR);
        drop(black_box(run()));
        region.change().allocations
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
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

#[test]
fn a_loop_on_workers_allocates_nothing_for_an_item() {
    // How often workers and loop meet depends on timing, but not on the number of items.
    let runtime = OwnedRuntime::multi_thread(NonZeroUsize::new(2)).unwrap();
    let _warm_up = on_workers(&runtime, 1000);
    // Timing only adds allocations, so the least of three runs counts.
    let runs: [_; 3] = std::array::from_fn(|_| on_workers(&runtime, 100_000));
    let allocations: [usize; 3] =
        std::array::from_fn(|of| runs.map(|run| run[of]).into_iter().min().unwrap());
    assert!(allocations.iter().all(|&many| many < 200), "{allocations:?} for 100,000 items");
}
