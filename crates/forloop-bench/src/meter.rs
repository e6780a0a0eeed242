//! Measures a region of code, in one of four ways.

use std::time::{Duration, Instant};

use crate::Heap;
use crate::counters::{self, Counted};

/// What a child process measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The time that the processor, or two of them, spent.
    Time,
    /// Polls and turns.
    Polls,
    /// Allocations and bytes.
    Heap,
    /// Nothing: the region is run under a tool that counts its instructions.
    Instructions,
    /// Nothing at all: a run that warms up.
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

/// Which clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The processor's time for this process: a loop on one thread.
    Cpu,
    /// The time on the wall: a loop on two.
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

/// What the region cost.
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

    /// Runs what is to be measured; what a workload does before and behind it does not count.
    pub(crate) fn measured(&mut self, work: impl FnOnce()) {
        let mut work = Some(work);
        let mut once = || {
            if let Some(work) = work.take() {
                work();
            }
        };
        self.reading = Some(match (self.measure, self.heap) {
            (Measure::Time, _) => {
                let begun = self.clock.now(self.origin);
                measured_region(&mut once);
                Reading::Time(self.clock.now(self.origin).saturating_sub(begun))
            }
            (Measure::Polls, _) => {
                counters::begin();
                measured_region(&mut once);
                Reading::Polls(counters::end())
            }
            (Measure::Heap, Some(heap)) => {
                // Nobody can lower the peak, so what is held is raised to it, and whatever the
                // region holds beyond that raises it further.
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

    /// What the last region cost.
    pub(crate) fn take(&mut self) -> Option<Reading> {
        self.reading.take()
    }
}

/// The region that callgrind is told to count, by this name: not generic, and never inlined.
#[inline(never)]
fn measured_region(work: &mut dyn FnMut()) {
    work();
}
