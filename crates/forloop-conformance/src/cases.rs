//! The one list of rows: of what module, on which backends, and for which ids of the table.

/// A row: a promise, as a test that is generic over the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// The module of [`laws`](crate::laws) that it is in.
    pub module: &'static str,
    /// The name of the function: the promise.
    pub name: &'static str,
    /// Which rows and laws of [the table](crate::table) it proves: `GAT-1`, `law 6`.
    pub ids: &'static [&'static str],
    /// Where it holds.
    pub on: Backends,
}

/// The backends that a row holds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backends {
    /// All of them.
    Both,
    /// Those whose bodies are tasks.
    Spawned,
    /// The caller's own task.
    Inline,
}

/// Gives the list to a macro of this crate, behind what else is given.
#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ($then:ident $($with:ident)*) => {
        $crate::$then! {
            $($with)*
            as_completed {
                both results_come_in_completion_order_each_once: "ASC-1";
                both a_failing_body_is_an_item_and_does_not_end_the_iteration: "ASC-2";
                both leaving_early_stops_the_unfinished: "ASC-3";
                both bodies_go_on_while_a_step_awaits: "ASC-5";
                both bodies_go_on_while_a_consumer_awaits: "ASC-5";
                both a_consumer_that_returns_early_stops_the_bodies: "ASC-3";
                both a_step_that_fails_stops_the_bodies: "ASC-3";
                both a_feed_that_outlives_its_loop_ends: "law 5";
                both tasks_that_ended_while_the_loop_was_busy_come_in_the_order_of_their_ends: "ASC-1";
                both a_feed_on_another_thread_gets_every_result: "law 3";
                both a_feed_hears_of_the_end_of_a_loop_that_is_kept: "law 5";
                both a_pause_of_the_consumer_does_not_change_the_order_of_ends: "ASC-1";
            }
            bounded {
                both never_more_than_limit_bodies_are_in_flight: "BND-1";
                both a_free_slot_is_filled_at_once: "BND-2";
                both the_input_is_pulled_only_for_a_free_slot: "BND-4";
                both the_ordered_stream_counts_what_waits_for_its_turn: "BND-4", "law 7";
                both at_most_limit_bodies_exist: "BND-5";
                both the_ordered_stream_is_in_input_order_and_the_other_in_completion_order: "BND-6";
                both after_an_error_nothing_more_is_called_or_pulled: "BND-7";
                both a_stream_is_polled_only_for_a_free_slot: "BND-8";
                both a_limit_of_zero_is_an_error_before_anything_runs: "BND-3";
                both limit_one_is_the_sequential_loop_in_every_strategy: "law 8";
            }
            cancel {
                both a_dropped_loop_stops_every_body_and_drops_its_source: "CAN-1";
                both a_loop_dropped_before_its_first_poll_calls_nothing: "law 11";
                both everything_is_dropped_exactly_once: "CAN-5";
                both every_strategy_that_is_dropped_stops_its_bodies_and_drops_its_source: "CAN-1";
                both a_loop_that_is_forgotten_does_no_harm: "law 12";
            }
            collect {
                both any_collection_is_made_in_input_order: "COL-1";
                both a_collection_of_bodies_that_may_fail_stops_at_the_first_failure: "COL-1";
                both what_was_ready_is_collected_when_the_loop_is_cut_short: "COL-1";
                both a_collection_is_extended_as_the_bodies_finish: "COL-2";
                both what_was_put_in_stays_when_the_loop_is_cut_short_or_dropped: "COL-2";
                both a_collections_panic_goes_on_after_the_bodies_have_stopped: "COL-2", "law 1";
            }
            cooperative {
                in_task a_loop_of_restless_bodies_gives_way: "law 9";
                in_task a_restless_consumer_beside_restless_bodies_gives_way: "law 9";
                in_task bodies_that_are_ready_at_once_give_way: "law 9";
                in_task a_body_that_waits_is_not_starved_by_a_source_that_never_does: "law 9";
                in_task a_body_is_polled_once_per_wake: "law 9";
                in_task a_wake_of_a_body_that_has_ended_polls_no_other: "law 9";
                in_task a_consumer_of_many_results_gives_way: "law 9";
            }
            finish {
                both what_runs_is_finished_and_nothing_new_begins: "OPT-10";
                both a_loop_that_waits_for_its_source_finishes_when_it_is_asked_to: "OPT-10", "law 5";
                both items_whose_destructors_panic_do_not_keep_a_loop_from_its_end: "OPT-7", "law 1";
                both a_loop_that_finishes_can_still_be_cancelled: "OPT-10";
                both items_that_wait_have_their_ends_when_a_loop_is_asked_to_finish: "OPT-10";
                both a_loop_stops_at_an_output_that_is_enough: "OPT-2";
                both a_predicates_panic_goes_on_after_the_bodies_have_stopped: "OPT-2", "law 1";
                both a_loop_stops_when_it_has_seen_enough: "OPT-2";
                both enough_is_said_once_and_a_loop_that_had_to_finish_says_so: "OPT-2", "OPT-10";
                both observers_hear_of_every_item_in_order: "OPT-11";
                both observers_hear_the_end_of_those_that_were_stopped: "OPT-11";
            }
            filter_map {
                both items_that_are_left_out_are_missing_and_the_others_in_input_order: "OPT-5";
                both a_failure_among_what_is_left_out_stops_the_loop: "OPT-5";
                both what_was_kept_by_the_end_of_a_loop_cut_short_is_told_with_its_indices: "OPT-5";
            }
            first_ok {
                both the_first_so_many_successes_are_returned_in_the_order_of_time: "OPT-3";
                both fewer_successes_than_wanted_are_an_error_with_every_failure: "OPT-3", "law 2";
                both fewer_items_than_wanted_are_an_error_that_says_so: "OPT-3";
                both none_wanted_pulls_nothing_and_calls_nothing: "OPT-3", "law 5";
                both a_loop_cut_short_before_so_many_succeeded_says_so: "OPT-3", "law 2";
            }
            fold {
                both each_output_is_put_in_once_in_completion_order_with_its_index: "FLD-1";
                both of_many_items_no_more_than_the_limit_are_there_at_once: "FLD-1", "law 6";
                both a_shared_counter_loses_what_a_fold_keeps: "FLD-1";
                both the_first_failure_stops_the_fold_and_nothing_is_put_in_after_it: "FLD-2";
                both a_fold_has_a_place_for_a_body_without_time: "FLD-3";
                both a_fold_that_is_cut_short_tells_the_value_so_far: "FLD-3";
                both a_folds_panic_goes_on_after_the_bodies_have_stopped: "FLD-4", "law 1";
                both a_folds_panic_is_shown_before_those_that_come_of_it: "FLD-4", "law 2";
            }
            gather {
                both all_bodies_run_at_once: "GAT-1";
                both outputs_come_back_in_input_order: "GAT-2";
                both every_item_is_taken_once_and_its_body_called_once_in_input_order: "GAT-3";
                both the_error_returned_is_the_first_in_time: "GAT-4";
                both after_an_error_no_sibling_is_left: "GAT-5";
                both every_real_failure_is_in_the_error: "GAT-5", "law 2";
                both a_settled_loop_returns_every_outcome_in_input_order: "GAT-6";
            }
            group {
                both a_group_returns_its_bodys_value_after_all_children: "GRP-1";
                both a_child_may_spawn_into_its_group_after_the_body_has_returned: "GRP-2";
                both a_childs_error_stops_the_siblings_and_the_body: "GRP-3";
                both the_error_holds_every_failure_and_no_cancelled_child: "GRP-4";
                both a_bodys_error_stops_the_children_before_it_is_returned: "GRP-5";
                both a_closed_group_refuses_a_child_and_drops_it_unpolled: "GRP-6";
                both an_error_is_not_lost_when_nobody_awaits_the_child: "GRP-7";
                both a_cancelled_group_stops_its_body_and_its_children: "GRP-8";
                both a_group_cancelled_by_a_child_after_its_body_returns_the_value: "GRP-8";
                both a_group_cancelled_before_the_first_child_takes_none: "GRP-8";
                both a_cancelled_child_is_no_failure: "LST-4";
                both a_childs_value_can_be_awaited: "GRP-1";
                both a_group_that_is_dropped_stops_everything: "CAN-1";
                both a_group_that_is_never_polled_calls_nothing: "law 11";
                both a_busy_body_starves_no_child: "law 9";
                both endless_children_starve_no_body: "GRP-8";
                both the_body_does_not_go_on_past_its_await_on_a_failed_child: "GRP-3";
                both a_child_whose_destructor_panics_leaves_nobody_waiting: "law 5";
                both a_sibling_that_waits_for_another_does_not_go_on_when_both_are_stopped: "GRP-4";
                both a_restless_sibling_sees_no_other_that_was_stopped_or_has_failed: "GRP-4";
                both failures_that_a_group_has_not_seen_yet_are_in_its_error_too: "GRP-4";
                both a_group_that_is_stopping_refuses_a_child_and_drops_it_unpolled: "GRP-6";
            }
            interrupt {
                both a_token_cancelled_before_keeps_every_strategy_from_beginning: "CAN-2";
                both a_cancelled_loop_has_stopped_and_tells_what_was_ready: "CAN-3";
                both a_signal_at_its_time_ends_the_loop_at_that_time: "CAN-3";
                both a_token_cancelled_on_another_thread_ends_a_loop_that_waits: "CAN-3";
                both any_future_is_a_signal_and_the_first_of_several_counts: "CAN-3";
                both a_body_may_see_the_token: "CAN-3";
                both a_loop_whose_work_is_done_is_not_cancelled: "CAN-3";
                both a_deadline_is_neither_a_cancellation_nor_an_error_of_a_body: "TMO-1";
                both an_error_before_the_deadline_is_what_the_loop_returns: "TMO-1";
                both a_deadline_may_be_zero_or_for_ever: "TMO-1";
                both what_was_ready_by_the_deadline_comes_in_input_order: "TMO-3";
                both a_deadline_is_the_last_item_and_tells_what_is_pending: "ASC-4";
                both a_consumer_hears_of_the_deadline_once_and_goes_on: "ASC-4";
                both what_was_woken_by_the_deadline_has_its_turn: "law 2";
                both cancelling_many_bodies_leaves_none: "law 1", "law 6";
                both nothing_begins_once_the_token_is_cancelled: "CAN-3", "law 7";
                both a_deadline_comes_through_a_crowd_of_busy_bodies: "TMO-1", "law 9";
                both a_body_that_ends_as_it_is_asked_to_stop_keeps_its_value: "law 2";
                both nothing_is_pulled_once_a_woken_body_has_cancelled: "CAN-3", "law 7";
            }
            large {
                both a_hundred_thousand_items_come_back_in_order: "BIG-1";
                both a_hundred_thousand_children_are_forgotten_as_they_end: "BIG-2";
                both stopping_a_hundred_thousand_bodies_is_linear: "law 6";
                both of_a_million_items_no_more_than_the_limit_are_there_at_once: "BIG-2";
            }
            nested_tasks {
                spawned cancelling_a_task_waits_for_the_loop_that_ran_in_it: "law 1";
                spawned a_failure_waits_for_the_loops_that_ran_in_the_siblings: "GAT-5";
                spawned a_group_waits_for_the_groups_that_ran_in_its_children: "NST-2";
                spawned a_consumer_that_is_dropped_leaves_no_task_behind: "law 1";
                spawned a_task_that_holds_its_own_handle_ends: "law 5";
                spawned a_loop_that_is_dropped_outside_every_task_asks_its_tasks_to_stop: "law 1";
            }
            nesting {
                both limits_multiply_and_an_inner_loop_takes_no_slot_of_the_outer: "NST-1";
                spawned limits_multiply_where_tasks_start_tasks: "NST-1";
                both an_inner_groups_error_is_an_error_of_the_outer_one: "NST-2";
                both an_inner_groups_error_stops_the_siblings_in_the_outer_one: "NST-2";
            }
            odd {
                both an_empty_input_is_over_at_the_first_poll: "EMP-1";
                both a_wrong_size_hint_does_no_harm: "law 5";
                in_task bodies_are_first_polled_in_input_order_and_ready_ones_come_in_input_order: "ORD-1";
                in_task of_failures_at_one_time_the_one_with_the_lower_index_wins: "law 4";
                in_task in_task_bodies_borrow_need_not_be_send_and_need_no_runtime: "RTN-1", "RTN-2";
                in_task every_strategy_needs_no_runtime: "RTN-1";
            }
            paced {
                both bodies_begin_evenly_apart: "OPT-1";
                both two_starts_are_never_nearer_than_the_rate_says: "OPT-1";
                both a_burst_may_begin_at_once: "OPT-1";
                both a_rate_that_is_none_is_refused: "OPT-1";
                both the_next_begins_after_the_delay_or_when_the_one_before_it_has_failed: "OPT-4";
                both in_a_staggered_race_those_not_needed_are_never_called: "OPT-4", "OPT-3";
                both never_more_bodies_of_one_key_run_than_its_limit: "OPT-8";
                both a_key_without_room_holds_up_no_other: "OPT-8", "law 7";
                both items_are_pulled_ahead_up_to_the_limit: "OPT-8", "law 6";
                both limits_by_two_keys_hold_together: "OPT-8";
                both a_limit_of_zero_for_each_key_is_an_error: "OPT-8";
                both never_more_weight_runs_than_the_limit: "OPT-9";
                both a_heavy_item_is_not_overtaken_and_one_too_heavy_runs_alone: "OPT-9";
                both the_item_that_ordered_results_wait_for_gets_a_place: "OPT-8", "OPT-9", "law 5";
                both paced_loops_stream_their_results: "OPT-1", "OPT-8", "OPT-9";
            }
            panics {
                both a_bodys_panic_goes_on_in_the_caller_after_the_siblings_have_stopped: "PAN-1", "PAN-2";
                both a_panic_is_shown_before_an_error: "law 2";
                both a_panic_that_is_caught_is_one_outcome_among_the_others: "PAN-3";
                both a_sources_panic_goes_on_after_the_bodies_have_stopped: "law 5";
                both a_closures_panic_goes_on_after_the_bodies_have_stopped: "law 5";
                both a_steps_panic_goes_on_after_the_bodies_have_stopped: "law 1";
                both a_childs_panic_goes_on_after_the_group_has_stopped: "PAN-2";
                in_task a_loop_whose_bodies_all_panic_when_dropped_can_be_dropped: "law 1";
                both a_bodys_panic_goes_on_whatever_the_strategy: "PAN-1", "PAN-2";
                both a_signals_panic_goes_on_after_the_bodies_have_stopped: "law 5";
                both a_panic_is_shown_before_those_that_come_of_it: "law 2", "law 5";
                both two_panics_at_one_time_are_one_panic_in_the_caller: "PAN-1", "law 5";
                both bodies_that_panic_when_they_are_stopped_are_all_stopped: "CAN-1", "PAN-2";
                in_task a_waker_that_panics_loses_no_wake: "law 5";
            }
            race {
                both the_first_success_wins_and_stops_the_others: "OPT-3";
                both when_none_succeeds_every_error_is_returned_the_first_in_time_first: "OPT-3";
                both one_after_another_the_first_success_ends_the_search: "OPT-3";
                both of_two_at_one_time_exactly_one_wins: "OPT-3";
                both a_race_ends_with_the_first_to_finish_whatever_it_gives: "OPT-3";
                both an_empty_race_has_no_winner: "EMP-1", "OPT-3";
                both a_race_without_time_tells_so: "OPT-3", "law 2";
                both a_race_that_is_cut_short_tells_who_had_failed_and_that_it_was_cut: "OPT-3", "law 2";
            }
            random {
                both random_loops_keep_every_promise: "law 1", "law 2", "law 3", "law 4", "law 6", "law 7", "law 8", "law 10";
            }
            random_options {
                both random_options_give_each_item_one_true_end: "law 1", "law 2", "law 3", "law 5", "law 6";
            }
            random_paced {
                both random_rules_hold_together_and_give_each_item_one_end: "OPT-1", "OPT-2", "OPT-4", "OPT-7", "OPT-8", "OPT-9", "OPT-10", "OPT-11", "law 2", "law 3", "law 5", "law 6";
            }
            retry {
                both a_body_is_called_again_until_it_succeeds_or_the_back_off_ends: "OPT-7";
                both every_strategy_sees_only_the_last_attempt: "OPT-7";
                both the_last_failure_says_how_many_attempts_there_were: "OPT-7";
                both only_errors_that_are_transient_are_tried_again: "OPT-7";
                both a_back_off_that_never_ends_ends_in_that_items_outcome: "OPT-7";
                both attempts_are_as_far_apart_as_the_back_off_says: "OPT-7";
                both an_item_keeps_its_place_while_it_waits: "OPT-7", "law 6";
                both each_attempt_has_its_own_time: "OPT-7", "TMO-1";
                both an_attempt_is_not_stopped_at_the_time_of_the_one_before: "OPT-7", "TMO-1";
                both no_attempt_begins_too_late_for_a_rate: "OPT-1", "OPT-7";
                both no_attempt_begins_later_than_it_may: "OPT-7";
                both panics_that_are_caught_are_not_tried_again: "OPT-7";
                both no_failure_is_lost_when_the_loop_stops_between_two_attempts: "OPT-7", "law 2";
                both a_loop_dropped_between_two_attempts_keeps_nothing: "OPT-7", "CAN-1";
            }
            sequential {
                both each_body_begins_when_the_one_before_it_has_finished: "SEQ-1";
                both the_first_error_ends_the_loop_and_the_input_is_not_asked_again: "SEQ-2";
            }
            source {
                both an_error_of_the_source_stops_the_bodies_and_is_no_bodys: "BND-9";
                both what_was_ready_when_the_source_failed_is_told: "BND-9";
                both an_error_of_a_stream_stops_the_bodies_that_run: "BND-9";
                both a_bodys_error_is_not_the_sources: "BND-9";
                both a_source_that_does_not_fail_changes_nothing: "BND-9";
                both an_error_in_the_place_of_the_last_item_is_told: "BND-9";
            }
            standstill {
                both a_step_that_wants_what_a_body_holds_gets_it: "law 9";
                in_task a_plain_loop_over_the_results_stands_still: "law 9";
            }
            start {
                both a_child_that_said_it_is_ready_is_one_like_any_other: "OPT-6";
                both a_failure_before_readiness_is_the_starters_and_no_groups: "OPT-6";
                both a_failure_behind_readiness_is_the_groups: "OPT-6";
                both a_panic_before_readiness_goes_on_in_the_starter: "OPT-6", "PAN-1";
                both a_child_without_a_word_is_an_error: "OPT-6", "law 5";
                both a_child_that_will_never_be_ready_is_stopped: "OPT-6", "law 5";
                both a_dropped_start_stops_its_child_and_fails_no_group: "OPT-6", "law 1";
                both a_start_that_is_never_polled_calls_nothing: "OPT-6", "law 11";
                both a_closed_group_starts_nothing: "OPT-6", "GRP-6";
                both a_group_that_is_cancelled_stops_a_child_that_is_not_ready: "OPT-6", "GRP-8";
                both a_group_waits_for_a_child_that_is_not_ready: "OPT-6", "GRP-2";
                both a_sibling_that_starts_another_does_not_go_on_when_both_are_stopped: "OPT-6", "GRP-4";
                spawned a_word_from_another_thread_is_heard: "OPT-6";
            }
            strategies {
                spawned every_strategy_on_workers_stops_at_the_completion_that_decides: "WRK-3";
                spawned every_strategy_on_workers_returns_failures_in_completion_order: "WRK-3";
                in_task every_strategy_says_which_outputs_are_failures: "OPT-2";
            }
            supervised {
                both a_supervised_childs_error_stops_nobody_and_is_told: "GRP-9";
                both a_supervised_bodys_own_error_stops_the_children: "GRP-9";
                both a_groups_deadline_stops_body_and_children: "TMO-1";
                both a_group_that_ends_before_its_deadline_returns_its_value: "TMO-1";
                both a_group_with_a_cancelled_token_never_calls_its_body: "CAN-2";
                both a_cancelled_group_has_stopped_and_says_so: "CAN-3", "CAN-4";
                both a_group_whose_work_is_done_by_its_deadline_keeps_its_ends: "TMO-1", "law 2";
            }
            task_list {
                spawned building_the_list_starts_every_task: "LST-1";
                spawned awaiting_in_order_gives_outputs_in_input_order_and_each_error_when_asked: "LST-2";
                spawned dropping_the_rest_of_the_list_stops_it: "LST-3";
                spawned cancelling_one_task_is_seen_by_its_handle_alone: "LST-4";
                spawned cancel_waits_until_the_destructors_have_run: "CAN-4";
                spawned cancel_gives_the_value_of_a_task_that_had_finished: "law 2";
                spawned a_detached_task_goes_on: "law 10";
                spawned a_panic_goes_on_in_whoever_awaits: "PAN-1";
                spawned a_task_dropped_at_once_is_gone_soon: "law 1";
                in_task children_awaited_in_order_give_each_error_when_asked: "LST-2";
            }
            timeout {
                both a_body_without_time_is_one_outcome_among_the_others: "TMO-2";
                both bodies_end_at_their_time_and_the_next_take_their_places: "TMO-2";
                both a_body_ends_at_its_time_while_a_step_awaits: "TMO-2";
                both a_loop_that_stops_at_failures_stops_at_a_body_without_time: "TMO-2", "law 2";
                both a_timeout_may_be_zero_or_for_ever: "TMO-2", "law 5";
                both many_short_times_lose_and_double_nothing: "law 2";
                both a_timeout_comes_through_a_crowd_of_busy_bodies: "TMO-2", "law 9";
                both a_body_without_time_whose_destructor_panics_ends_the_loop: "PAN-1", "TMO-2";
                spawned a_body_without_time_keeps_its_place_until_its_tasks_have_stopped: "TMO-2", "law 8";
                in_task a_time_is_over_when_the_clock_says_so_however_late_the_timer: "TMO-2";
                both a_body_that_was_ready_in_time_keeps_its_value_when_nobody_looked: "TMO-2", "law 2";
            }
            times {
                both bodies_of_one_two_and_three_seconds_take_six: "SEQ-1";
                both ten_bodies_of_a_second_take_one: "GAT-1";
                both the_first_error_in_time_ends_the_loop_at_its_time: "GAT-4";
                both a_timeout_splits_at_its_time: "WAIT-4";
                both the_time_of_a_sleep_counts_from_its_call: "WAIT-4";
                both bodies_end_on_time_while_a_step_takes_longer: "ASC-5";
                spawned tasks_go_on_while_nobody_asks_for_their_results: "ASC-5";
                spawned five_tasks_awaited_in_turn_take_as_long_as_one: "LST-1";
                both a_free_slot_is_filled_at_the_time_it_is_free: "BND-2";
                both durations_change_the_order_of_the_unordered_stream_alone: "BND-6", "law 7";
            }
            token {
                both a_token_is_heard_by_every_clone_and_child: "CAN-3";
                both a_child_is_cancelled_without_its_parent: "CAN-3";
                both a_wait_for_a_token_that_is_dropped_or_forgotten_does_no_harm: "CAN-3", "law 12";
                spawned no_wait_misses_a_cancellation_on_another_thread: "CAN-3";
                both a_long_line_of_descent_is_no_deep_stack: "law 5";
            }
            wait {
                both waiting_for_all_ends_when_all_have_settled: "WAIT-1";
                both waiting_for_the_first_leaves_the_others_running: "WAIT-2";
                both waiting_for_a_failure_ends_at_the_first: "WAIT-3";
                both waiting_for_a_failure_that_never_comes_is_waiting_for_all: "WAIT-3";
                both a_timeout_splits_and_loses_nothing: "WAIT-4";
                both a_dropped_wait_leaves_every_body_running_and_owned: "WAIT-5";
                both waiting_on_an_empty_set_is_over_at_once: "WAIT-6";
                both a_timeout_of_zero_gives_what_is_ready: "WAIT-4", "law 5";
                both waiting_for_many_that_depend_on_each_other_ends: "law 5";
                both a_dropped_set_stops_its_bodies: "LST-3";
                in_task futures_put_in_later_have_the_next_indices: "WAIT-1";
                spawned tasks_put_in_later_have_the_next_indices: "WAIT-1";
            }
            with_item {
                both a_failure_carries_the_item_that_its_body_was_called_with: "ITM-1";
            }
            workers {
                spawned each_item_is_pulled_and_its_body_called_once_and_in_input_order: "WRK-1";
                spawned every_strategy_gives_what_it_gives_elsewhere: "WRK-1";
                spawned as_many_bodies_run_as_the_limit_says: "WRK-2";
                spawned results_that_nobody_takes_hold_their_places: "WRK-2";
                spawned what_was_not_folded_yet_holds_its_place: "WRK-2";
                spawned the_first_failure_stops_everything: "WRK-3";
                spawned failures_come_in_the_order_of_time: "WRK-3";
                spawned a_panic_goes_on_when_all_have_stopped: "WRK-4";
                spawned panics_that_are_caught_are_outcomes: "WRK-4";
                spawned panics_of_destructors_do_not_keep_the_loop_from_its_end: "WRK-4";
                spawned a_loop_that_is_cut_short_tells_what_became_of_each_item: "WRK-5";
                spawned a_deadline_cuts_the_loop_short: "WRK-5";
                spawned what_is_dropped_is_gone_soon: "WRK-6";
                spawned a_loop_that_is_never_polled_calls_nothing: "WRK-6";
                spawned a_source_that_waits_is_waited_for: "WRK-7";
                spawned odd_sources_do_no_harm: "WRK-8";
                spawned options_that_see_each_body_begin_hold: "WRK-9";
                spawned loops_on_workers_nest: "WRK-10";
                spawned many_small_loops_lose_and_double_nothing: "WRK-11";
            }
        }
    };
}

