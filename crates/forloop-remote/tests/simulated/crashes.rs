//! Processes that die at any of their awaits.

use forloop_sim::Explore;

use crate::broker::Faults;
use crate::process::Process;
use crate::world::{FAILS, ONCE, PANICS, WORK, World, check};

const ITEMS: [u64; 7] = [1, 2, FAILS, 3, PANICS, 4, 5];

/// Runs a scenario with a death at each poll, until one lives to its end. The scenario says whether the process has died.
fn at_each_poll<F>(scenario: impl Fn(forloop_sim::Sim, u64, Faults) -> F)
where
    F: Future<Output = bool>,
{
    for faults in [Faults::default(), Faults::MANY] {
        for poll in 1.. {
            let has_died = std::cell::Cell::new(false);
            let explored = Explore::random(2).from_seed(poll).max_steps(2_000_000);
            let result = explored.run(|sim| async {
                if scenario(sim, poll, faults).await {
                    has_died.set(true);
                }
            });
            if let Err(failure) = result {
                panic!("a death at poll {poll}, {faults:?}: {failure}");
            }
            if !has_died.get() || poll > 400 {
                break;
            }
        }
    }
}

#[test]
fn each_item_has_the_outcome_of_the_local_loop_if_a_worker_dies_at_any_await() {
    at_each_poll(|sim, poll, faults| async move {
        let world = World::new(&sim, faults, poll);
        let dying = Process::dying_at(&sim, poll);
        world.start_worker(dying.clone(), 2);
        world.start_worker(Process::new(&sim), 2);
        let outcomes = world.settle(&Process::new(&sim), WORK, &ITEMS, 3).await;
        check(&ITEMS, &outcomes);
        assert!(world.most_running() <= 3, "the limit is over all workers");
        assert!(world.most_in_one_process() <= 2, "a worker has a limit of its own");
        assert_eq!(world.overlaps(), 0);
        assert_eq!(world.broker.left(), (0, 0));
        dying.is_dead()
    });
}

#[test]
fn each_item_has_the_outcome_of_the_local_loop_if_the_producer_dies_at_any_await() {
    at_each_poll(|sim, poll, faults| async move {
        let world = World::new(&sim, faults, poll);
        world.start_worker(Process::new(&sim), 2);
        world.start_worker(Process::new(&sim), 2);
        let (outcomes, has_died) = world.settle_despite_deaths(WORK, &ITEMS, 3, poll).await;
        check(&ITEMS, &outcomes);
        assert_eq!(world.overlaps(), 0);
        assert_eq!(world.broker.left(), (0, 0));
        has_died
    });
}

#[test]
fn a_once_body_begins_no_more_than_once_if_a_worker_dies_at_any_await() {
    at_each_poll(|sim, poll, faults| async move {
        let world = World::new(&sim, faults, poll);
        let dying = Process::dying_at(&sim, poll);
        world.start_worker(dying.clone(), 2);
        world.start_worker(Process::new(&sim), 2);
        let items = [1, 2, 3, 4, 5];
        let outcomes = world.settle(&Process::new(&sim), ONCE, &items, 3).await;
        for (n, outcome) in items.iter().zip(&outcomes) {
            assert!(world.started(*n) <= 1, "{n} began {} times", world.started(*n));
            let is_lost = *outcome == forloop_core::Outcome::Lost;
            assert!(is_lost || *outcome == forloop_core::Outcome::Ok(n * 10), "{outcome:?}");
            // Without faults only what was started can be lost.
            assert!(!is_lost || dying.is_dead() || faults.unanswered > 0);
        }
        dying.is_dead()
    });
}
