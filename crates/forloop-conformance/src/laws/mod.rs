//! The laws: generic functions, each named as the promise that it checks. The ids in front of each description are
//! those of [the table](crate::table).

pub mod admission;
pub mod as_completed;
pub mod bounded;
pub mod cancel;
pub mod chunks;
pub mod collect;
pub mod cooperative;
pub mod deadlock;
pub mod fairness;
pub mod filter_map;
pub mod finish;
pub mod first_ok;
pub mod fold;
pub mod gather;
pub mod group;
pub mod group_failures;
pub mod group_stop;
pub mod interrupt;
pub mod large;
pub mod nested_tasks;
pub mod nesting;
pub mod odd;
pub mod on_failure;
pub mod pacing;
pub mod panics;
pub mod race;
pub mod random;
pub mod random_admission;
pub mod random_options;
pub mod retry;
pub mod sequential;
pub mod source;
pub mod start;
pub mod strategies;
pub mod supervised;
pub mod task_list;
pub mod timeout;
pub mod times;
pub mod token;
pub mod wait;
pub mod with_item;
pub mod work_queue;
pub mod workers;
pub mod workers_options;
pub mod workers_rules;

use forloop_core::LoopError;

use crate::{Alive, Job, job};

// The same body, with the output type that each strategy requires.

fn unit(body: Job<u64>) -> Job<()> {
    job(async move {
        body.await;
    })
}

fn fallible(body: Job<u64>) -> Job<Result<u64, String>> {
    job(async move { Ok(body.await) })
}

fn fallible_unit(body: Job<u64>) -> Job<Result<(), String>> {
    job(async move {
        body.await;
        Ok(())
    })
}

fn optional(body: Job<u64>) -> Job<Option<u64>> {
    job(async move { Some(body.await) })
}

/// A body that is pending forever.
fn endless<T: Send + 'static>(alive: &Alive) -> Job<T> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        std::future::pending().await
    })
}

/// The errors of the bodies that failed, in completion order.
fn errors(error: &LoopError<String>) -> Vec<&str> {
    error.failures().iter().map(|failure| &failure.error[..]).collect()
}