/// Gives to a macro of this crate the rows that are also compiled for the type of each backend: what its
/// types can break. Loops whose bodies, values and clocks are those of the runtime itself, tasks that start
/// tasks, groups, worker pools, and the ends of all these.
#[doc(hidden)]
#[macro_export]
macro_rules! __typed_rows {
    ($then:ident $($with:ident)*) => {
        $crate::$then! {
            $($with)*
            as_completed { results_come_in_completion_order_each_once; }
            bounded {
                the_ordered_stream_is_in_input_order_and_the_other_in_completion_order;
            }
            gather {
                all_bodies_run_at_once;
                after_an_error_no_sibling_is_left;
                a_settled_loop_returns_every_outcome_in_input_order;
            }
            group { a_childs_error_stops_the_siblings_and_the_body; }
            interrupt { what_was_ready_by_the_deadline_comes_in_input_order; }
            nesting { limits_multiply_where_tasks_start_tasks; }
            panics { a_bodys_panic_goes_on_in_the_caller_after_the_siblings_have_stopped; }
            start { a_child_that_said_it_is_ready_is_one_like_any_other; }
            task_list { cancel_waits_until_the_destructors_have_run; }
            timeout { a_body_without_time_is_one_outcome_among_the_others; }
            wait { a_timeout_splits_and_loses_nothing; }
            workers { every_strategy_gives_what_it_gives_elsewhere; }
        }
    };
}

/// Makes the list a value.
#[doc(hidden)]
#[macro_export]
macro_rules! __row_list {
    ($($module:ident { $($on:ident $name:ident: $($id:literal),+;)* })*) => {
        /// Every row there is.
        pub const CASES: &[Case] = &[$($(Case {
            module: stringify!($module),
            name: stringify!($name),
            ids: &[$($id),+],
            on: $crate::__row_list!(@$on),
        }),*),*];
    };
    (@both) => { Backends::Both };
    (@spawned) => { Backends::Spawned };
    (@in_task) => { Backends::Inline };
}

__cases! { __row_list }
