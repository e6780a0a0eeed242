//! The cooperative budgets of runtimes.
//!
//! Some runtimes allow a task only so many operations in one poll. After that, their timers, channels and sockets are
//! pending although they are ready, until the task has returned to its executor.
//!
//! Loops of `forloop-core` run in the tasks of any runtime, and the core names none. So it asks this crate, and the adapter of
//! a runtime with a budget enables the feature of that runtime here. Cargo unites the features of a program's crates, so
//! every loop of a program with `forloop-tokio` knows tokio's budget.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "simulation")]
extern crate std;

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
