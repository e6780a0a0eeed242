//! Model checks of the list of completions, under every interleaving: each completion is taken once, a loop that sleeps is
//! woken, and a loop may be dropped meanwhile.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::Context;

use loom::thread;

use super::completer::Completer;
use super::set::SpawnedSet;
use crate::Outcome;
use crate::engine::{model, parked};
use crate::place::body_set::BodySet;
use crate::task::Owner;

/// Starts a task for each index, which completes on a thread of its own.
fn start<T: Send + 'static>(
    set: &mut SpawnedSet<T>,
    outputs: impl IntoIterator<Item = T>,
) -> Vec<thread::JoinHandle<()>> {
    let mut tasks = Vec::new();
    for (index, output) in outputs.into_iter().enumerate() {
        let mut output = Some(output);
        set.insert(index, &mut |completer: Completer<T>| {
            let output = output.take().expect("a task is made once");
            tasks.push(thread::spawn(move || completer.into_task().complete(Outcome::Ok(output))));
        });
    }
    tasks
}

#[test]
fn a_loop_that_sleeps_is_woken_and_takes_each_completion_once() {
    model(|| {
        let mut set = SpawnedSet::new();
        let tasks = start(&mut set, [10, 11]);
        let (parked, waker) = parked();
        let mut taken = Vec::new();
        while !set.is_empty() {
            if set.next_round() {
                let _: ControlFlow<()> = set.poll_round(&mut 0, usize::MAX, |completion| {
                    assert!(matches!(completion.outcome, Outcome::Ok(output) if output == 10 + completion.index));
                    taken.push(completion.index);
                    ControlFlow::Continue(())
                });
            } else if set.sleep(&Context::from_waker(&waker)) {
                parked.0.wait();
            }
        }
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
        for task in tasks {
            task.join().unwrap();
        }
    });
}

#[test]
fn a_loop_that_is_dropped_while_its_tasks_complete_drops_each_output_once() {
    model(|| {
        let output = Arc::new(());
        let mut set = SpawnedSet::new();
        let tasks = start(&mut set, [output.clone(), output.clone()]);
        drop(set);
        for task in tasks {
            task.join().unwrap();
        }
        assert_eq!(Arc::strong_count(&output), 1);
    });
}

/// Each mutation leaves out a step of the protocol, and makes a test above fail that passes without it.
mod negative_controls {
    use crate::engine::{Mutation, is_found_by};

    const TEST: &str =
        "place::spawned::model::a_loop_that_sleeps_is_woken_and_takes_each_completion_once";

    #[test]
    fn a_loop_that_sleeps_without_a_look_at_the_list_is_found() {
        is_found_by(Mutation::SleepsWithoutList, TEST, "deadlock");
    }

    #[test]
    fn a_task_that_completes_without_a_wake_is_found() {
        is_found_by(Mutation::CompletesSilently, TEST, "deadlock");
    }
}
