//! Runs a case on a backend: on a thread of its own, under a watchdog.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cases::{CASES, Case};
use crate::compiled::Erased;
use crate::seam::{self, Finding, Seam};

/// Returns the time after which a test counts as hung: ten minutes, or `FORLOOP_PATIENCE` seconds.
///
/// Ten minutes is far more than any law needs, also on a busy machine.
///
/// # Panics
///
/// If the variable is not a number of seconds.
pub fn patience() -> Duration {
    let seconds = std::env::var("FORLOOP_PATIENCE").ok();
    let seconds = seconds
        .map_or(600, |value| value.parse().expect("FORLOOP_PATIENCE is a number of seconds"));
    Duration::from_secs(seconds)
}

/// Runs a test on a thread of its own, and panics if it hangs: if it takes longer than the [`patience`].
///
/// # Panics
///
/// If the test panics or hangs.
pub fn with_watchdog(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(test));
        // The receiver was dropped if the test took too long.
        let _late = done.send(());
        if let Err(payload) = result {
            resume_unwind(payload);
        }
    });
    let patience = patience();
    match is_done.recv_timeout(patience) {
        Ok(()) => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
        Err(_) => panic!("hung for {patience:?}"),
    }
}

/// Runs a case on the backend of a suite, and prints the ids that do not hold if it fails.
///
/// If the suite has a seam, it is examined first.
#[doc(hidden)]
pub fn check(suite: &str, seam: Option<&Seam>, module: &str, name: &str, backend: fn() -> Erased) {
    require(suite, seam, backend);
    let case = Case::named(module, name);
    prove(suite, case, Box::new(move || case.run(backend())));
}

/// Fails the test if a row of the seam does not hold.
#[doc(hidden)]
pub fn check_row(suite: &str, seam: &Seam, name: &str, backend: fn() -> Erased) {
    let findings = &seam.report(suite, backend).findings;
    let position = seam::ROWS.iter().position(|row| row.name == name);
    let position = position.expect("the test was made from the list of rows");
    match &findings[position] {
        Finding::Holds(notes) => notes.iter().for_each(|note| eprintln!("{suite}: {note}")),
        Finding::Fault(fault) => {
            panic!("{} does not hold on {suite}: {fault}", seam::ROWS[position].id)
        }
        Finding::NotExamined => fail_quietly(),
    }
}

/// Fails the test without running it if the seam does not hold.
fn require(suite: &str, seam: Option<&Seam>, backend: fn() -> Erased) {
    let holds = seam.is_none_or(|seam| seam.report(suite, backend).holds());
    if !holds && !seam::is_ignored() {
        fail_quietly();
    }
}

/// Fails a test that was not run. The reason was printed for all of them, so this prints nothing.
fn fail_quietly() -> ! {
    resume_unwind(Box::new("not run"))
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
pub fn check_typed(
    suite: &str,
    seam: &Seam,
    module: &str,
    name: &str,
    backend: fn() -> Erased,
    law: fn(),
) {
    require(suite, Some(seam), backend);
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
    let seam = kind.has_tasks().then(Seam::spawned);
    if seam.as_ref().is_some_and(|seam| !seam.report(suite, backend).holds()) {
        assert!(seam::is_ignored(), "the seam of {suite} does not hold");
    }
    let cases = CASES.iter().filter(|case| case.holds_on(&kind) && filter(case.module, case.name));
    let mut ran = 0;
    for case in cases {
        eprintln!("{suite}::{}::{}", case.module, case.name);
        check(suite, seam.as_ref(), case.module, case.name, backend);
        ran += 1;
    }
    ran
}

/// Runs a law. If it fails, prints at once the ids of its case.
fn prove(suite: &str, case: &Case, law: Box<dyn FnOnce() + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| with_watchdog(law))) {
        let hold = if case.ids.len() == 1 { "does not hold" } else { "do not all hold" };
        let (ids, message) = (case.ids.join(", "), seam::message(&*payload));
        let first = message.lines().next().unwrap_or_default();
        seam::print_now(&format!(
            "{ids} {hold} on {suite}: {}::{}: {first}\n",
            case.module, case.name
        ));
        resume_unwind(payload);
    }
}
