//! Counts polls and turns, where that is what is measured; elsewhere a branch that is never taken.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Instant;

static COUNTING: AtomicBool = AtomicBool::new(false);
static POLLS: AtomicU64 = AtomicU64::new(0);
static LONGEST_TURN: AtomicU64 = AtomicU64::new(0);
static MOST_POLLS: AtomicU64 = AtomicU64::new(0);

/// What was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// How often a body was polled.
    pub(crate) polls: u64,
    /// The longest single poll of the loop, in nanoseconds.
    pub(crate) longest_turn: u64,
    /// The most polls of bodies within one poll of the loop.
    pub(crate) most_polls: u64,
}

/// Counts from zero, from now on.
pub(crate) fn begin() {
    for counter in [&POLLS, &LONGEST_TURN, &MOST_POLLS] {
        counter.store(0, Relaxed);
    }
    COUNTING.store(true, Relaxed);
}

/// Stops counting.
pub(crate) fn end() -> Counted {
    COUNTING.store(false, Relaxed);
    Counted {
        polls: POLLS.load(Relaxed),
        longest_turn: LONGEST_TURN.load(Relaxed),
        most_polls: MOST_POLLS.load(Relaxed),
    }
}

/// Every body says so at every poll.
#[inline]
pub(crate) fn body_polled() {
    if COUNTING.load(Relaxed) {
        POLLS.fetch_add(1, Relaxed);
    }
}

/// Polls the loop once: the time until the executor has its turn.
pub(crate) fn turn<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    if !COUNTING.load(Relaxed) {
        return poll();
    }
    let (polls, begun) = (POLLS.load(Relaxed), Instant::now());
    let polled = poll();
    let nanos = begun.elapsed().as_nanos();
    LONGEST_TURN.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
    MOST_POLLS.fetch_max(POLLS.load(Relaxed) - polls, Relaxed);
    polled
}
