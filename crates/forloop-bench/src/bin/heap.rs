//! The same program with a counting allocator, in its own binary so that no time is measured with it.

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;
use forloop_bench::Heap;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// The inner allocator counts allocations, the outer one records the most bytes in use at once.
#[global_allocator]
static ALLOCATOR: Cap<&StatsAlloc<System>> = Cap::new(&INSTRUMENTED_SYSTEM, usize::MAX);

struct Counted;

impl Heap for Counted {
    fn allocations(&self) -> usize {
        let stats = INSTRUMENTED_SYSTEM.stats();
        stats.allocations + stats.reallocations
    }

    fn held(&self) -> usize {
        ALLOCATOR.allocated()
    }

    fn peak(&self) -> usize {
        ALLOCATOR.max_allocated()
    }
}

fn main() -> ExitCode {
    forloop_bench::main(Some(&Counted))
}
