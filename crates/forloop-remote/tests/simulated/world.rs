//! A producer, some workers and a broker, and a record of what has run where.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::{Outcome, Spawn, Timer};
use forloop_remote::{Bodies, Body, CallError, OnRemote, Remote, RemoteError, Run};
use forloop_sim::{Explore, Sim};

use crate::broker::{Broker, Faults};
use crate::process::Process;

pub(crate) const WORK: Body<u64, u64, String> = Body::named("work", 1);
pub(crate) const ONCE: Body<u64, u64, String> = Body::named("once", 1).once();

/// The lease of all.
pub(crate) const LEASE: Duration = Duration::from_secs(6);

/// How long a body takes, unless its item says otherwise.
pub(crate) const TIME: Duration = Duration::from_millis(300);

/// Items with a meaning of their own; the others are `n`, and give `n * 10`. Nine from `SLOW` on are slow, and nine from
/// `ABORTS` on end their process.
pub(crate) const FAILS: u64 = 1_000;
pub(crate) const PANICS: u64 = 1_001;
pub(crate) const SLOW: u64 = 1_100;
pub(crate) const ABORTS: u64 = 1_200;
/// Fails when it runs for the first time.
pub(crate) const BUSY: u64 = 1_300;

fn aborts(n: u64) -> bool {
    (ABORTS..ABORTS + 9).contains(&n)
}

pub(crate) fn expected(n: u64) -> Outcome<u64, String> {
    match n {
        FAILS => Outcome::Err("failed".to_owned()),
        PANICS => Outcome::Panicked(
            (Box::new("panicked".to_owned()) as Box<dyn std::any::Any + Send>).into(),
        ),
        n if aborts(n) => Outcome::Lost,
        n => Outcome::Ok(n * 10),
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) broker: Arc<Broker>,
    record: Arc<Mutex<Record>>,
}

#[derive(Default)]
struct Record {
    /// How often each item has started.
    started: BTreeMap<u64, u32>,
    /// What runs now, with its process.
    running: Vec<(u64, Process)>,
    most_running: usize,
    most_in_one_process: usize,
    overlaps: u32,
}

impl World {
    pub(crate) fn new(sim: &Sim, faults: Faults, seed: u64) -> Self {
        let broker = Broker::new(sim, faults, seed);
        Self { sim: sim.clone(), broker, record: Arc::default() }
    }

    /// A connection of a process.
    pub(crate) fn remote(&self, process: &Process) -> Remote {
        let body = |world: &Self| {
            let (world, process) = (world.clone(), process.clone());
            move |n: u64| world.clone().body(process.clone(), n)
        };
        let bodies = Bodies::new().with(WORK, body(self)).with(ONCE, body(self));
        let remote = Remote::with_engine(process, self.broker.clone(), &bodies);
        remote.lease(LEASE).patience(Duration::from_secs(600))
    }

    async fn body(self, process: Process, n: u64) -> Result<u64, String> {
        let _running = self.record_begin(n, &process);
        let time = if (SLOW..SLOW + 9).contains(&n) { LEASE * 3 } else { TIME };
        if aborts(n) {
            process.kill();
        }
        process.sleep(time).await;
        match n {
            FAILS => Err("failed".to_owned()),
            BUSY if self.started(n) == 1 => Err("busy".to_owned()),
            PANICS => panic!("panicked"),
            n => Ok(n * 10),
        }
    }

    fn record_begin(&self, n: u64, process: &Process) -> Running {
        let mut record = self.record.lock().unwrap();
        *record.started.entry(n).or_default() += 1;
        record.running.retain(|(_, process)| !process.is_dead());
        if record.running.iter().any(|(running, _)| *running == n) {
            record.overlaps += 1;
        }
        record.running.push((n, process.clone()));
        record.most_running = record.most_running.max(record.running.len());
        let here = record.running.iter().filter(|(_, other)| other.is(process)).count();
        record.most_in_one_process = record.most_in_one_process.max(here);
        Running { world: self.clone(), n }
    }

