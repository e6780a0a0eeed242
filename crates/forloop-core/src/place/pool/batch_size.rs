//! The number of bodies that a worker pulls at a time.

use core::time::Duration;

use forloop_budget::WorkStart;

use crate::simulation;

/// The work that a batch should be: much more than it takes to get the source from another worker, and less than a source
/// or a closure that is called by one worker at a time should be without it.
const WORK: Duration = Duration::from_micros(30);

/// The most bodies of a batch: hundreds, and as many as a worker polls before it yields.
const MOST: usize = 256;

/// The most bytes of a batch's bodies, which are moved once more than those that are pulled one by one.
const MOST_BYTES: usize = 64 << 10;

/// The batches that are not timed after one that shows short bodies: to read the clock takes as long as some bodies.
const UNTIMED: u32 = 7;

/// The number of bodies that a worker pulls at a time, adapted to what they cost.
///
/// Workers meet at the source once for each batch. So a batch is hundreds of bodies where they are short, and one where they
/// compute for long: then no other worker has to take it away again. The worker times its batches. The size is what would have
/// been [`WORK`] at the pace of the last one, but at most four times the last size: few bodies say little of those that follow.
/// Where the clock shows no time, because it stands still or is too coarse, bodies count as short.
///
/// In a simulation it is always two bodies: one to start, and one that another worker may take.
pub(super) struct BatchSize {
    next: usize,
    most: usize,
    /// Batches until the next one that is timed.
    untimed: u32,
}

impl BatchSize {
    /// One body at first, of this number of bytes.
    pub(super) fn for_bodies_of(bytes: usize) -> Self {
        Self { next: 1, most: (MOST_BYTES / bytes.max(1)).clamp(1, MOST), untimed: 0 }
    }

    /// The size of the next batch, of a source with so many `left` items for so many `workers`. Towards the end the batches
    /// get smaller, so that the workers complete together.
    pub(super) fn of_next(&self, left: usize, workers: usize) -> usize {
        if simulation::is_on() {
            return 2;
        }
        self.next.min(left / (2 * workers)).max(1)
    }

    /// The number of outputs that are worth a trip to another thread: those of a few batches, and each one where bodies
    /// compute for long.
    pub(super) fn outputs(&self) -> usize {
        if self.next == 1 { 1 } else { 4 * self.next }
    }

    /// Reads the clock before a batch, if it is to be timed.
    pub(super) fn begin(&mut self) -> Option<WorkStart> {
        let is_timed = self.untimed == 0;
        self.untimed = self.untimed.saturating_sub(1);
        is_timed.then(WorkStart::now)
    }

    /// To pull and start so many bodies, at least one, has taken so long.
    pub(super) fn measure(&mut self, started: usize, elapsed: Duration) {
        let work = WORK.as_nanos() * started as u128;
        let affordable = work.checked_div(elapsed.as_nanos()).unwrap_or(u128::MAX);
        let most = self.most.min(4 * started.max(self.next));
        self.next = usize::try_from(affordable).unwrap_or(most).clamp(1, most);
        self.untimed = if self.next == self.most { UNTIMED } else { 0 };
    }
}
