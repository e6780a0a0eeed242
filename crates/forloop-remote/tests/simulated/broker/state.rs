//! What a broker has, and the steps of the protocol: each is one function, and that is all that a broker must do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use forloop_remote::{BodyId, Delivery, End, EngineError, Job, JobKey, Lease, Submission};

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) runs: BTreeMap<String, RunState>,
    pub(super) queue: VecDeque<(String, JobKey)>,
    workers: BTreeMap<String, (Vec<BodyId>, Duration)>,
    /// How often a job that should run alone did not.
    pub(super) accompanied: u32,
}

#[derive(Clone, Default)]
pub(super) struct RunState {
    holder: Option<(String, Duration)>,
    jobs: BTreeMap<JobKey, Entry>,
    pub(super) reports: VecDeque<(JobKey, End)>,
}

#[derive(Clone)]
struct Entry {
    job: Job,
    phase: Phase,
    deaths: u32,
    deaths_alone: u32,
}

#[derive(Clone)]
enum Phase {
    Queued,
    Held { worker: String, until: Duration, mark: Mark, is_stopped: bool },
    Done(End),
}

/// What a worker has marked before a body began.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    None,
    Started,
    StartedAlone,
}

fn id_of(run: &str, key: JobKey) -> String {
    format!("{run}/{}/{}", key.index, key.attempt)
}

fn name_of(id: &str) -> Option<(String, JobKey)> {
    let mut parts = id.split('/');
    let run = parts.next()?.to_owned();
    let index = parts.next()?.parse().ok()?;
    Some((run, JobKey { index, attempt: parts.next()?.parse().ok()? }))
}

impl RunState {
    fn is_held_by(&self, producer: &str, now: Duration) -> bool {
        self.holder.as_ref().is_some_and(|(holder, until)| holder == producer && now < *until)
    }
}

impl Entry {
    fn hand_over(&mut self, id: String, worker: &str, until: Duration) -> Delivery {
        let is_stopped = matches!(self.phase, Phase::Held { is_stopped: true, .. });
        if !matches!(self.phase, Phase::Done(_)) {
            let (worker, mark) = (worker.to_owned(), Mark::None);
            self.phase = Phase::Held { worker, until, mark, is_stopped };
        }
        Delivery { id, job: self.job.clone(), deaths: self.deaths }
    }
}

