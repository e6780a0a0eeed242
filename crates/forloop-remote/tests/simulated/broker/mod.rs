//! A broker of the simulation: an engine in this process, on the virtual clock, with faults.
//!
//! Each step is late, happens or not, and has an answer or not; between these, it is one function of the state.

mod state;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use forloop_core::Timer;
use forloop_remote::{
    BodyId, Delivery, End, Engine, EngineError, EngineFuture, Job, JobKey, Lease, Submission,
};
use forloop_sim::Sim;

use self::state::State;

/// What goes wrong, each with its probability in percent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// A step is late: before it happens, and its answer.
    pub(crate) late: u8,
    /// A step does not happen, and the caller gets an error.
    pub(crate) refused: u8,
    /// A step happens, and the caller gets an error.
    pub(crate) unanswered: u8,
    /// A job is delivered although another worker holds it.
    pub(crate) delivered_twice: u8,
    /// Jobs are taken in another order.
    pub(crate) reordered: u8,
    /// A report to the producer is made again, or never.
    pub(crate) reported_twice: u8,
    pub(crate) never_reported: u8,
}

impl Faults {
    /// Everything that does not let two workers run a job at the same time.
    pub(crate) const MANY: Self = Self {
        late: 30,
        refused: 8,
        unanswered: 8,
        delivered_twice: 0,
        reordered: 30,
        reported_twice: 20,
        never_reported: 5,
    };
}

pub(crate) struct Broker {
    sim: Sim,
    faults: Faults,
    state: Mutex<State>,
    rng: Mutex<fastrand::Rng>,
    /// Until when each call fails.
    away: Mutex<Duration>,
}

