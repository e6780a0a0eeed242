//! Measures a region of code in one of four ways.

use std::time::{Duration, Instant};

use crate::counters::{self, Counted};

/// An allocator that counts.
pub trait Heap {
    /// Returns the number of allocations and reallocations so far.
    fn allocations(&self) -> usize;
    /// Returns the number of bytes in use.
    fn held(&self) -> usize;
    /// Returns the most bytes that were in use at once.
    fn peak(&self) -> usize;
}

/// What a child process measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The time of the processor, or of the wall clock for two threads.
    Time,
    /// Polls of bodies, and the longest poll of the loop.
    Polls,
    /// Allocations and bytes.
    Heap,
    /// Nothing: the region runs under a tool that counts its instructions.
    Instructions,
    /// Nothing: a warm-up run.
    Nothing,
}

impl Measure {
    pub(crate) const ALL: [Self; 4] = [Self::Time, Self::Polls, Self::Heap, Self::Instructions];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Polls => "polls",
            Self::Heap => "heap",
            Self::Instructions => "instructions",
            Self::Nothing => "nothing",
        }
    }
}

/// The clock that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The processor time of this process, for a loop on one thread.
    Cpu,
    /// The wall clock, for a loop on two threads.
    Wall,
}

impl Clock {
    fn now(self, origin: Instant) -> Duration {
        #[cfg(unix)]
        if self == Self::Cpu {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
            return Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default());
        }
        origin.elapsed()
    }
}

/// The cost of a region.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading {
    Time(Duration),
    Polls(Counted),
    Heap { allocations: usize, bytes: usize },
    Nothing,
}

pub(crate) struct Meter<'a> {
    pub(crate) measure: Measure,
    pub(crate) clock: Clock,
    pub(crate) heap: Option<&'a dyn Heap>,
    origin: Instant,
    reading: Option<Reading>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(measure: Measure, clock: Clock, heap: Option<&'a dyn Heap>) -> Self {
        Self { measure, clock, heap, origin: Instant::now(), reading: None }
    }

    /// Measures `work`. What a workload does before and after this call does not count.
    pub(crate) fn measured(&mut self, work: impl FnOnce()) {
        let mut work = Some(work);
        let mut once = || {
            if let Some(work) = work.take() {
                work();
            }
        };
        self.reading = Some(match (self.measure, self.heap) {
            (Measure::Time, _) => {
                let start = self.clock.now(self.origin);
                measured_region(&mut once);
                Reading::Time(self.clock.now(self.origin).saturating_sub(start))
            }
            (Measure::Polls, _) => {
                counters::begin();
                measured_region(&mut once);
                Reading::Polls(counters::end())
            }
            (Measure::Heap, Some(heap)) => {
                // The recorded peak cannot be lowered. So the memory in use is raised to the peak, and any
                // further allocation of the region raises the peak.
                let ballast = vec![0_u8; heap.peak().saturating_sub(heap.held())];
                let (allocations, held) = (heap.allocations(), heap.held());
                measured_region(&mut once);
                let (allocations, peak) = (heap.allocations() - allocations, heap.peak());
                drop(std::hint::black_box(ballast));
                Reading::Heap { allocations, bytes: peak - held }
            }
            (Measure::Instructions, _) => {
                measured_region(&mut once);
                Reading::Nothing
            }
            (Measure::Nothing | Measure::Heap, _) => {
                once();
                Reading::Nothing
            }
        });
    }

    /// Returns the cost of the last region.
    pub(crate) fn take(&mut self) -> Option<Reading> {
        self.reading.take()
    }
}

/// The region whose instructions callgrind counts. It finds the function by name, so this is neither generic
/// nor inlined.
#[inline(never)]
fn measured_region(work: &mut dyn FnMut()) {
    work();
}