impl State {
    fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        let (run, key) = name_of(id)?;
        self.runs.get_mut(&run)?.jobs.get_mut(&key)
    }

    /// Records the end of a job that has none.
    fn end(&mut self, id: &str, end: End) {
        let Some((run, key)) = name_of(id) else { return };
        let Some(run) = self.runs.get_mut(&run) else { return };
        let Some(entry) = run.jobs.get_mut(&key) else { return };
        if matches!(entry.phase, Phase::Done(_)) {
            return;
        }
        if end == End::Cancelled {
            run.jobs.remove(&key);
        } else {
            entry.phase = Phase::Done(end.clone());
        }
        run.reports.push_back((key, end));
    }

    fn holds(&mut self, worker: &str, id: &str) -> bool {
        match self.entry(id).map(|entry| &entry.phase) {
            Some(Phase::Held { worker: holder, .. }) => holder == worker,
            _ => false,
        }
    }

    pub(super) fn hold(
        &mut self,
        run: &str,
        producer: &str,
        lease: Duration,
        now: Duration,
    ) -> bool {
        let run = self.runs.entry(run.to_owned()).or_default();
        let is_free = run.holder.as_ref().is_none_or(|(_, until)| now >= *until);
        let may_hold = is_free || run.is_held_by(producer, now);
        if may_hold {
            run.holder = Some((producer.to_owned(), now + lease));
        }
        may_hold
    }

    pub(super) fn release(&mut self, run: &str, producer: &str, now: Duration) {
        if let Some(run) = self.runs.get_mut(run).filter(|run| run.is_held_by(producer, now)) {
            run.holder = None;
        }
    }

    pub(super) fn submit(
        &mut self,
        name: &str,
        producer: &str,
        jobs: &[Arc<Job>],
        now: Duration,
    ) -> Result<Vec<Submission>, EngineError> {
        let run = self.runs.get_mut(name).filter(|run| run.is_held_by(producer, now));
        let run = run.ok_or(EngineError::RunTaken)?;
        let submission = |job: &Arc<Job>| match run.jobs.get(&job.key) {
            Some(known) if known.job.fingerprint != job.fingerprint => Submission::Different,
            Some(Entry { phase: Phase::Done(end), .. }) => Submission::Done(end.clone()),
            Some(_) => Submission::Pending,
            None => {
                let (phase, deaths) = (Phase::Queued, 0);
                let entry = Entry { job: (**job).clone(), phase, deaths, deaths_alone: 0 };
                run.jobs.insert(job.key, entry);
                self.queue.push_back((name.to_owned(), job.key));
                Submission::Pending
            }
        };
        Ok(jobs.iter().map(submission).collect())
    }

    pub(super) fn stop(&mut self, name: &str, jobs: &[JobKey]) -> Vec<Option<End>> {
        let mut none = RunState::default();
        let run = self.runs.get_mut(name).unwrap_or(&mut none);
        let answer = |key: &JobKey| match run.jobs.get_mut(key).map(|entry| &mut entry.phase) {
            Some(Phase::Done(end)) => Some(end.clone()),
            Some(Phase::Held { is_stopped, .. }) => {
                *is_stopped = true;
                None
            }
            Some(Phase::Queued) | None => {
                run.jobs.remove(key);
                self.queue.retain(|(run, queued)| (run.as_str(), queued) != (name, key));
                Some(End::NotRun)
            }
        };
        jobs.iter().map(answer).collect()
    }

    pub(super) fn forget(
        &mut self,
        run: &str,
        producer: &str,
        now: Duration,
    ) -> Result<(), EngineError> {
        let holder = self.runs.get(run).and_then(|run| run.holder.as_ref());
        if holder.is_some_and(|(holder, until)| holder != producer && now < *until) {
            return Err(EngineError::RunTaken);
        }
        self.runs.remove(run);
        self.queue.retain(|(queued, _)| queued != run);
        Ok(())
    }

    /// With `again`, a job stays in the queue although it was delivered.
    pub(super) fn take(
        &mut self,
        worker: &str,
        bodies: &[BodyId],
        room: usize,
        until: Duration,
        mut again: impl FnMut() -> bool,
    ) -> Vec<Delivery> {
        self.check_alone(worker, |entry, mark| entry.deaths >= 2 && mark == Mark::StartedAlone);
        let mut taken = Vec::new();
        for (run, key) in std::mem::take(&mut self.queue) {
            let id = id_of(&run, key);
            let Some(entry) = self.entry(&id) else { continue };
            if taken.len() == room || !bodies.contains(&entry.job.body) {
                self.queue.push_back((run, key));
                continue;
            }
            taken.push(entry.hand_over(id, worker, until));
            if again() {
                self.queue.push_back((run, key));
            }
        }
        taken
    }

    /// Counts the jobs that this worker holds although it should not.
    fn check_alone(&mut self, worker: &str, should_not: impl Fn(&Entry, Mark) -> bool) {
        let mut entries = self.runs.values().flat_map(|run| run.jobs.values());
        let is_held = |entry: &Entry| match &entry.phase {
            Phase::Held { worker: holder, mark, .. } => {
                holder == worker && should_not(entry, *mark)
            }
            _ => false,
        };
        self.accompanied += u32::from(entries.any(is_held));
    }

    pub(super) fn begin(&mut self, worker: &str, delivery: &str, is_alone: bool) -> bool {
        if is_alone {
            // What is held beside it waits for a turn of its own.
            self.check_alone(worker, |entry, _| entry.deaths < 2);
        }
        match self.entry(delivery).map(|entry| &mut entry.phase) {
            Some(Phase::Held { worker: holder, mark, .. }) if holder == worker => {
                *mark = if is_alone { Mark::StartedAlone } else { Mark::Started };
                true
            }
            _ => false,
        }
    }

    pub(super) fn renew(&mut self, worker: &str, delivery: &str, until: Duration) -> Lease {
        match self.entry(delivery).map(|entry| &mut entry.phase) {
            Some(Phase::Held { worker: holder, until: end, is_stopped, .. })
                if holder == worker =>
            {
                *end = until;
                if *is_stopped { Lease::Stopped } else { Lease::Kept }
            }
            _ => Lease::TakenOver,
        }
    }

    pub(super) fn complete(&mut self, worker: &str, delivery: &str, end: End) {
        // An outcome counts, from any worker; only the worker that holds a job may cancel it.
        if end != End::Cancelled || self.holds(worker, delivery) {
            self.end(delivery, end);
        }
    }

    pub(super) fn reclaim(
        &mut self,
        worker: &str,
        bodies: &[BodyId],
        room: usize,
        lease: Duration,
        now: Duration,
    ) -> Vec<Delivery> {
        self.workers.insert(worker.to_owned(), (bodies.to_vec(), now + lease));
        let mut ids = Vec::new();
        for (name, run) in &self.runs {
            let is_over = |entry: &&Entry| {
                matches!(entry.phase, Phase::Held { until, .. } if until <= now)
                    && bodies.contains(&entry.job.body)
            };
            ids.extend(run.jobs.values().filter(is_over).map(|entry| id_of(name, entry.job.key)));
        }
        let mut taken = Vec::new();
        for id in ids {
            let Some(entry) = self.entry(&id) else { continue };
            let Phase::Held { mark, is_stopped, .. } = entry.phase else { continue };
            if taken.len() == room {
                break;
            }
            entry.deaths += 1;
            entry.deaths_alone += u32::from(mark == Mark::StartedAlone);
            if (entry.job.is_once && mark != Mark::None) || entry.deaths_alone >= 2 {
                self.end(&id, End::Lost);
            } else if is_stopped {
                self.end(&id, End::Cancelled);
            } else {
                taken.push(entry.hand_over(id, worker, now + lease));
            }
        }
        taken
    }

    pub(super) fn served(&self, now: Duration) -> Vec<BodyId> {
        let alive = self.workers.values().filter(|(_, until)| now < *until);
        let mut bodies: Vec<_> = alive.flat_map(|(bodies, _)| bodies.clone()).collect();
        bodies.sort();
        bodies.dedup();
        bodies
    }
}