impl Broker {
    pub(crate) fn new(sim: &Sim, faults: Faults, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            sim: sim.clone(),
            faults,
            state: Mutex::default(),
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            away: Mutex::default(),
        })
    }

    /// All calls fail from now on, for this time.
    pub(crate) fn go_away(&self, time: Duration) {
        *self.away.lock().unwrap() = self.sim.now() + time;
    }

    /// What the broker has, to be restored.
    pub(crate) fn restore_later(&self) -> impl FnOnce() + '_ {
        let saved = self.state().clone();
        move || *self.state() = saved
    }

    /// How often a job that should run alone did not.
    pub(crate) fn accompanied(&self) -> u32 {
        self.state().accompanied
    }

    /// What is left: runs, queued jobs.
    pub(crate) fn left(&self) -> (usize, usize) {
        let state = self.state();
        (state.runs.len(), state.queue.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn happens(&self, percent: u8) -> bool {
        percent > 0 && self.rng.lock().unwrap().u8(0..100) < percent
    }

    async fn delay(&self) {
        if self.happens(self.faults.late) {
            let ms = self.rng.lock().unwrap().u64(1..200);
            self.sim.sleep(Duration::from_millis(ms)).await;
        }
    }

    fn check_away(&self) -> Result<(), EngineError> {
        if self.sim.now() < *self.away.lock().unwrap() {
            return Err(EngineError::unavailable("the broker is away"));
        }
        Ok(())
    }

    /// A step with its faults around it.
    async fn step<T>(
        &self,
        apply: impl FnOnce(&mut State, Duration) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.delay().await;
        self.check_away()?;
        if self.happens(self.faults.refused) {
            return Err(EngineError::unavailable("not sent"));
        }
        let answer = apply(&mut self.state(), self.sim.now())?;
        self.delay().await;
        self.check_away()?;
        if self.happens(self.faults.unanswered) {
            return Err(EngineError::unavailable("no answer"));
        }
        Ok(answer)
    }

    fn boxed<'a, T: Send + 'a>(
        &'a self,
        apply: impl FnOnce(&mut State, Duration) -> Result<T, EngineError> + Send + 'a,
    ) -> EngineFuture<'a, T> {
        Box::pin(self.step(apply))
    }

    /// A step that is repeated until it has an answer, for up to `wait`.
    async fn until_some<T>(
        &self,
        wait: Duration,
        apply: impl Fn(&mut State, Duration) -> Vec<T>,
    ) -> Result<Vec<T>, EngineError> {
        let end = self.sim.now() + wait;
        loop {
            let some = self.step(|state, now| Ok(apply(state, now))).await?;
            if !some.is_empty() || self.sim.now() >= end {
                return Ok(some);
            }
            self.sim.sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Engine for Broker {
    fn hold<'a>(
        &'a self,
        run: &'a str,
        producer: &'a str,
        lease: Duration,
        _expiry: Option<Duration>,
    ) -> EngineFuture<'a, bool> {
        self.boxed(move |state, now| Ok(state.hold(run, producer, lease, now)))
    }

    fn release<'a>(&'a self, run: &'a str, producer: &'a str) -> EngineFuture<'a, ()> {
        self.boxed(move |state, now| {
            state.release(run, producer, now);
            Ok(())
        })
    }

    fn submit<'a>(
        &'a self,
        run: &'a str,
        producer: &'a str,
        jobs: &'a [Arc<Job>],
    ) -> EngineFuture<'a, Vec<Submission>> {
        self.boxed(move |state, now| state.submit(run, producer, jobs, now))
    }

    fn outcomes<'a>(
        &'a self,
        run: &'a str,
        wait: Duration,
    ) -> EngineFuture<'a, Vec<(JobKey, End)>> {
        Box::pin(self.until_some(wait, move |state, _| {
            let Some(run) = state.runs.get_mut(run) else { return Vec::new() };
            let mut reports: Vec<_> = run.reports.drain(..).collect();
            if self.happens(self.faults.reported_twice) {
                run.reports.extend(reports.iter().cloned());
                reports.reverse();
            }
            if self.happens(self.faults.never_reported) {
                reports.pop();
            }
            reports
        }))
    }

    fn stop<'a>(&'a self, run: &'a str, jobs: &'a [JobKey]) -> EngineFuture<'a, Vec<Option<End>>> {
        self.boxed(move |state, _| Ok(state.stop(run, jobs)))
    }

    fn forget<'a>(&'a self, run: &'a str, producer: &'a str) -> EngineFuture<'a, ()> {
        self.boxed(move |state, now| state.forget(run, producer, now))
    }

    fn take<'a>(
        &'a self,
        worker: &'a str,
        bodies: &'a [BodyId],
        room: usize,
        lease: Duration,
        wait: Duration,
    ) -> EngineFuture<'a, Vec<Delivery>> {
        Box::pin(self.until_some(wait, move |state, now| {
            if self.happens(self.faults.reordered) {
                self.rng.lock().unwrap().shuffle(state.queue.make_contiguous());
            }
            let again = || self.happens(self.faults.delivered_twice);
            state.take(worker, bodies, room, now + lease, again)
        }))
    }

    fn begin<'a>(
        &'a self,
        worker: &'a str,
        delivery: &'a str,
        is_alone: bool,
    ) -> EngineFuture<'a, bool> {
        self.boxed(move |state, _| Ok(state.begin(worker, delivery, is_alone)))
    }

    fn renew<'a>(
        &'a self,
        worker: &'a str,
        deliveries: &'a [String],
        lease: Duration,
    ) -> EngineFuture<'a, Vec<Lease>> {
        self.boxed(move |state, now| {
            let renewed = |id: &String| state.renew(worker, id, now + lease);
            Ok(deliveries.iter().map(renewed).collect())
        })
    }

    fn complete<'a>(&'a self, worker: &'a str, ended: &'a [(String, End)]) -> EngineFuture<'a, ()> {
        self.boxed(move |state, _| {
            ended.iter().for_each(|(id, end)| state.complete(worker, id, end.clone()));
            Ok(())
        })
    }

    fn reclaim<'a>(
        &'a self,
        worker: &'a str,
        bodies: &'a [BodyId],
        room: usize,
        lease: Duration,
    ) -> EngineFuture<'a, Vec<Delivery>> {
        self.boxed(move |state, now| Ok(state.reclaim(worker, bodies, room, lease, now)))
    }

    fn served(&self) -> EngineFuture<'_, Vec<BodyId>> {
        self.boxed(|state, now| Ok(state.served(now)))
    }
}
