//! Runs a case on a backend: on a thread of its own, under a watchdog.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cases::{CASES, Case};
use crate::compiled::Erased;

/// The time after which a test counts as hung, far more than any test needs.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs a test on a thread of its own, and panics if it hangs.
///
/// # Panics
///
/// If the test panics or hangs.
pub fn with_watchdog(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(test));
        // The receiver was dropped if the test took longer than `LIMIT`.
        let _late = done.send(());
        if let Err(payload) = result {
            resume_unwind(payload);
        }
    });
    match is_done.recv_timeout(LIMIT) {
        Ok(()) => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
        Err(_) => panic!("hung for {LIMIT:?}"),
    }
}

/// Runs a case on the backend of a suite, and prints the ids that do not hold if it fails.
#[doc(hidden)]
pub fn check(
    suite: &str,
    module: &str,
    name: &str,
    backend: impl FnOnce() -> Erased + Send + 'static,
) {
    let case = Case::named(module, name);
    prove(suite, case, Box::new(move || case.run(backend())));
}

/// Runs a case once for each seed, and prints the seed if it fails.
#[doc(hidden)]
pub fn check_seeds(
    suite: &str,
    module: &str,
    name: &str,
    seeds: impl Iterator<Item = u64> + Send + 'static,
    backend: fn(u64) -> Erased,
) {
    let case = Case::named(module, name);
    let each_seed = move || {
        for seed in seeds {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| case.run(backend(seed)))) {
                eprintln!("with the seed {seed}");
                resume_unwind(payload);
            }
        }
    };
    prove(suite, case, Box::new(each_seed));
}

/// Runs a law that the caller has compiled for the type of its backend.
#[doc(hidden)]
pub fn check_typed(suite: &str, module: &str, name: &str, law: fn()) {
    prove(suite, Case::named(module, name), Box::new(law));
}

/// Runs the cases that `filter` selects one after another, and returns their number.
#[doc(hidden)]
pub fn run_cases(
    suite: &str,
    backend: fn() -> Erased,
    filter: impl Fn(&'static str, &'static str) -> bool,
) -> usize {
    let kind = backend();
    let cases = CASES.iter().filter(|case| case.holds_on(&kind) && filter(case.module, case.name));
    let mut ran = 0;
    for case in cases {
        eprintln!("{suite}::{}::{}", case.module, case.name);
        check(suite, case.module, case.name, backend);
        ran += 1;
    }
    ran
}

/// Runs a law, and prints the ids of its case if it fails.
fn prove(suite: &str, case: &Case, law: Box<dyn FnOnce() + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| with_watchdog(law))) {
        let hold = if case.ids.len() == 1 { "does not hold" } else { "do not all hold" };
        eprintln!("{} {hold} on {suite}", case.ids.join(", "));
        resume_unwind(payload);
    }
}
