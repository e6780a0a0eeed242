//! The laws where a panic ends the program: `cargo run --profile abort -p forloop-tests
//! --features without-unwinding`.
//!
//! It runs every case that does not panic, in the caller's task and on two runtimes. A case that panics ends this
//! program, so each case that panics on purpose must be in the list.

use std::thread;

use forloop::smol::Smol;
use forloop_conformance::run;
use forloop_tests::Tokio;

/// Modules and cases that panic on purpose.
const PANIC: &[&str] = &[
    "panics",
    "random",
    "random_options",
    "a_child_that_was_not_polled_when_its_group_stops_is_never_polled",
    "a_child_whose_destructor_panics_completes_its_handle",
    "everything_is_dropped_exactly_once",
    "waiting_for_all_returns_when_all_have_completed",
    "waiting_for_a_failure_returns_at_the_first",
    "a_cancelled_child_that_panics_when_dropped_leaves_no_task_running",
    "a_dropped_consumer_leaves_no_task_running",
    "a_tasks_panic_propagates_to_the_awaiting_caller",
    "a_timed_out_body_whose_destructor_panics_stops_the_loop",
    "a_tasks_outcome_has_its_panic_as_a_value",
    "a_panic_propagates_after_the_bodies_have_stopped",
    "a_caught_panic_is_the_outcome_of_its_item",
    "caught_panics_are_not_retried",
    "each_failure_is_passed_on_with_its_item_while_the_loop_runs",
    "a_panic_is_passed_on_with_its_item_before_it_propagates",
    "items_that_panic_when_dropped_do_not_hang_the_loop",
    "panics_of_destructors_do_not_hang_the_loop",
    "each_body_on_workers_is_in_its_layer",
    "a_panic_of_an_option_on_workers_propagates",
    "a_collections_panic_propagates_after_the_bodies_have_stopped",
    "a_folds_panic_propagates_after_the_bodies_have_stopped",
    "a_folds_panic_takes_precedence_over_those_of_destructors",
    "a_panic_before_the_ready_signal_propagates_from_start",
    "after_a_failure_each_body_of_its_round_is_polled_once",
    "a_predicates_panic_propagates_after_the_bodies_have_stopped",
];

/// Modules whose cases take long, and show no more here than in the tests.
const LARGE: &[&str] = &["large"];

fn main() {
    if cfg!(panic = "unwind") {
        eprintln!("this program was built with unwinding, so it shows no more than the tests do");
    }
    let without_panics = |module: &str, name: &str| {
        ![PANIC, LARGE].iter().any(|list| list.contains(&module) || list.contains(&name))
    };
    // Concurrently, because many cases wait for the clock of their runtime.
    let ran: usize = thread::scope(|scope| {
        let backends = [
            scope.spawn(|| run!(in_task, without_panics)),
            scope.spawn(|| run!(smol: Smol, without_panics)),
            scope.spawn(|| run!(tokio: Tokio::multi_thread(), without_panics)),
        ];
        backends.map(|ran| ran.join().expect("nothing unwinds")).into_iter().sum()
    });
    println!("{ran} cases hold without unwinding");
}
