//! One test: a row on a backend, on a thread of its own, with an end to patience.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cases::{CASES, Case};
use crate::compiled::Erased;

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

/// Runs a row on a backend of the suite of this name, and prints which promises do not hold if it fails.
#[doc(hidden)]
pub fn check(
    suite: &str,
    module: &str,
    name: &str,
    backend: impl FnOnce() -> Erased + Send + 'static,
) {
    let row = Case::named(module, name);
    prove(suite, row, Box::new(move || row.run(backend())));
}

/// Runs a row once for each seed, and prints which seed it was if it fails.
#[doc(hidden)]
pub fn check_seeds(
    suite: &str,
    module: &str,
    name: &str,
    seeds: impl Iterator<Item = u64> + Send + 'static,
    backend: fn(u64) -> Erased,
) {
    let row = Case::named(module, name);
    let each_seed = move || {
        for seed in seeds {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| row.run(backend(seed)))) {
                eprintln!("with the seed {seed}");
                resume_unwind(payload);
            }
        }
    };
    prove(suite, row, Box::new(each_seed));
}

/// Runs a row that the caller has compiled for the type of its backend.
#[doc(hidden)]
pub fn check_typed(suite: &str, module: &str, name: &str, law: fn()) {
    prove(suite, Case::named(module, name), Box::new(law));
}

/// Runs the rows for which `which` holds one after another, and returns their number.
#[doc(hidden)]
pub fn run_rows(
    suite: &str,
    backend: fn() -> Erased,
    which: impl Fn(&'static str, &'static str) -> bool,
) -> usize {
    let kind = backend();
    let cases = CASES.iter().filter(|row| row.holds_on(&kind) && which(row.module, row.name));
    let mut ran = 0;
    for row in cases {
        eprintln!("{suite}::{}::{}", row.module, row.name);
        check(suite, row.module, row.name, backend);
        ran += 1;
    }
    ran
}

/// Runs a row, and prints its promises if it fails.
fn prove(suite: &str, row: &Case, law: Box<dyn FnOnce() + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| watched(law))) {
        let hold = if row.ids.len() == 1 { "does not hold" } else { "do not all hold" };
        eprintln!("{} {hold} on {suite}", row.ids.join(", "));
        resume_unwind(payload);
    }
}
