//! The laws in simulation: with tasks in the order in which they were woken, and under a thousand random schedules.

use std::cell::RefCell;
use std::env;
use std::time::{Duration, Instant};

use forloop_conformance::suite;
use forloop_sim::Sim;

/// Some cases have threads of their own that wake a task.
const DEADLOCK_TIMEOUT: Duration = Duration::from_secs(600);

/// The maximum number of steps of all schedules of a case. A few cases have a hundred thousand bodies, and run under
/// fewer schedules.
const STEPS: u64 = 1_000_000;

/// The maximum time, for cases that wait for their own threads.
const TIME: Duration = Duration::from_secs(1);

thread_local! {
    static LAST: RefCell<Option<Sim>> = const { RefCell::new(None) };
}

/// The seeds of a case: a thousand, or `FORLOOP_SEEDS`, until they have taken the maximum of steps or of time.
fn seeds() -> impl Iterator<Item = u64> + Send {
    let value = env::var("FORLOOP_SEEDS").ok();
    let max = value.map_or(1000, |value| value.parse().expect("FORLOOP_SEEDS is a number"));
    let (start, mut steps) = (Instant::now(), 0);
    (0..max).take_while(move |seed| {
        steps += LAST.take().map_or(0, |sim| sim.steps());
        let has_budget = steps < STEPS && start.elapsed() < TIME;
        if !has_budget {
            eprintln!("{seed} schedules of {max}, with {steps} steps");
        }
        has_budget
    })
}

fn random(seed: u64) -> Sim {
    let sim = Sim::random(seed).with_deadlock_timeout(DEADLOCK_TIMEOUT);
    LAST.set(Some(sim.clone()));
    sim
}

suite!(sim: Sim::new().with_deadlock_timeout(DEADLOCK_TIMEOUT));
suite!(any_order, seed in seeds() => random(seed));
