//! The laws where a panic ends the program: `cargo run --profile abort -p forloop-tests
//! --features without-unwinding`.
//!
//! Every row in which nothing panics, in the caller's task and on two runtimes. A row that panics
//! ends this program, and so does one that is missing from the list of those that must.

use std::thread;

use forloop::smol::Smol;
use forloop_conformance::run;
use forloop_tests::Tokio;

/// Modules and rows in which something panics on purpose.
const PANIC: &[&str] = &[
    "panics",
    "random",
    "random_options",
    "a_child_whose_destructor_panics_leaves_nobody_waiting",
    "everything_is_dropped_exactly_once",
    "waiting_for_all_ends_when_all_have_settled",
    "waiting_for_a_failure_ends_at_the_first",
    "a_consumer_that_is_dropped_leaves_no_task_behind",
    "a_panic_goes_on_in_whoever_awaits",
    "a_body_without_time_whose_destructor_panics_ends_the_loop",
    "a_panic_goes_on_when_all_have_stopped",
    "panics_that_are_caught_are_outcomes",
    "panics_that_are_caught_are_not_tried_again",
    "items_whose_destructors_panic_do_not_keep_a_loop_from_its_end",
    "panics_of_destructors_do_not_keep_the_loop_from_its_end",
    "a_collections_panic_goes_on_after_the_bodies_have_stopped",
    "a_folds_panic_goes_on_after_the_bodies_have_stopped",
    "a_folds_panic_is_shown_before_those_that_come_of_it",
    "a_panic_before_readiness_goes_on_in_the_starter",
    "a_predicates_panic_goes_on_after_the_bodies_have_stopped",
];

/// Rows that take long without telling more here than elsewhere.
const LARGE: &[&str] = &["large"];

fn main() {
    if cfg!(panic = "unwind") {
        eprintln!("this program was built to unwind: it shows no more than the tests do");
    }
    let calm = |module: &str, name: &str| {
        ![PANIC, LARGE].iter().any(|list| list.contains(&module) || list.contains(&name))
    };
    // Side by side: many rows wait for the clock of their runtime.
    let ran: usize = thread::scope(|scope| {
        let backends = [
            scope.spawn(|| run!(in_task, calm)),
            scope.spawn(|| run!(smol: Smol, calm)),
            scope.spawn(|| run!(tokio: Tokio::multi_thread(), calm)),
        ];
        backends.map(|ran| ran.join().expect("nothing unwinds")).into_iter().sum()
    });
    println!("{ran} rows hold without unwinding");
}
