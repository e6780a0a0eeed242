//! The laws in simulation: with tasks in the order in which they were woken, and under a thousand random schedules.

use std::cell::RefCell;
use std::env;
use std::time::{Duration, Instant};

use forloop_conformance::suite;
use forloop_sim::Sim;

/// Some cases have threads of their own that wake a task.
const PATIENCE: Duration = Duration::from_secs(600);

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
    let set = env::var("FORLOOP_SEEDS").ok();
    let most = set.map_or(1000, |seeds| seeds.parse().expect("FORLOOP_SEEDS is a number"));
    let (start, mut steps) = (Instant::now(), 0);
    (0..most).take_while(move |seed| {
        steps += LAST.take().map_or(0, |sim| sim.steps());
        let continues = steps < STEPS && start.elapsed() < TIME;
        if !continues {
            eprintln!("{seed} schedules of {most}, with {steps} steps");
        }
        continues
    })
}

fn random(seed: u64) -> Sim {
    let sim = Sim::random(seed).with_patience(PATIENCE);
    LAST.set(Some(sim.clone()));
    sim
}

suite!(sim: Sim::new().with_patience(PATIENCE));
suite!(any_order, seed in seeds() => random(seed));
