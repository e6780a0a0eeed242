//! The models must find mutations, or they could not show that there are no such bugs. For each mutation
//! a model that passes without it must fail with it. It runs in a process of its own, because a loom model
//! that has failed cannot always be torn down.

use alloc::format;
use alloc::string::String;
use std::env;
use std::process::Command;

use super::super::mutations::{FORLOOP_MUTATION, Mutation};

fn finds(mutation: Mutation, test: &str, message: &str) {
    is_found_by(mutation, &format!("engine::model::{test}"), message);
}

/// Runs one test with a mutation, and asserts that it fails with this message.
pub(crate) fn is_found_by(mutation: Mutation, test: &str, message: &str) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test]).env(FORLOOP_MUTATION, format!("{mutation:?}"));
    let output = command.output().unwrap();
    let text = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    assert!(text.contains("running 1 test\n"), "there is no test {test}: {text}");
    assert!(!output.status.success(), "{test} does not find {mutation:?}");
    assert!(text.contains(message), "{test} fails otherwise with {mutation:?}: {text}");
}

const LOST_WAKE: &str = "deadlock";
const ENDLESS_QUEUE: &str = "maximum number of branches";
const DATA_RACE: &str = "Causality violation";

#[test]
fn it_finds_a_word_that_is_cleared_before_the_link_is_read() {
    let test = "queue::a_chunk_that_is_pushed_again_while_the_queue_is_read_loses_no_wake";
    finds(Mutation::ClearsBeforeNext, test, LOST_WAKE);
}

#[test]
fn it_finds_a_word_that_is_taken_without_acquire() {
    let test = "queue::what_happens_before_a_wake_is_visible_to_the_reader";
    finds(Mutation::TakesWithoutAcquire, test, DATA_RACE);
}

#[test]
fn it_finds_a_sleep_without_a_check_of_the_queue() {
    let test = "queue::wakes_of_one_chunk_from_two_threads_are_all_taken";
    finds(Mutation::SleepsWithoutCheck, test, LOST_WAKE);
}

#[test]
fn it_finds_a_sleep_without_a_check_of_the_owners_queue() {
    let test = "queue::a_loop_that_was_woken_by_its_owner_does_not_sleep";
    finds(Mutation::SleepsWithoutOwnerCheck, test, LOST_WAKE);
}

#[test]
fn it_finds_a_parent_that_is_registered_after_the_loop_has_gone_to_sleep() {
    let test = "queue::wakes_of_one_chunk_from_two_threads_are_all_taken";
    finds(Mutation::RegistersLate, test, DATA_RACE);
}

#[test]
fn it_finds_a_parent_that_is_replaced_while_a_wake_has_it() {
    let test = "queue::a_loop_that_sleeps_again_wakes_its_new_parent";
    finds(Mutation::LendsTwice, test, DATA_RACE);
}

#[test]
fn it_finds_a_parent_that_is_returned_without_release() {
    let test = "queue::a_loop_that_sleeps_again_wakes_its_new_parent";
    finds(Mutation::ReturnsParentRelaxed, test, DATA_RACE);
}

#[test]
fn it_finds_a_wake_that_leaves_the_loop_asleep() {
    let test = "queue::wakes_of_one_chunk_from_two_threads_are_all_taken";
    finds(Mutation::SkipsParentWake, test, LOST_WAKE);
}

#[test]
fn it_finds_a_forgotten_wake_that_lets_its_chunk_be_queued_twice() {
    finds(Mutation::ForgetsQueued, "queue::forgetting_a_wake_loses_no_other", ENDLESS_QUEUE);
}

#[test]
fn it_finds_another_thread_that_takes_the_owners_path() {
    let test = "queue::a_slot_may_be_woken_by_the_owner_and_another_thread_at_once";
    finds(Mutation::TakesOwnerPathElsewhere, test, DATA_RACE);
}

#[test]
fn it_finds_what_wakers_point_to_if_it_is_made_twice() {
    let test = "set::what_wakers_point_to_is_made_once";
    finds(Mutation::MakesSharedTwice, test, "both belong to one slot");
}

#[test]
fn it_finds_references_that_are_left_out_when_the_loop_is_dropped() {
    let test = "queue::wakers_counted_by_the_owner_and_by_others_are_freed_once";
    finds(Mutation::LeavesOutOwnerRefs, test, "Allocation leaked");
}

#[test]
fn it_finds_memory_that_is_freed_without_acquire() {
    let test = "queue::wakers_that_race_with_the_end_of_the_loop_free_it_once";
    finds(Mutation::FreesWithoutAcquire, test, DATA_RACE);
}

#[test]
fn it_finds_a_reference_that_is_dropped_without_release() {
    let test = "queue::wakers_that_race_with_the_end_of_the_loop_free_it_once";
    finds(Mutation::ReleasesRelaxed, test, DATA_RACE);
}

#[test]
fn it_finds_a_value_that_is_taken_without_acquire() {
    let test = "task_cells::a_loop_takes_the_value_of_each_task_that_has_used_a_cell";
    finds(Mutation::TakesValueWithoutAcquire, test, DATA_RACE);
}

#[test]
fn it_finds_a_value_that_is_stored_without_release() {
    let test = "task_cells::a_loop_takes_the_value_of_each_task_that_has_used_a_cell";
    finds(Mutation::CompletesRelaxed, test, DATA_RACE);
}

#[test]
fn it_finds_a_task_that_waits_although_it_was_asked_to_stop() {
    let test = "task_cells::a_task_that_waits_is_woken_to_stop";
    finds(Mutation::RegistersWithoutRecheck, test, LOST_WAKE);
}

#[test]
fn it_finds_a_block_that_is_released_without_release() {
    let test = "task_cells::a_block_is_freed_once_after_its_last_use";
    finds(Mutation::ReleasesBlockRelaxed, test, DATA_RACE);
}

#[test]
fn it_finds_a_block_that_is_freed_without_acquire() {
    let test = "task_cells::a_block_is_freed_once_after_its_last_use";
    finds(Mutation::FreesBlockWithoutAcquire, test, DATA_RACE);
}
