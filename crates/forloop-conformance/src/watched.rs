//! One test: a row on a backend, on a thread of its own, with an end to patience.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a test may take before it counts as hung. Far more than any needs.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs a test on a thread of its own and fails it if it hangs.
///
/// # Panics
///
/// If the test panics or hangs.
pub fn watched(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(test));
        let _nobody_waits = done.send(());
        if let Err(payload) = result {
            resume_unwind(payload);
        }
    });
    match ended.recv_timeout(LIMIT) {
        Ok(()) => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
        Err(_) => panic!("hung for {LIMIT:?}"),
    }
}

/// Runs a row of the suite of this name once for each seed, and says which seed it was and which promises
/// do not hold if it fails.
#[doc(hidden)]
pub fn check_seeds(
    suite: &str,
    ids: &[&str],
    seeds: impl Iterator<Item = u64> + Send + 'static,
    row: impl Fn(u64) + Send + 'static,
) {
    check(suite, ids, move || {
        for seed in seeds {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| row(seed))) {
                eprintln!("with the seed {seed}");
                resume_unwind(payload);
            }
        }
    });
}

/// Runs a row of the suite of this name, and says which promises do not hold if it fails.
#[doc(hidden)]
pub fn check(suite: &str, ids: &[&str], row: impl FnOnce() + Send + 'static) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| watched(row))) {
        let hold = if ids.len() == 1 { "does not hold" } else { "do not all hold" };
        eprintln!("{} {hold} on {suite}", ids.join(", "));
        resume_unwind(payload);
    }
}
