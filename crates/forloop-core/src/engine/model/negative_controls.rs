//! What the model would not have found, it could not have shown to be absent. Each bug has a test
//! of the model fail that passes without it; in a process of its own, because a model that has failed cannot
//! always be taken down.

use alloc::format;
use alloc::string::String;
use std::env;
use std::process::Command;

use super::super::mutations::{FORLOOP_MUTATION, Mutation};

fn finds(bug: Mutation, test: &str, complaint: &str) {
    is_found_by(bug, &format!("engine::model::{test}"), complaint);
}

pub(crate) fn is_found_by(bug: Mutation, test: &str, complaint: &str) {
    let mut command = Command::new(env::current_exe().unwrap());
    let output =
        command.args(["--exact", test]).env(FORLOOP_MUTATION, format!("{bug:?}")).output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    assert!(said.contains("running 1 test\n"), "there is no {test}: {said}");
    assert!(!output.status.success(), "{bug:?} was not found by {test}");
    assert!(said.contains(complaint), "{bug:?} has {test} fail otherwise: {said}");
}

const LOST: &str = "deadlock";
/// The list goes round in one.
const CIRCLE: &str = "maximum number of branches";
const RACE: &str = "Causality violation";

#[test]
fn it_finds_a_word_that_is_cleared_before_the_next_group_is_read() {
    let test = "a_group_that_is_listed_anew_while_the_list_is_read_loses_no_wake";
    finds(Mutation::ClearsBeforeNext, test, LOST);
}

#[test]
fn it_finds_a_word_that_is_taken_without_what_was_done_before_it_was_set() {
    let test = "what_was_done_before_a_wake_is_seen_by_who_takes_it";
    finds(Mutation::TakesUnseen, test, RACE);
}

#[test]
fn it_finds_a_sleep_without_a_look_at_the_list() {
    finds(Mutation::SleepsUnseeing, "wakes_of_one_group_from_two_threads_are_all_seen", LOST);
}

#[test]
fn it_finds_a_sleep_without_a_look_at_the_list_of_this_thread() {
    let test = "a_loop_that_was_woken_from_within_does_not_sleep";
    finds(Mutation::SleepsUnseeingHere, test, LOST);
}

#[test]
fn it_finds_a_loop_that_sleeps_before_it_says_whom_to_wake() {
    finds(Mutation::RegistersLate, "wakes_of_one_group_from_two_threads_are_all_seen", LOST);
}

#[test]
fn it_finds_a_wake_that_leaves_the_loop_asleep() {
    finds(Mutation::WakesNobody, "wakes_of_one_group_from_two_threads_are_all_seen", LOST);
}

#[test]
fn it_finds_a_forgotten_wake_that_has_its_group_listed_twice() {
    finds(Mutation::ForgetsListed, "a_wake_that_is_forgotten_loses_no_other", CIRCLE);
}

#[test]
fn it_finds_a_thread_that_takes_the_way_of_the_one_that_polls() {
    let test = "a_slot_may_be_woken_from_within_and_elsewhere_at_once";
    finds(Mutation::WakesHereFromElsewhere, test, RACE);
}

#[test]
fn it_finds_two_homes_of_one_loop() {
    finds(Mutation::MakesSharedTwice, "what_wakers_point_to_is_made_once", "both are of one slot");
}

#[test]
fn it_finds_memory_that_is_freed_without_what_others_did_with_it() {
    finds(Mutation::FreesUnseen, "wakers_beside_the_end_of_the_loop_free_it_once", RACE);
}

#[test]
fn it_finds_a_holder_that_lets_go_without_showing_what_it_did() {
    finds(Mutation::LetsGoUnshown, "wakers_beside_the_end_of_the_loop_free_it_once", RACE);
}
