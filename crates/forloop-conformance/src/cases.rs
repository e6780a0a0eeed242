//! The list of cases: the module and name of each law, its backends, and the ids of the table that it proves.

/// A test case: a law, and the ids of the table that it proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// The module of [`laws`](crate::laws) that contains the function.
    pub module: &'static str,
    /// The name of the function, which is the promise.
    pub name: &'static str,
    /// The ids of [the table](crate::table) that it proves, such as `GAT-1` or `law 6`.
    pub ids: &'static [&'static str],
    /// The backends on which it holds.
    pub on: Backends,
}

/// The backends on which a case holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backends {
    /// All backends.
    Both,
    /// Backends whose bodies are tasks.
    Spawned,
    /// The caller's task.
    Inline,
}

/// Passes the list to a macro of this crate, after the other arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ($then:ident $($with:ident)*) => {
        $crate::$then! {
            $($with)*
            as_completed {
                both results_are_yielded_once_each_in_completion_order: "ASC-1";
                both a_failure_is_yielded_and_does_not_stop_the_iteration: "ASC-2";
                both dropping_the_stream_stops_the_running_bodies: "ASC-3";
                both bodies_make_progress_while_a_step_awaits: "ASC-5";
                both bodies_make_progress_while_a_consumer_awaits: "ASC-5";
                both a_consumer_that_returns_early_stops_the_bodies: "ASC-3";
                both a_failed_step_stops_the_bodies: "ASC-3";
                both a_receiver_that_outlives_its_loop_is_closed: "law 5";
                both results_between_two_polls_are_yielded_in_completion_order: "ASC-1";
                both a_receiver_on_another_thread_receives_every_result: "law 3";
                both a_receiver_is_closed_when_its_loop_returns: "law 5";
                both a_paused_consumer_does_not_change_the_completion_order: "ASC-1";
            }
            bounded {
                both at_most_limit_bodies_are_in_flight: "BND-1";
                both a_free_permit_starts_the_next_body_at_once: "BND-2";
                both the_source_is_pulled_only_for_a_free_permit: "BND-4";
                both a_result_that_is_not_taken_keeps_its_permit: "BND-4";
                both a_result_that_the_ordered_stream_buffers_keeps_its_permit: "BND-4", "law 7";
                both at_most_limit_bodies_exist: "BND-5";
                both the_ordered_stream_keeps_input_order_and_the_unordered_one_completion_order: "BND-6";
                both after_an_error_no_item_is_pulled_and_no_body_is_called: "BND-7";
                both a_stream_is_polled_only_for_a_free_permit: "BND-8";
                both a_limit_of_zero_is_an_error_before_anything_runs: "BND-3";
                both a_constant_limit_bounds_the_bodies: "BND-3";
                both limit_one_is_the_sequential_loop_in_every_strategy: "law 8";
            }
            cancel {
                both a_dropped_loop_stops_every_body_and_drops_its_source: "CAN-1";
                both a_loop_that_is_never_polled_calls_nothing: "law 11";
                both everything_is_dropped_exactly_once: "CAN-5";
                both every_strategy_that_is_dropped_stops_its_bodies_and_drops_its_source: "CAN-1";
                both a_forgotten_loop_is_sound: "law 12";
            }
            collect {
                both collect_fills_any_collection_in_input_order: "COL-1";
                both try_collect_stops_at_the_first_failure: "COL-1";
                both an_interrupted_collect_returns_the_outputs_so_far: "COL-1";
                both extend_adds_outputs_in_completion_order: "COL-2";
                both an_interrupted_or_dropped_extend_keeps_the_outputs_so_far: "COL-2";
                both a_collections_panic_propagates_after_the_bodies_have_stopped: "COL-2", "law 1";
            }
            cooperative {
                in_task a_loop_of_busy_bodies_yields_to_the_executor: "law 9";
                in_task a_busy_consumer_beside_busy_bodies_yields_to_the_executor: "law 9";
                in_task a_loop_of_ready_bodies_yields_to_the_executor: "law 9";
                both the_loops_inside_a_body_share_its_turn: "law 9";
                in_task a_source_that_is_always_ready_does_not_starve_a_woken_body: "law 9";
                in_task a_body_is_polled_once_per_wake: "law 9";
                in_task a_wake_of_a_completed_body_polls_no_other_body: "law 9";
                in_task a_consumer_of_many_results_yields_to_the_executor: "law 9";
            }
            fairness {
                in_task no_body_uses_up_every_turn_of_its_loop: "law 9";
                in_task new_bodies_do_not_use_up_every_turn: "law 9";
                in_task no_nested_loop_uses_up_every_turn: "law 9";
                in_task no_future_uses_up_every_turn_of_its_set: "law 9";
                in_task no_part_of_a_group_uses_up_every_turn: "law 9";
                in_task neither_consumer_nor_bodies_use_up_every_turn: "law 9";
                in_task a_slow_source_delays_a_woken_body_by_one_item: "law 9";
            }
            finish {
                both draining_completes_the_running_bodies_and_starts_no_other: "OPT-10";
                both a_loop_that_waits_for_its_source_can_be_drained: "OPT-10", "law 5";
                both items_that_panic_when_dropped_do_not_hang_the_loop: "OPT-7", "law 1";
                both a_draining_loop_can_be_cancelled: "OPT-10";
                both draining_reports_queued_items_as_not_run_and_waiting_retries_as_failed: "OPT-10";
                both stop_on_output_stops_the_loop_at_a_matching_output: "OPT-2";
                both a_predicates_panic_propagates_after_the_bodies_have_stopped: "OPT-2", "law 1";
                both stop_on_counts_stops_the_loop_when_its_condition_is_met: "OPT-2";
                both a_met_condition_is_not_checked_again_and_a_drained_loop_reports_its_cause: "OPT-2", "OPT-10";
                both observers_receive_the_events_of_each_item_in_order: "OPT-11";
                both observers_receive_the_outcomes_of_stopped_and_unstarted_items: "OPT-11";
                both draining_beside_a_back_off_lets_the_running_bodies_complete: "OPT-10";
            }
            filter_map {
                both skipped_items_are_left_out_and_the_others_keep_input_order: "OPT-5";
                both a_failure_among_skipped_items_stops_the_loop: "OPT-5";
                both an_interrupted_filter_map_reports_the_kept_outputs_with_their_indices: "OPT-5";
            }
            first_ok {
                both the_first_n_successes_are_returned_in_completion_order: "OPT-3";
                both too_few_successes_are_an_error_with_every_failure: "OPT-3", "law 2";
                both too_few_items_are_an_error_with_both_counts: "OPT-3";
                both requiring_no_success_pulls_no_item_and_calls_no_body: "OPT-3", "law 5";
                both an_interrupted_first_ok_reports_the_failures_and_the_cause: "OPT-3", "law 2";
            }
            fold {
                both each_output_is_folded_once_in_completion_order_with_its_index: "FLD-1";
                both of_many_items_at_most_limit_exist_at_once: "FLD-1", "law 6";
                both a_fold_keeps_updates_that_a_shared_counter_loses: "FLD-1";
                both the_first_failure_stops_a_try_fold_and_no_output_is_folded_after_it: "FLD-2";
                both a_fold_receives_the_outcomes_of_timed_out_bodies: "FLD-3";
                both an_interrupted_fold_returns_the_value_so_far: "FLD-3";
                both a_folds_panic_propagates_after_the_bodies_have_stopped: "FLD-4", "law 1";
                both a_folds_panic_takes_precedence_over_those_of_destructors: "FLD-4", "law 2";
            }
            gather {
                both all_bodies_run_at_once: "GAT-1";
                both outputs_are_returned_in_input_order: "GAT-2";
                both each_item_is_pulled_once_and_its_body_called_once_in_input_order: "GAT-3";
                both the_earliest_error_is_returned: "GAT-4";
                both an_error_is_returned_after_the_siblings_have_stopped: "GAT-5";
                both the_error_contains_every_failure: "GAT-5", "law 2";
                in_task the_error_contains_every_failure_of_bodies_that_start_together: "GAT-5", "law 2";
                in_task the_error_contains_every_failure_of_one_instant: "GAT-5", "law 2";
                in_task after_a_failure_each_body_of_its_round_is_polled_once: "GAT-5";
                both settle_returns_every_outcome_in_input_order: "GAT-6";
            }
            group {
                both a_group_returns_its_bodys_value_after_all_children_have_completed: "GRP-1";
                both the_length_of_a_group_is_the_number_of_children_that_run: "GRP-1";
                both a_child_may_spawn_into_its_group_after_the_body_has_returned: "GRP-2";
                both a_childs_error_stops_the_siblings_and_the_body: "GRP-3";
                both the_error_contains_every_failure_and_no_cancelled_child: "GRP-4";
                both a_bodys_error_stops_the_children_before_it_is_returned: "GRP-5";
                both a_closed_group_refuses_a_child_and_drops_it_unpolled: "GRP-6";
                both the_error_of_a_child_that_is_not_awaited_is_returned: "GRP-7";
                both a_cancelled_group_stops_its_body_and_its_children: "GRP-8";
                both a_group_cancelled_after_its_body_has_returned_returns_the_value: "GRP-8";
                both a_group_cancelled_before_its_first_child_refuses_it: "GRP-8";
                both a_cancelled_child_is_not_a_failure: "LST-4";
                both a_childs_value_can_be_awaited: "GRP-1";
                both a_dropped_group_stops_its_body_and_its_children: "CAN-1";
                both a_group_that_is_never_polled_calls_nothing: "law 11";
                both a_busy_body_does_not_starve_its_children: "law 9";
                both endless_children_do_not_starve_the_body: "GRP-8";
                both the_body_does_not_resume_after_awaiting_a_failed_child: "GRP-3";
                both a_child_whose_destructor_panics_completes_its_handle: "law 5";
                both a_child_that_awaits_a_sibling_does_not_observe_its_cancellation: "GRP-4";
                both a_child_that_polls_a_sibling_does_not_observe_its_cancellation_or_failure: "GRP-4";
            }
            group_failures {
                both the_error_contains_every_failure_of_children_that_fail_together: "GRP-4", "law 2";
                both the_error_contains_failures_that_the_group_had_not_seen_yet: "GRP-4";
            }
            group_stop {
                both a_child_that_was_not_polled_when_its_group_stops_is_never_polled: "GRP-8", "law 11";
                both a_child_that_cancels_its_group_stops_at_its_next_await: "GRP-8";
                both the_body_does_not_observe_that_a_child_stops_with_the_group: "GRP-4";
                both a_stopping_group_refuses_a_child_and_drops_it_unpolled: "GRP-6";
            }
            interrupt {
                both a_token_cancelled_before_keeps_every_strategy_from_beginning: "CAN-2";
                both a_cancelled_loop_has_stopped_its_bodies_and_reports_the_outcomes: "CAN-3";
                both a_timer_as_the_signal_cancels_the_loop_when_it_fires: "CAN-3";
                both a_token_cancelled_on_another_thread_cancels_a_waiting_loop: "CAN-3";
                both any_future_is_a_signal_and_the_first_of_several_decides: "CAN-3";
                both a_body_may_await_the_token_and_complete: "CAN-3";
                both a_loop_whose_bodies_have_completed_is_not_cancelled: "CAN-3";
                both a_deadline_is_reported_as_a_timeout: "TMO-1";
                both an_error_before_the_deadline_is_returned: "TMO-1";
                both a_deadline_may_be_zero_or_infinite: "TMO-1";
                both outcomes_at_the_deadline_are_returned_in_input_order: "TMO-3";
                both a_deadline_is_the_last_item_of_a_stream_and_lists_the_pending_indices: "ASC-4";
                both a_consumer_receives_the_deadline_once_and_continues: "ASC-4";
                both a_body_woken_before_the_deadline_is_polled_once_more: "law 2";
                both cancelling_many_bodies_stops_them_all: "law 1", "law 6";
                both no_body_starts_after_the_token_is_cancelled: "CAN-3", "law 7";
                both a_deadline_fires_despite_busy_bodies: "TMO-1", "law 9";
                both a_body_that_completes_while_it_is_cancelled_keeps_its_value: "law 2";
                both no_item_is_pulled_after_a_body_cancels_the_loop: "CAN-3", "law 7";
            }
            large {
                both a_hundred_thousand_outputs_are_returned_in_order: "BIG-1";
                both a_group_runs_a_hundred_thousand_children: "BIG-2";
                both stopping_a_hundred_thousand_bodies_takes_linear_time: "law 6";
                both of_a_million_items_at_most_limit_exist_at_once: "BIG-2";
            }
            nested_tasks {
                spawned cancelling_a_task_waits_for_the_loop_inside_it: "law 1";
                spawned a_failure_waits_for_the_loops_inside_the_siblings: "GAT-5";
                spawned a_group_waits_for_the_groups_inside_its_children: "NST-2";
                spawned a_dropped_consumer_leaves_no_task_running: "law 1";
                spawned a_task_that_holds_its_own_handle_can_be_cancelled: "law 5";
                spawned a_loop_dropped_outside_its_runtime_cancels_its_tasks: "law 1";
                spawned cancelling_a_child_waits_for_the_loop_inside_it: "LST-4", "law 1";
                spawned a_cancelled_child_that_panics_when_dropped_leaves_no_task_running: "law 1", "law 5";
            }
            nesting {
                both nested_limits_multiply_and_an_inner_loop_takes_no_outer_permit: "NST-1";
                spawned nested_limits_multiply_when_tasks_spawn_tasks: "NST-1";
                both an_inner_groups_error_is_the_source_of_the_outer_error: "NST-2";
                both an_inner_groups_error_stops_the_siblings_in_the_outer_group: "NST-2";
            }
            odd {
                both an_empty_source_completes_on_the_first_poll: "EMP-1";
                both a_wrong_size_hint_is_harmless: "law 5";
                in_task bodies_are_first_polled_in_input_order_and_ready_outputs_keep_it: "ORD-1";
                in_task of_simultaneous_failures_the_one_with_the_lower_index_is_first: "law 4";
                in_task bodies_in_the_callers_task_may_borrow_and_need_not_be_send: "RTN-1", "RTN-2";
                in_task every_strategy_needs_no_runtime: "RTN-1";
                both a_source_that_says_it_is_empty_and_never_ends_is_interrupted: "law 5";
            }
            pacing {
                both a_rate_spaces_starts_evenly: "OPT-1";
                both a_late_start_does_not_shorten_the_next_interval: "OPT-1";
                both a_burst_starts_at_once: "OPT-1";
                both an_invalid_rate_is_an_error: "OPT-1";
                both a_staggered_body_starts_after_the_delay_or_the_previous_failure: "OPT-4";
                both a_staggered_race_calls_no_body_after_the_winner: "OPT-4", "OPT-3";
                both a_loop_whose_starts_are_delayed_ends_with_its_last_body: "OPT-1", "OPT-4", "law 7";
                both at_most_one_item_is_pulled_before_its_body_may_start: "OPT-1", "OPT-4", "law 7";
                both an_item_that_was_pulled_ahead_is_reported_when_its_loop_stops: "OPT-1", "OPT-10", "OPT-11", "law 2";
                both a_rate_is_kept_with_a_timer_that_ticks_seldom: "OPT-1";
                both a_long_pause_is_not_made_up: "OPT-1";
                both loops_that_share_a_rate_have_it_together: "OPT-1";
                both loops_that_share_a_rate_take_turns_when_their_timer_is_late: "OPT-1";
                both a_loop_that_stops_returns_its_slot_of_a_shared_rate: "OPT-1";
                both a_clone_of_a_loop_has_a_rate_of_its_own_or_shares_it: "OPT-1";
            }
            admission {
                both limit_by_bounds_the_running_bodies_of_each_key: "OPT-8";
                both a_key_at_its_limit_does_not_block_other_keys: "OPT-8", "law 7";
                both at_most_sixteen_times_limit_items_are_queued_for_their_key: "OPT-8", "law 6";
                both items_that_are_sorted_by_key_run_up_to_the_limit: "OPT-8", "law 7";
                both a_key_borrowed_from_its_item_bounds_the_running_bodies: "OPT-8";
                both two_limits_by_key_hold_together: "OPT-8";
                both a_limit_by_key_of_zero_is_an_error: "OPT-8";
                both weight_by_bounds_the_weight_of_the_running_bodies: "OPT-9";
                both a_heavy_item_is_not_overtaken_and_one_over_the_limit_runs_alone: "OPT-9";
                both the_next_item_of_an_ordered_stream_gets_a_permit: "OPT-8", "OPT-9", "law 5";
                both loops_with_admission_options_stream_their_results: "OPT-1", "OPT-8", "OPT-9";
                both loops_that_share_a_limit_run_no_more_bodies_together: "BND-1", "law 7";
                both loops_that_share_a_limit_take_turns: "BND-1";
                both a_loop_that_stops_returns_its_shared_permits: "BND-1", "law 7";
                both a_loop_that_waits_for_its_rate_holds_no_shared_permit: "OPT-1", "BND-1", "law 7";
            }
            panics {
                both a_bodys_panic_propagates_after_the_siblings_have_stopped: "PAN-1", "PAN-2";
                both a_panic_takes_precedence_over_an_error: "law 2";
                both a_caught_panic_is_the_outcome_of_its_item: "PAN-3";
                both a_sources_panic_propagates_after_the_bodies_have_stopped: "law 5";
                both a_closures_panic_propagates_after_the_bodies_have_stopped: "law 5";
                both a_steps_panic_propagates_after_the_bodies_have_stopped: "law 1";
                both a_childs_panic_propagates_after_the_group_has_stopped: "PAN-2";
                in_task a_loop_whose_bodies_all_panic_when_dropped_drops_them_all: "law 1";
                both a_bodys_panic_propagates_from_every_strategy: "PAN-1", "PAN-2";
                both a_signals_panic_propagates_after_the_bodies_have_stopped: "law 5";
                both a_bodys_panic_takes_precedence_over_those_of_destructors: "law 2", "law 5";
                both of_two_simultaneous_panics_one_propagates: "PAN-1", "law 5";
                both bodies_that_panic_when_stopped_are_all_stopped: "CAN-1", "PAN-2";
                in_task a_panicking_waker_loses_no_wake: "law 5";
                both payloads_that_panic_when_dropped_do_no_harm: "PAN-1", "PAN-2";
                both payloads_of_children_that_panic_when_dropped_do_no_harm: "PAN-2";
            }
            race {
                both the_first_success_wins_and_stops_the_others: "OPT-3";
                both without_a_success_every_error_is_returned_in_completion_order: "OPT-3";
                both a_sequential_race_stops_at_the_first_success: "OPT-3";
                both of_simultaneous_completions_exactly_one_wins: "OPT-3";
                both a_race_returns_the_first_completion_even_if_it_is_an_error: "OPT-3";
                both an_empty_race_is_an_error: "EMP-1", "OPT-3";
                both a_race_reports_the_bodies_that_timed_out: "OPT-3", "law 2";
                both an_interrupted_race_reports_the_failures_and_the_cause: "OPT-3", "law 2";
            }
            random {
                both random_loops_keep_every_promise: "law 1", "law 2", "law 3", "law 4", "law 6", "law 7", "law 8", "law 10";
            }
            random_options {
                both random_options_give_each_item_one_correct_outcome: "law 1", "law 2", "law 3", "law 5", "law 6";
            }
            random_admission {
                both random_rules_hold_together_and_give_each_item_one_outcome: "OPT-1", "OPT-2", "OPT-4", "OPT-7", "OPT-8", "OPT-9", "OPT-10", "OPT-11", "OPT-12", "law 2", "law 3", "law 5", "law 6";
            }
            retry {
                both a_failed_body_is_retried_until_it_succeeds_or_the_back_off_is_exhausted: "OPT-7";
                both every_strategy_sees_only_the_last_attempt: "OPT-7";
                both the_last_failure_has_the_number_of_attempts: "OPT-7";
                both only_transient_errors_are_retried: "OPT-7";
                both an_endless_back_off_stops_at_the_maximum_number_of_attempts: "OPT-7";
                both the_back_off_spaces_the_attempts: "OPT-7";
                both a_waiting_retry_keeps_its_permit: "OPT-7", "law 6";
                both each_attempt_has_its_own_timeout: "OPT-7", "TMO-1";
                both a_retry_is_not_stopped_by_the_timeout_of_the_previous_attempt: "OPT-7", "TMO-1";
                both no_retry_that_a_rate_delays_starts_after_its_time_limit: "OPT-1", "OPT-7";
                both no_retry_starts_after_its_time_limit: "OPT-7";
                both caught_panics_are_not_retried: "OPT-7";
                both no_failure_is_lost_when_the_loop_stops_during_a_back_off: "OPT-7", "law 2";
                both a_loop_dropped_during_a_back_off_drops_its_items: "OPT-7", "CAN-1";
                both a_time_out_is_retried_unless_the_loop_says_otherwise: "OPT-7";
                both the_delay_of_a_retry_may_follow_the_error: "OPT-7";
            }
            on_failure {
                both each_failure_is_passed_on_with_its_item_while_the_loop_runs: "OPT-12";
                both each_failed_attempt_is_passed_on_with_its_delay: "OPT-7", "OPT-12";
                both a_failure_without_a_next_attempt_is_passed_on_as_the_outcome: "OPT-7", "OPT-12", "law 2";
                both a_panic_is_passed_on_with_its_item_before_it_propagates: "OPT-12", "PAN-1";
            }
            sequential {
                both each_body_starts_after_the_previous_one_has_completed: "SEQ-1";
                both the_first_error_is_returned_and_no_further_item_is_pulled: "SEQ-2";
            }
            source {
                both a_source_error_stops_the_bodies_and_is_reported_as_the_sources: "BND-9";
                both outcomes_before_a_source_error_are_returned: "BND-9";
                both a_stream_error_stops_the_running_bodies: "BND-9";
                both a_bodys_error_is_not_reported_as_the_sources: "BND-9";
                both a_fallible_source_without_an_error_changes_no_output: "BND-9";
                both a_source_error_instead_of_the_last_item_is_returned: "BND-9";
            }
            chunks {
                both every_chunk_but_the_last_is_complete: "BND-11";
                both a_chunk_is_passed_on_after_its_time: "BND-11";
                both a_complete_chunk_does_not_wait: "BND-11";
                both a_source_error_comes_after_the_items_before_it: "BND-11";
            }
            work_queue {
                both a_queue_ends_when_no_item_is_left_and_no_body_runs: "BND-10";
                both an_item_of_a_queue_is_finished_after_its_last_attempt: "BND-10";
                both a_queue_whose_loop_has_stopped_rejects_items: "BND-10";
                both a_queue_takes_items_from_outside_until_it_is_closed: "BND-10";
            }
            deadlock {
                both a_step_that_awaits_a_lock_held_by_a_body_acquires_it: "law 9";
                in_task a_plain_loop_over_the_stream_deadlocks: "law 9";
            }
            start {
                both a_child_that_is_ready_is_a_child_like_any_other: "OPT-6";
                both a_failure_before_the_ready_signal_is_returned_by_start_alone: "OPT-6";
                both a_failure_after_the_ready_signal_fails_the_group: "OPT-6";
                both a_panic_before_the_ready_signal_propagates_from_start: "OPT-6", "PAN-1";
                both a_child_that_completes_without_a_ready_signal_is_an_error: "OPT-6", "law 5";
                both a_child_whose_ready_signal_is_dropped_is_stopped: "OPT-6", "law 5";
                both a_dropped_start_stops_its_child_and_does_not_fail_the_group: "OPT-6", "law 1";
                both a_start_that_is_never_polled_calls_nothing: "OPT-6", "law 11";
                both a_closed_group_starts_no_child: "OPT-6", "GRP-6";
                both a_cancelled_group_stops_a_child_that_is_not_ready: "OPT-6", "GRP-8";
                both a_group_waits_for_a_child_that_is_not_ready: "OPT-6", "GRP-2";
                both a_child_that_starts_a_sibling_does_not_observe_its_cancellation: "OPT-6", "GRP-4";
                spawned a_ready_signal_may_be_sent_from_another_thread: "OPT-6";
            }
            strategies {
                spawned every_strategy_on_workers_stops_at_the_completion_that_decides: "WRK-3";
                spawned every_strategy_on_workers_returns_failures_in_completion_order: "WRK-3";
                in_task every_strategy_says_which_outputs_are_failures: "OPT-2";
            }
            supervised {
                both a_supervised_childs_error_is_reported_and_stops_no_sibling: "GRP-9";
                both a_supervised_bodys_error_stops_the_children: "GRP-9";
                both a_groups_deadline_stops_the_body_and_the_children: "TMO-1";
                both a_group_that_completes_before_its_deadline_returns_its_value: "TMO-1";
                both a_group_with_a_cancelled_token_never_calls_its_body: "CAN-2";
                both a_cancelled_group_has_stopped_and_returns_cancelled: "CAN-3", "CAN-4";
                both a_group_keeps_the_results_that_were_ready_at_its_deadline: "TMO-1", "law 2";
            }
            task_list {
                spawned building_the_list_starts_every_task: "LST-1";
                spawned awaiting_in_order_returns_outputs_in_input_order_and_each_error_from_its_handle: "LST-2";
                spawned dropping_the_remaining_handles_stops_their_tasks: "LST-3";
                spawned cancelling_a_task_affects_only_its_own_handle: "LST-4";
                spawned a_cancel_handle_cancels_its_task_also_if_it_is_detached: "LST-4";
                spawned cancel_waits_until_the_destructors_have_run: "CAN-4";
                spawned cancel_returns_the_value_of_a_completed_task: "law 2";
                spawned a_detached_task_keeps_running: "law 10";
                spawned a_tasks_panic_propagates_to_the_awaiting_caller: "PAN-1";
                spawned a_task_dropped_at_once_stops: "law 1";
                in_task children_awaited_in_order_return_each_error_from_its_handle: "LST-2";
                spawned a_tasks_outcome_has_its_panic_as_a_value: "LST-2";
            }
            timeout {
                both a_timeout_is_the_outcome_of_its_item: "TMO-2";
                both bodies_time_out_on_time_and_release_their_permits: "TMO-2";
                both a_body_times_out_while_a_step_awaits: "TMO-2";
                both a_fail_fast_loop_stops_at_a_timeout: "TMO-2", "law 2";
                both a_timeout_may_be_zero_or_infinite: "TMO-2", "law 5";
                both many_short_timeouts_lose_and_duplicate_nothing: "law 2";
                both a_timeout_fires_despite_busy_bodies: "TMO-2", "law 9";
                both a_timed_out_body_whose_destructor_panics_stops_the_loop: "PAN-1", "TMO-2";
                spawned a_timed_out_body_keeps_its_permit_until_its_tasks_have_stopped: "TMO-2", "law 8";
                in_task a_timeout_fires_by_the_clock_even_if_the_timer_never_wakes: "TMO-2";
                both a_body_that_was_ready_in_time_keeps_its_value_if_polled_late: "TMO-2", "law 2";
            }
            times {
                both sequential_bodies_of_one_two_and_three_seconds_take_six: "SEQ-1";
                both ten_bodies_of_one_second_take_one_second: "GAT-1";
                both the_earliest_error_is_returned_when_it_occurs: "GAT-4";
                both a_wait_times_out_on_time: "WAIT-4";
                both a_sleep_counts_from_its_call: "WAIT-4";
                both bodies_complete_on_time_while_a_step_takes_longer: "ASC-5";
                spawned tasks_make_progress_while_their_stream_is_not_polled: "ASC-5";
                spawned five_tasks_awaited_in_turn_take_as_long_as_one: "LST-1";
                both a_free_permit_starts_the_next_body_on_time: "BND-2";
                both durations_reorder_only_the_unordered_stream: "BND-6", "law 7";
            }
            token {
                both cancelling_a_token_cancels_every_clone_and_child: "CAN-3";
                both cancelling_a_child_token_does_not_cancel_its_parent: "CAN-3";
                both a_dropped_or_forgotten_wait_for_a_token_is_sound: "CAN-3", "law 12";
                spawned no_wait_misses_a_cancellation_on_another_thread: "CAN-3";
                both a_long_chain_of_child_tokens_does_not_overflow_the_stack: "law 5";
                in_task a_completed_wait_for_a_token_causes_no_further_wake: "CAN-3";
            }
            wait {
                both waiting_for_all_returns_when_all_have_completed: "WAIT-1";
                both waiting_for_the_first_leaves_the_others_running: "WAIT-2";
                both waiting_for_a_failure_returns_at_the_first: "WAIT-3";
                both waiting_for_a_failure_returns_when_all_have_succeeded: "WAIT-3";
                both a_wait_that_times_out_loses_nothing: "WAIT-4";
                in_task a_wait_that_times_out_returns_what_completes_at_that_instant: "WAIT-4";
                both a_dropped_wait_leaves_every_body_running: "WAIT-5";
                both waiting_on_an_empty_set_returns_at_once: "WAIT-6";
                both a_timeout_of_zero_returns_what_is_ready: "WAIT-4", "law 5";
                both waiting_for_many_bodies_that_wake_each_other_returns: "law 5";
                both a_dropped_set_stops_its_bodies: "LST-3";
                in_task waiting_for_a_refilled_set_yields: "WAIT-2", "law 9";
                in_task a_wait_polls_its_timer_before_its_bodies: "WAIT-4";
                in_task futures_pushed_later_get_the_next_indices: "WAIT-1";
                spawned tasks_pushed_later_get_the_next_indices: "WAIT-1";
                spawned a_cancelled_task_is_an_outcome_of_a_set_of_tasks: "WAIT-1", "LST-4";
                in_task a_cancelled_future_of_a_set_is_dropped_alone: "WAIT-7";
                spawned a_cancelled_task_of_a_set_stops_alone: "WAIT-7";
                spawned a_cancelled_set_has_stopped_with_what_its_futures_had_started: "WAIT-7", "law 1";
            }
            with_item {
                both a_failure_carries_the_item_that_its_body_was_called_with: "ITM-1";
            }
            workers {
                spawned each_item_is_pulled_once_and_its_body_called_once_in_input_order: "WRK-1";
                spawned every_strategy_returns_what_it_returns_elsewhere: "WRK-1";
                spawned exactly_limit_bodies_run_across_all_workers: "WRK-2";
                spawned results_that_are_not_taken_keep_their_permits: "WRK-2";
                spawned outputs_that_are_not_folded_yet_keep_their_permits: "WRK-2";
                spawned the_first_failure_stops_the_bodies_and_the_source: "WRK-3";
                spawned failures_are_returned_in_completion_order: "WRK-3";
                spawned a_panic_propagates_after_the_bodies_have_stopped: "WRK-4";
                spawned a_caught_panic_is_the_outcome_of_its_item: "WRK-4";
                spawned panics_of_destructors_do_not_hang_the_loop: "WRK-4";
                spawned an_interrupted_loop_reports_the_outcome_of_each_item: "WRK-5";
                spawned a_deadline_interrupts_the_loop: "WRK-5";
                spawned a_dropped_loop_drops_its_bodies_source_and_closure: "WRK-6";
                spawned a_loop_that_is_never_polled_calls_nothing: "WRK-6";
                spawned a_pending_source_is_awaited_by_all_workers: "WRK-7";
                spawned empty_sources_and_wrong_size_hints_are_harmless: "WRK-8";
                spawned loops_on_workers_nest: "WRK-10";
                spawned many_small_loops_lose_and_duplicate_nothing: "WRK-11";
            }
            workers_options {
                spawned a_time_out_on_a_worker_is_the_outcome_of_its_item: "WRK-9";
                spawned a_fail_fast_loop_on_workers_stops_at_a_time_out: "WRK-9";
                spawned bodies_on_workers_time_out_while_others_are_busy: "WRK-9";
                spawned a_fallible_source_on_workers_ends_at_its_first_error: "WRK-9";
                spawned each_body_on_workers_is_in_its_layer: "WRK-9";
                spawned options_on_workers_work_together: "WRK-9";
            }
            workers_rules {
                spawned keys_and_weights_are_limited_across_all_workers: "WRK-12";
                spawned results_on_workers_keep_their_permits_where_items_are_queued: "WRK-12";
                spawned a_failed_body_is_retried_on_any_worker: "WRK-12";
                spawned an_attempt_on_workers_that_times_out_is_retried: "WRK-12";
                spawned a_final_failure_on_workers_stops_the_items_that_back_off: "WRK-12";
                spawned starts_are_spaced_over_all_workers: "WRK-12";
                spawned a_condition_stops_a_loop_on_workers: "WRK-12";
                spawned a_drained_loop_on_workers_completes_its_bodies: "WRK-12";
                spawned a_signal_stops_workers_that_wait: "WRK-12";
                spawned a_panic_of_an_option_on_workers_propagates: "WRK-12";
                spawned many_small_loops_with_options_lose_and_duplicate_nothing: "WRK-11", "WRK-12";
            }
        }
    };
}