    /// How often an item has started.
    pub(crate) fn started(&self, n: u64) -> u32 {
        self.record.lock().unwrap().started.get(&n).copied().unwrap_or(0)
    }

    pub(crate) fn most_running(&self) -> usize {
        self.record.lock().unwrap().most_running
    }

    pub(crate) fn most_in_one_process(&self) -> usize {
        self.record.lock().unwrap().most_in_one_process
    }

    pub(crate) fn running(&self) -> usize {
        let mut record = self.record.lock().unwrap();
        record.running.retain(|(_, process)| !process.is_dead());
        record.running.len()
    }

    /// How often an item began while it ran elsewhere.
    pub(crate) fn overlaps(&self) -> u32 {
        self.record.lock().unwrap().overlaps
    }

    /// Starts a worker with this limit, and another one whenever it has died.
    pub(crate) fn start_worker(&self, mut process: Process, limit: usize) {
        let world = self.clone();
        self.sim.clone().spawn(async move {
            loop {
                let work = world.remote(&process).work().unwrap().limit(limit).unwrap();
                if process.run(work.run()).await.is_some() {
                    return;
                }
                world.sim.sleep(Duration::from_secs(1)).await;
                process = Process::new(&world.sim);
            }
        });
    }

    /// Opens the run, also if a producer of it has just died.
    pub(crate) async fn open(&self, process: &Process) -> Run {
        let remote = self.remote(process);
        loop {
            match remote.run("run").await {
                Ok(run) => return run,
                Err(RemoteError::Engine(_) | RemoteError::RunHeld(_)) => {
                    process.sleep(Duration::from_millis(100)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Settles items with a body, and deletes the run.
    pub(crate) async fn settle(
        &self,
        process: &Process,
        body: Body<u64, u64, String>,
        items: &[u64],
        limit: usize,
    ) -> Vec<Outcome<u64, String>> {
        let run = self.open(process).await;
        let items = forloop_core::each(items.to_vec()).limit(limit).unwrap().catch_panics();
        let outcomes = items.on_remote(&run).settle(|n| body.call(n)).await.into_vec();
        run.forget().await.unwrap();
        outcomes
    }

    /// The same, with a producer that is started again when it has died. `dying_at` is for the first one.
    pub(crate) async fn settle_despite_deaths(
        &self,
        body: Body<u64, u64, String>,
        items: &[u64],
        limit: usize,
        dying_at: u64,
    ) -> (Vec<Outcome<u64, String>>, bool) {
        let mut process = Process::dying_at(&self.sim, dying_at);
        let mut has_died = false;
        loop {
            if let Some(outcomes) = process.run(self.settle(&process, body, items, limit)).await {
                return (outcomes, has_died);
            }
            has_died = true;
            process = Process::new(&self.sim);
        }
    }
}

/// A body that runs.
struct Running {
    world: World,
    n: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut record = self.world.record.lock().unwrap();
        if let Some(at) = record.running.iter().position(|(n, _)| *n == self.n) {
            record.running.swap_remove(at);
        }
    }
}

/// Checks that each item has the outcome of the local loop.
pub(crate) fn check(items: &[u64], outcomes: &[Outcome<u64, String>]) {
    let wanted: Vec<_> = items.iter().map(|&n| expected(n)).collect();
    assert_eq!(outcomes, wanted);
}

pub(crate) fn is_not_served(outcome: &Outcome<u64, CallError>) -> bool {
    matches!(outcome, Outcome::Err(CallError::NotServed { .. }))
}

/// Runs a scenario under schedules, each with other faults. `FORLOOP_REMOTE_SEEDS=10` runs ten times as many.
pub(crate) fn explore<F: Future<Output = ()>>(seeds: u64, scenario: impl Fn(Sim, u64) -> F) {
    let more = std::env::var("FORLOOP_REMOTE_SEEDS").ok().and_then(|times| times.parse().ok());
    for seed in 0..seeds * more.unwrap_or(1) {
        let explored = Explore::random(1).from_seed(seed).max_steps(5_000_000);
        if let Err(failure) = explored.run(|sim| scenario(sim, seed)) {
            panic!("seed {seed}: {failure}");
        }
    }
}
