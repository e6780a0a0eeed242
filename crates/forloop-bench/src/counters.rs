//! Counts polls, if they are measured; otherwise each check is a branch that is never taken.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Instant;

static COUNTING: AtomicBool = AtomicBool::new(false);
static POLLS: AtomicU64 = AtomicU64::new(0);
static LONGEST_POLL: AtomicU64 = AtomicU64::new(0);
static MOST_POLLS: AtomicU64 = AtomicU64::new(0);

/// The counts of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// The number of polls of bodies.
    pub(crate) polls: u64,
    /// The longest single poll of the loop, in nanoseconds.
    pub(crate) longest_poll: u64,
    /// The most polls of bodies within one poll of the loop.
    pub(crate) most_polls: u64,
}

/// Resets the counters and starts counting.
pub(crate) fn begin() {
    for counter in [&POLLS, &LONGEST_POLL, &MOST_POLLS] {
        counter.store(0, Relaxed);
    }
    COUNTING.store(true, Relaxed);
}

/// Stops counting.
pub(crate) fn end() -> Counted {
    COUNTING.store(false, Relaxed);
    Counted {
        polls: POLLS.load(Relaxed),
        longest_poll: LONGEST_POLL.load(Relaxed),
        most_polls: MOST_POLLS.load(Relaxed),
    }
}

/// Called by every body at every poll.
#[inline]
pub(crate) fn body_polled() {
    if COUNTING.load(Relaxed) {
        POLLS.fetch_add(1, Relaxed);
    }
}

/// Polls the loop once, and measures how long that keeps the executor from other tasks.
pub(crate) fn counted_poll<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    if !COUNTING.load(Relaxed) {
        return poll();
    }
    let (polls, start) = (POLLS.load(Relaxed), Instant::now());
    let polled = poll();
    let nanos = start.elapsed().as_nanos();
    LONGEST_POLL.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
    MOST_POLLS.fetch_max(POLLS.load(Relaxed) - polls, Relaxed);
    polled
}