/// Passes to a macro of this crate the cases that are also compiled for the type of each backend.
///
/// They depend on the types of the runtime: loops with its own bodies, values and clocks, tasks that spawn tasks,
/// groups, worker pools, and how all of these complete and stop. Each test program compiles them for each of its
/// runtimes, so they are few, and none of them runs every strategy.
#[doc(hidden)]
#[macro_export]
macro_rules! __typed_cases {
    ($then:ident $($with:ident)*) => {
        $crate::$then! {
            $($with)*
            as_completed { results_are_yielded_once_each_in_completion_order; }
            bounded {
                the_ordered_stream_keeps_input_order_and_the_unordered_one_completion_order;
            }
            gather {
                all_bodies_run_at_once;
                an_error_is_returned_after_the_siblings_have_stopped;
                settle_returns_every_outcome_in_input_order;
            }
            group { a_childs_error_stops_the_siblings_and_the_body; }
            interrupt { outcomes_at_the_deadline_are_returned_in_input_order; }
            nesting { nested_limits_multiply_when_tasks_spawn_tasks; }
            panics { a_bodys_panic_propagates_after_the_siblings_have_stopped; }
            start { a_child_that_is_ready_is_a_child_like_any_other; }
            task_list { cancel_waits_until_the_destructors_have_run; }
            timeout { a_timeout_is_the_outcome_of_its_item; }
            wait { a_wait_that_times_out_loses_nothing; }
            workers {
                each_item_is_pulled_once_and_its_body_called_once_in_input_order;
                the_first_failure_stops_the_bodies_and_the_source;
            }
        }
    };
}

/// Makes a constant of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __case_list {
    ($($module:ident { $($on:ident $name:ident: $($id:literal),+;)* })*) => {
        /// Every case.
        pub const CASES: &[Case] = &[$($(Case {
            module: stringify!($module),
            name: stringify!($name),
            ids: &[$($id),+],
            on: $crate::__case_list!(@$on),
        }),*),*];
    };
    (@both) => { Backends::Both };
    (@spawned) => { Backends::Spawned };
    (@in_task) => { Backends::Inline };
}

__cases! { __case_list }
