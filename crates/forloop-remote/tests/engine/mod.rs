//! The contract of an engine, step by step: what producers and workers take for granted of a broker.

use std::sync::Arc;
use std::time::Duration;

use forloop_core::Runtime;
use forloop_remote::{BodyId, Delivery, End, Engine, EngineError, Job, JobKey, Lease, Submission};

/// How long to wait for what is there.
const WAIT: Duration = Duration::from_millis(100);

/// An engine, a clock, and the lease to use.
pub(crate) struct Contract<R> {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: R,
    pub(crate) lease: Duration,
}

fn body(name: &str) -> BodyId {
    BodyId { name: name.to_owned(), version: 1 }
}

fn key(index: u64) -> JobKey {
    JobKey { index, attempt: 1 }
}

fn job(name: &str, index: u64) -> Arc<Job> {
    let job = Job::new(key(index), body(name), false, format!("{index}").into_bytes());
    // The first has none.
    Arc::new(job.with_context("context ".repeat(index as usize)))
}

fn ok(value: &str) -> End {
    End::Ok(value.into())
}

impl<R: Runtime> Contract<R> {
    /// Runs all laws, each with names of its own.
    pub(crate) async fn check(&self) {
        self.a_submission_is_idempotent_and_answers("submit").await;
        self.a_lease_of_a_run_is_exclusive_and_ends("hold").await;
        self.a_job_is_taken_once_and_by_those_who_serve_it("take").await;
        self.the_first_outcome_wins("complete").await;
        self.a_held_job_is_reclaimed_after_its_lease_and_not_before("reclaim").await;
        self.a_renewed_job_is_not_reclaimed("renew").await;
        self.a_once_job_that_has_started_is_lost("once").await;
        self.a_job_that_dies_twice_alone_is_lost("alone").await;
        self.a_queued_job_is_stopped_at_once_and_a_held_one_by_its_worker("stop").await;
        self.a_forgotten_run_leaves_nothing("forget").await;
        self.a_late_end_of_another_worker_counts_but_not_its_cancellation("late").await;
    }

    async fn submit(&self, run: &str, jobs: &[Arc<Job>]) -> Vec<Submission> {
        assert!(self.engine.hold(run, "producer", self.lease * 20, None).await.unwrap());
        self.engine.submit(run, "producer", jobs).await.unwrap()
    }

    async fn take(&self, worker: &str, name: &str, room: usize) -> Vec<Delivery> {
        let bodies = [body(name)];
        let reclaimed = self.engine.reclaim(worker, &bodies, room, self.lease).await.unwrap();
        let left = room - reclaimed.len();
        if left == 0 || !reclaimed.is_empty() {
            return reclaimed;
        }
        self.engine.take(worker, &bodies, left, self.lease, WAIT).await.unwrap()
    }

    async fn outcomes(&self, run: &str) -> Vec<(JobKey, End)> {
        let mut all = Vec::new();
        loop {
            let mut outcomes = self.engine.outcomes(run, WAIT).await.unwrap();
            if outcomes.is_empty() {
                all.sort_by_key(|(key, _)| *key);
                return all;
            }
            all.append(&mut outcomes);
        }
    }

    async fn complete(&self, worker: &str, delivery: &Delivery, end: End) {
        self.engine.complete(worker, &[(delivery.id.clone(), end)]).await.unwrap();
    }

    async fn lease_passes(&self) {
        self.clock.sleep(self.lease + self.lease / 3).await;
    }

