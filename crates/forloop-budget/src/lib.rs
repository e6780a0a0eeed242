//! How long a task may keep its executor.
//!
//! Some runtimes allow a task only so many operations in one poll. After that, their timers, channels and sockets are
//! pending although they are ready, until the task has returned to its executor. All runtimes want a task back soon: other
//! tasks wait for the thread, and where it is the only one, so do the timers.
//!
//! Loops of `forloop-core` run in the tasks of any runtime, and the core names none. So it asks this crate, and the adapter of
//! a runtime with a budget enables the feature of that runtime here. Cargo unites the features of a program's crates, so
//! every loop of a program with `forloop-tokio` knows tokio's budget.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

mod clock;

use core::time::Duration;

#[cfg(feature = "simulation")]
pub use self::clock::{follow_system, set_time};

/// The time after which a task should return to its executor: five milliseconds.
///
/// It is many times what it takes to return, and less than a person notices. It is also longer than the system most often
/// takes a thread off its core, which would look like work.
pub const LONG: Duration = Duration::from_millis(5);

/// Whether the task that is being polled has used up what its runtime allows it in this poll.
///
/// `false` where no runtime polls, and on runtimes without a budget. With the feature `tokio` it costs a look at a
/// thread-local variable.
#[inline]
pub fn is_exhausted() -> bool {
    #[cfg(feature = "simulation")]
    if SIMULATED.get() {
        return true;
    }
    #[cfg(feature = "tokio")]
    return !tokio::task::coop::has_budget_remaining();
    #[cfg(not(feature = "tokio"))]
    false
}

#[cfg(feature = "simulation")]
std::thread_local! {
    static SIMULATED: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// Sets whether this thread polls a task that has used up its budget, beside what its runtime says.
#[cfg(feature = "simulation")]
pub fn set_exhausted(is_exhausted: bool) {
    SIMULATED.set(is_exhausted);
}

/// When a task began to work in a poll.
///
/// It is read from the clock of the system. Without the feature `std`, and in a browser, there is none, and no time passes.
#[derive(Debug, Clone, Copy)]
pub struct WorkStart(clock::Instant);

impl WorkStart {
    /// The task begins now.
    pub fn now() -> Self {
        Self(clock::Instant::now())
    }

    /// How long ago that was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Whether that was more than [`LONG`] ago.
    pub fn is_long_ago(self) -> bool {
        self.0.elapsed() > LONG
    }
}