    async fn a_submission_is_idempotent_and_answers(&self, run: &str) {
        let jobs = [job(run, 0), job(run, 1)];
        assert_eq!(self.submit(run, &jobs).await, [Submission::Pending, Submission::Pending]);
        assert_eq!(self.submit(run, &jobs).await, [Submission::Pending, Submission::Pending]);
        let taken = self.take("w", run, 9).await;
        assert_eq!(taken.len(), 2, "each is queued once: {taken:?}");
        assert_eq!((&taken[0].job, &taken[1].job), (&*jobs[0], &*jobs[1]));
        assert_eq!(self.submit(run, &jobs).await, [Submission::Pending, Submission::Pending]);
        self.complete("w", &taken[0], ok("zero")).await;
        let other = Arc::new(Job::new(key(1), body(run), false, b"another".to_vec()));
        // The context is no part of the item.
        let first = Job { context: "another".to_owned(), ..(*jobs[0]).clone() };
        let answers = self.submit(run, &[Arc::new(first), other]).await;
        assert_eq!(answers, [Submission::Done(ok("zero")), Submission::Different]);
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_lease_of_a_run_is_exclusive_and_ends(&self, run: &str) {
        let engine = &self.engine;
        assert!(engine.hold(run, "one", self.lease, None).await.unwrap());
        assert!(!engine.hold(run, "two", self.lease, None).await.unwrap());
        assert!(engine.hold(run, "one", self.lease, None).await.unwrap());
        let refused = engine.submit(run, "two", &[job(run, 0)]).await;
        assert!(matches!(refused, Err(EngineError::RunTaken)), "{refused:?}");
        assert!(matches!(engine.forget(run, "two").await, Err(EngineError::RunTaken)));
        self.lease_passes().await;
        assert!(engine.hold(run, "two", self.lease, None).await.unwrap());
        assert!(matches!(engine.submit(run, "one", &[]).await, Err(EngineError::RunTaken)));
        engine.release(run, "one").await.unwrap();
        assert!(
            !engine.hold(run, "one", self.lease, None).await.unwrap(),
            "only its holder releases it"
        );
        engine.release(run, "two").await.unwrap();
        assert!(engine.hold(run, "one", self.lease, None).await.unwrap());
        engine.forget(run, "one").await.unwrap();
    }

    async fn a_job_is_taken_once_and_by_those_who_serve_it(&self, run: &str) {
        let other = format!("{run} of others");
        let jobs = [job(run, 0), job(&other, 1), job(run, 2), job(run, 3)];
        self.submit(run, &jobs).await;
        let first = self.take("v", run, 2).await;
        let second = self.take("w", run, 9).await;
        let indices = |taken: &[Delivery]| {
            taken.iter().map(|delivery| delivery.job.key.index).collect::<Vec<_>>()
        };
        assert_eq!((indices(&first), indices(&second)), (vec![0, 2], vec![3]));
        assert!(self.take("w", run, 9).await.is_empty());
        let served = self.engine.served().await.unwrap();
        assert!(served.contains(&body(run)), "{served:?}");
        // Both, with room for one.
        let both = [body(run), body(&other)];
        let taken = async || self.engine.take("w", &both, 1, self.lease, WAIT).await.unwrap();
        let mut taken_later = taken().await;
        taken_later.extend(taken().await);
        assert_eq!(indices(&taken_later), [1]);
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn the_first_outcome_wins(&self, run: &str) {
        self.submit(run, &[job(run, 0)]).await;
        let taken = self.take("w", run, 1).await;
        self.complete("w", &taken[0], ok("first")).await;
        self.complete("w", &taken[0], ok("second")).await;
        self.complete("v", &taken[0], End::Lost).await;
        assert_eq!(self.outcomes(run).await, [(key(0), ok("first"))]);
        assert_eq!(self.submit(run, &[job(run, 0)]).await, [Submission::Done(ok("first"))]);
        assert!(self.take("w", run, 1).await.is_empty());
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_held_job_is_reclaimed_after_its_lease_and_not_before(&self, run: &str) {
        self.submit(run, &[job(run, 0)]).await;
        let first = self.take("v", run, 1).await;
        assert_eq!(first[0].deaths, 0);
        assert!(self.take("w", run, 1).await.is_empty());
        for deaths in 1..4 {
            self.lease_passes().await;
            let again = self.take("w", run, 1).await;
            assert_eq!((again.len(), again[0].deaths, &again[0].job), (1, deaths, &first[0].job));
        }
        let leases = self.engine.renew("v", &[first[0].id.clone()], self.lease).await.unwrap();
        assert_eq!(leases, [Lease::TakenOver]);
        assert!(!self.engine.begin("v", &first[0].id, false).await.unwrap());
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_renewed_job_is_not_reclaimed(&self, run: &str) {
        self.submit(run, &[job(run, 0)]).await;
        let taken = self.take("v", run, 1).await;
        for _ in 0..10 {
            self.clock.sleep(self.lease / 5).await;
            let leases = self.engine.renew("v", &[taken[0].id.clone()], self.lease).await.unwrap();
            assert_eq!(leases, [Lease::Kept]);
            assert!(
                self.engine.reclaim("w", &[body(run)], 1, self.lease).await.unwrap().is_empty()
            );
        }
        self.complete("v", &taken[0], ok("done")).await;
        let leases = self.engine.renew("v", &[taken[0].id.clone()], self.lease).await.unwrap();
        assert_eq!(leases, [Lease::TakenOver], "it is done");
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_once_job_that_has_started_is_lost(&self, run: &str) {
        let once = |index| Arc::new(Job::new(key(index), body(run), true, b"1".to_vec()));
        self.submit(run, &[once(0), once(1)]).await;
        let taken = self.take("v", run, 2).await;
        assert!(self.engine.begin("v", &taken[0].id, false).await.unwrap());
        assert!(self.engine.begin("v", &taken[0].id, false).await.unwrap(), "it is idempotent");
        self.lease_passes().await;
        let again = self.take("w", run, 2).await;
        assert_eq!(again.len(), 1, "the one that has not started");
        assert_eq!(again[0].job.key, key(1));
        assert_eq!(self.outcomes(run).await, [(key(0), End::Lost)]);
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_job_that_dies_twice_alone_is_lost(&self, run: &str) {
        self.submit(run, &[job(run, 0)]).await;
        for deaths in 0..4 {
            let taken = self.take("w", run, 1).await;
            assert_eq!(taken[0].deaths, deaths);
            if deaths >= 2 {
                assert!(self.engine.begin("w", &taken[0].id, true).await.unwrap());
            }
            self.lease_passes().await;
        }
        assert!(self.take("w", run, 1).await.is_empty());
        assert_eq!(self.outcomes(run).await, [(key(0), End::Lost)]);
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_queued_job_is_stopped_at_once_and_a_held_one_by_its_worker(&self, run: &str) {
        self.submit(run, &[job(run, 0), job(run, 1), job(run, 2)]).await;
        let taken = self.take("w", run, 2).await;
        self.complete("w", &taken[1], ok("done")).await;
        let keys = [key(0), key(1), key(2), key(3)];
        let answers = self.engine.stop(run, &keys).await.unwrap();
        let expected = [None, Some(ok("done")), Some(End::NotRun), Some(End::NotRun)];
        assert_eq!(answers, expected, "held, done, queued, not known");
        assert_eq!(self.engine.stop(run, &keys).await.unwrap(), expected);
        assert!(self.take("v", run, 9).await.is_empty());
        let leases = self.engine.renew("w", &[taken[0].id.clone()], self.lease).await.unwrap();
        assert_eq!(leases, [Lease::Stopped]);
        self.complete("w", &taken[0], End::Cancelled).await;
        let outcomes = self.outcomes(run).await;
        assert!(outcomes.contains(&(key(0), End::Cancelled)), "{outcomes:?}");
        // Neither has an outcome that lasts.
        let answers = self.submit(run, &[job(run, 0), job(run, 2)]).await;
        assert_eq!(answers, [Submission::Pending, Submission::Pending]);
        let again = self.take("v", run, 9).await;
        assert_eq!(again.len(), 2);
        // The worker of a stopped job dies.
        self.engine.stop(run, &[key(0)]).await.unwrap();
        self.lease_passes().await;
        let left = self.take("w", run, 9).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].job.key, key(2));
        assert!(self.outcomes(run).await.contains(&(key(0), End::Cancelled)));
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_forgotten_run_leaves_nothing(&self, run: &str) {
        let jobs: Vec<_> = (0..300).map(|index| job(run, index)).collect();
        self.submit(run, &jobs).await;
        let taken = self.take("w", run, 2).await;
        self.complete("w", &taken[0], ok("done")).await;
        self.engine.forget(run, "producer").await.unwrap();
        self.engine.forget(run, "producer").await.unwrap();
        assert!(self.take("w", run, 9).await.is_empty());
        self.complete("w", &taken[1], ok("late")).await;
        assert!(self.outcomes(run).await.is_empty());
        let leases = self.engine.renew("w", &[taken[1].id.clone()], self.lease).await.unwrap();
        assert_eq!(leases, [Lease::TakenOver]);
        assert_eq!(self.submit(run, &jobs[..1]).await, [Submission::Pending], "it begins anew");
        self.engine.forget(run, "producer").await.unwrap();
    }

    async fn a_late_end_of_another_worker_counts_but_not_its_cancellation(&self, run: &str) {
        self.submit(run, &[job(run, 0)]).await;
        let first = self.take("v", run, 1).await;
        self.lease_passes().await;
        let second = self.take("w", run, 1).await;
        self.complete("v", &first[0], End::Cancelled).await;
        assert!(self.outcomes(run).await.is_empty());
        self.complete("v", &first[0], ok("late")).await;
        self.complete("w", &second[0], ok("later")).await;
        assert_eq!(self.outcomes(run).await, [(key(0), ok("late"))]);
        self.engine.forget(run, "producer").await.unwrap();
    }
}
