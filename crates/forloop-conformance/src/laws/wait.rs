//! `wait`, and sets of futures and tasks.

use std::task::Poll;
use std::time::Duration;

use forloop_core::places::{BodySet, Place, Spawned, StopBodies};
use forloop_core::types::Completed;
use forloop_core::{Cancelled, Outcome, Task, TaskSet, Timer, wait};

use crate::{Alive, Backend, Gate, Inline, Job, LONG, Log, Spawning, eventually, job, yields};

type Fallible = Job<Result<u64, String>>;
type Bodies<B> = <<B as Backend>::Place as Place<Fallible>>::Set;
type Set<B> = TaskSet<<Bodies<B> as BodySet>::Job, Bodies<B>>;

fn set<B: Backend>(backend: &B, bodies: Vec<Fallible>) -> Set<B> {
    TaskSet::at(&backend.place(), bodies)
}

fn ready(n: u64) -> Fallible {
    job(async move {
        yields(n as usize).await;
        Ok(n)
    })
}

fn gated(gate: &Gate, result: Result<u64, String>) -> Fallible {
    let gate = gate.clone();
    job(async move {
        gate.passed().await;
        result
    })
}

fn panicking() -> Fallible {
    job(async { panic!("on purpose") })
}

/// WAIT-1: Waiting for all returns when all bodies have completed, and a failure does not fail the wait.
pub fn waiting_for_all_returns_when_all_have_completed<B: Backend>(backend: B) {
    let mut running = set(&backend, vec![ready(3), job(async { Err("no".into()) }), panicking()]);
    backend.block_on(async {
        let (done, pending) = wait(&mut running).await;
        let mut indices: Vec<_> = done.iter().map(|done| done.index).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
        assert!(pending.is_empty());
        for done in done {
            match (done.index, Outcome::from(done.outcome)) {
                (0, Outcome::Ok(3)) => {}
                (1, Outcome::Err(error)) => assert_eq!(error, "no"),
                (2, Outcome::Panicked(panic)) => assert_eq!(panic.message(), Some("on purpose")),
                other => panic!("{other:?}"),
            }
        }
    });
}

/// WAIT-2: Waiting for the first completion leaves the other bodies running.
pub fn waiting_for_the_first_leaves_the_others_running<B: Backend>(backend: B) {
    let gate = Gate::default();
    let mut running = set(&backend, vec![gated(&gate, Ok(7)), ready(1)]);
    backend.block_on(async {
        let (done, pending) = wait(&mut running).first_completed().await;
        assert_eq!(done.iter().map(|done| done.index).collect::<Vec<_>>(), [1]);
        assert_eq!(pending.len(), 1);
        gate.open();
        let (done, pending) = wait(pending).await;
        assert!(matches!(done[0].outcome, Outcome::Ok(Ok(7))));
        assert!(pending.is_empty());
    });
}

/// WAIT-3: Waiting for a failure returns at the first error or panic.
pub fn waiting_for_a_failure_returns_at_the_first<B: Backend>(backend: B) {
    for failing in [job(async { Err("no".into()) }), panicking()] {
        let gate = Gate::default();
        let mut running = set(&backend, vec![ready(0), failing, gated(&gate, Ok(7))]);
        backend.block_on(async {
            let (done, pending) = wait(&mut running).first_failure().await;
            assert!(done.iter().any(|done| done.index == 1));
            assert!(done.iter().all(|done| done.index != 2));
            gate.open();
            wait(pending).await;
        });
        assert!(running.is_empty());
    }
}

/// WAIT-3: Without a failure, waiting for one returns when all bodies have completed.
pub fn waiting_for_a_failure_returns_when_all_have_succeeded<B: Backend>(backend: B) {
    let mut running = set(&backend, vec![ready(3), ready(1)]);
    let (done, _) = backend.block_on(wait(&mut running).first_failure());
    assert_eq!(done.len(), 2);
}

/// WAIT-4: A wait that times out returns what has completed; the rest keeps running and can be awaited again.
pub fn a_wait_that_times_out_loses_nothing<B: Backend>(backend: B) {
    let gate = Gate::default();
    let mut running = set(&backend, vec![gated(&gate, Ok(7)), ready(0)]);
    let clock = backend.clock();
    backend.block_on(async {
        let (first, _) = wait(&mut running).first_completed().timer(&clock).timeout(LONG).await;
        assert_eq!(first.len(), 1);
        let (done, pending) =
            wait(&mut running).timer(&clock).timeout(Duration::from_millis(20)).await;
        assert_eq!((done.len(), pending.len()), (0, 1));
        gate.open();
        let (done, _) = wait(pending).timer(&clock).timeout(LONG).await;
        assert!(matches!(done[0].outcome, Outcome::Ok(Ok(7))));
    });
}

/// WAIT-4: A wait that times out returns what completes at that instant, before or after the wait's timer.
pub fn a_wait_that_times_out_returns_what_completes_at_that_instant(in_task: Inline) {
    let clock = in_task.clock();
    let instant = Duration::from_millis(50);
    for first in [true, false] {
        let nap = |n: u64| {
            let clock = clock.clone();
            let early = first.then(|| clock.sleep(instant));
            async move {
                match early {
                    Some(nap) => nap.await,
                    None => clock.sleep(instant).await,
                }
                n
            }
        };
        let mut set = TaskSet::new((0..3).map(nap));
        let waited = wait(&mut set).timer(&clock).timeout(instant);
        let (done, pending) = in_task.block_on(waited);
        assert_eq!((done.len(), pending.len()), (3, 0));
    }
}

/// WAIT-5: A dropped wait leaves every body running in its set, and loses no completion.
pub fn a_dropped_wait_leaves_every_body_running<B: Backend>(backend: B) {
    let (gate, alive) = (Gate::default(), Alive::default());
    let body = |n: u64| {
        let (gate, guard) = (gate.clone(), alive.guard());
        job(async move {
            let _alive = guard;
            if n == 0 {
                gate.passed().await;
            }
            Ok::<_, String>(n)
        })
    };
    let mut running = set(&backend, vec![body(0), body(1)]);
    backend.block_on(async {
        {
            let mut waiting = std::pin::pin!(wait(&mut running));
            for _ in 0..10 {
                let polled = futures_lite::future::poll_once(waiting.as_mut()).await;
                assert!(polled.is_none());
                yields(1).await;
            }
        }
        assert!(alive.now() >= 1);
        gate.open();
        let (done, pending) = wait(&mut running).await;
        let mut indices: Vec<_> = done.iter().map(|done| done.index).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1], "the next wait returns what the dropped wait has seen");
        assert!(pending.is_empty());
    });
    assert_eq!(alive.now(), 0);
}

/// WAIT-6: Waiting on an empty set returns at once in every mode.
pub fn waiting_on_an_empty_set_returns_at_once<B: Backend>(backend: B) {
    let mut running = set(&backend, vec![]);
    backend.block_on(async {
        let (done, pending) = wait(&mut running).await;
        assert!(done.is_empty() && pending.is_empty());
        let (done, pending) = wait(pending).first_completed().await;
        assert!(done.is_empty() && pending.is_empty());
        let (done, pending) =
            wait(pending).first_failure().timer(&backend.clock()).timeout(LONG).await;
        assert!(done.is_empty() && pending.is_empty());
    });
}

/// WAIT-4, law 5: With a timeout of zero, a wait returns what is ready.
pub fn a_timeout_of_zero_returns_what_is_ready<B: Backend>(backend: B) {
    let gate = Gate::default();
    let mut running = set(&backend, vec![gated(&gate, Ok(7))]);
    backend.block_on(async {
        let (done, pending) =
            wait(&mut running).timer(&backend.clock()).timeout(Duration::ZERO).await;
        assert_eq!((done.len(), pending.len()), (0, 1));
    });
}

/// Law 5: A wait returns with more bodies than one round polls, each woken by another.
pub fn waiting_for_many_bodies_that_wake_each_other_returns<B: Backend>(backend: B) {
    for count in [255, 256, 257, 1000] {
        let gate = Gate::default();
        let mut bodies: Vec<_> = (0..count).map(|n| gated(&gate, Ok(n))).collect();
        let last = gate.clone();
        bodies.push(job(async move {
            last.open();
            Ok(0)
        }));
        let mut running = set(&backend, bodies);
        let (done, pending) = backend.block_on(wait(&mut running));
        assert_eq!((done.len() as u64, pending.len()), (count + 1, 0));
    }
}

/// LST-3: Dropping a set stops its bodies.
pub fn a_dropped_set_stops_its_bodies<B: Backend>(backend: B) {
    let alive = Alive::default();
    let bodies = (0..5).map(|n| {
        let guard = alive.guard();
        job(async move {
            let _alive = guard;
            if n > 0 {
                std::future::pending::<()>().await;
            }
            Ok(n)
        })
    });
    let mut running = set(&backend, bodies.collect());
    backend.block_on(async {
        let (done, _) = wait(&mut running).first_completed().await;
        assert_eq!(done.len(), 1);
        drop(running);
        if !B::SPAWNED {
            assert_eq!(alive.now(), 0);
        }
        eventually(&backend.clock(), || alive.now() == 0).await;
    });
}

/// WAIT-1: Futures that are pushed later are awaited as well, and get the next indices.
pub fn futures_pushed_later_get_the_next_indices(_in_task: Inline) {
    let count = async |n: usize| {
        yields(n).await;
        n
    };
    let mut running = TaskSet::new([count(5), count(1)]);
    assert_eq!((running.push(count(3)), running.len()), (2, 3));
    futures_lite::future::block_on(async {
        let (done, pending) = wait(&mut running).first_completed().await;
        assert_eq!(done[0].index, 1);
        assert_eq!((pending.push(count(0)), pending.len()), (3, 3));
        let (done, pending) = wait(pending).await;
        let outcomes: Vec<_> =
            done.into_iter().map(|done| (done.index, done.outcome.ok())).collect();
        assert_eq!(outcomes, [(3, Some(0)), (2, Some(3)), (0, Some(5))]);
        assert!(pending.is_empty());
    });
}

/// WAIT-2, law 9: A task that refills a set of ready futures, and waits for it again and again, yields.
pub fn waiting_for_a_refilled_set_yields(_in_task: Inline) {
    let mut completed = 0;
    let mut running = TaskSet::new([std::future::ready(())]);
    let endless = async {
        loop {
            let (done, set) = wait(&mut running).first_completed().await;
            completed += done.len();
            set.push(std::future::ready(()));
        }
    };
    let mut endless = Box::pin(endless);
    futures_lite::future::block_on(async {
        for _ in 0..10 {
            let polled: Option<()> = futures_lite::future::poll_once(endless.as_mut()).await;
            assert!(polled.is_none());
        }
    });
    drop(endless);
    assert!((10..=2560).contains(&completed), "{completed} futures in ten polls");
}

/// A timer that never fires and logs each poll.
#[derive(Clone)]
struct PollsLogged(Log<&'static str>);

impl Timer for PollsLogged {
    fn sleep(&self, _duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let log = self.0.clone();
        std::future::poll_fn(move |_| {
            log.write("timer");
            Poll::Pending
        })
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// WAIT-4: Each poll of a wait polls its timer before its bodies, which may use up what the runtime allows the
/// task.
pub fn a_wait_polls_its_timer_before_its_bodies(_in_task: Inline) {
    let log = Log::default();
    let timer = PollsLogged(log.clone());
    let body = |log: Log<&'static str>| async move {
        for _ in 0..3 {
            log.write("body");
            yields(1).await;
        }
    };
    let mut running = TaskSet::new([body(log.clone())]);
    futures_lite::future::block_on(async {
        let (done, _) = wait(&mut running).timer(&timer).timeout(LONG).await;
        assert_eq!(done.len(), 1);
    });
    let polls = log.read();
    assert_eq!(polls[0], "timer");
    assert!(polls.windows(2).all(|pair| pair != ["body", "body"]), "{polls:?}");
}

/// WAIT-1: Tasks that are pushed later are awaited as well, and get the next indices.
pub fn tasks_pushed_later_get_the_next_indices<B: Spawning>(backend: B) {
    let task = |n: u64| backend.spawn(job(async move { n * 10 }));
    let mut running: TaskSet<_> = [task(0), task(1)].into_iter().collect();
    assert_eq!((running.push_task(task(2)), running.push_task(task(3))), (2, 3));
    let (mut done, pending) = backend.block_on(wait(&mut running));
    assert!(pending.is_empty());
    done.sort_by_key(|done| done.index);
    let outcomes: Vec<_> = done.into_iter().map(|done| (done.index, done.outcome.ok())).collect();
    assert_eq!(outcomes, [(0, Some(0)), (1, Some(10)), (2, Some(20)), (3, Some(30))]);
}

/// WAIT-1, LST-4: In a set of tasks a cancelled task is an outcome; in a set of futures it is the output of one.
pub fn a_cancelled_task_is_an_outcome_of_a_set_of_tasks<B: Spawning>(backend: B) {
    let cancelled = || -> Task<u64> {
        let task = backend.spawn(job(std::future::pending()));
        task.request_cancel();
        task
    };
    let mut sets = [TaskSet::from_tasks([cancelled()]), [cancelled()].into_iter().collect()];
    let mut futures = TaskSet::new([cancelled()]);
    backend.block_on(async {
        for set in &mut sets {
            let (done, _): (Vec<Completed<u64>>, _) = wait(set).await;
            assert!(matches!(done[0].outcome, Outcome::Cancelled | Outcome::NotRun));
        }
        let (done, _): (Vec<Completed<Result<u64, Cancelled>>>, _) = wait(&mut futures).await;
        assert!(matches!(done[0].outcome, Outcome::Ok(Err(Cancelled))));
    });
}

/// A body that holds a guard and is pending forever.
fn endless(alive: &Alive) -> Fallible {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        std::future::pending().await
    })
}

/// WAIT-7: A future that is cancelled in its set has been dropped, and the others run on.
pub fn a_cancelled_future_of_a_set_is_dropped_alone(_in_task: Inline) {
    let alive = Alive::default();
    let ready = || job(async { Ok(7) });
    let mut set = TaskSet::new([endless(&alive), ready(), endless(&alive)]);
    set.extend([endless(&alive)]);
    set.request_cancel(0);
    set.request_cancel(9);
    assert_eq!((alive.now(), set.len()), (2, 4));
    futures_lite::future::block_on(async {
        let (done, pending) = wait(&mut set).first_completed().await;
        assert!(matches!(done[..], [Completed { index: 0, outcome: Outcome::Cancelled, .. }]));
        let (done, pending) = wait(pending).first_completed().await;
        assert!(matches!(done[..], [Completed { index: 1, outcome: Outcome::Ok(Ok(7)), .. }]));
        pending.request_cancel(1);
        pending.request_cancel(2);
        pending.push(ready());
        let mut done = pending.cancel().await;
        done.sort_by_key(|done| done.index);
        assert_eq!(done.iter().map(|done| done.index).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(done.iter().all(|done| matches!(done.outcome, Outcome::Cancelled)));
        assert!(pending.is_empty() && alive.now() == 0);
        // The set can be filled again.
        assert_eq!(pending.push(ready()), 5);
        assert!(matches!(wait(pending).await.0[0].outcome, Outcome::Ok(Ok(7))));
    });
}

/// Of a body that waits for the gate and one that is endless, cancels the second.
async fn cancel_second<J, R>(mut set: TaskSet<J, R>, gate: Gate, alive: &Alive)
where
    R: StopBodies<Job = J, Output = Result<u64, String>>,
{
    set.request_cancel(1);
    let (done, pending) = wait(&mut set).first_completed().await;
    assert_eq!((done.len(), done[0].index, pending.len()), (1, 1, 1));
    assert!(matches!(done[0].outcome, Outcome::Cancelled | Outcome::NotRun) && alive.now() == 0);
    gate.open();
    let (done, pending) = wait(pending).await;
    assert!(matches!(done[..], [Completed { index: 0, outcome: Outcome::Ok(Ok(7)), .. }]));
    assert!(pending.cancel().await.is_empty());
}

/// WAIT-7: A task that is cancelled in its set stops, and the others run on.
pub fn a_cancelled_task_of_a_set_stops_alone<B: Spawning>(backend: B) {
    let alive = Alive::default();
    let bodies = |gate: &Gate| [gated(gate, Ok(7)), endless(&alive)];
    backend.block_on(async {
        let gate = Gate::default();
        let tasks: TaskSet<_> = bodies(&gate).into_iter().map(|body| backend.spawn(body)).collect();
        cancel_second(tasks, gate, &alive).await;
        let gate = Gate::default();
        let started = TaskSet::at(&Spawned(backend.runtime()), bodies(&gate));
        cancel_second(started, gate, &alive).await;
    });
}

/// WAIT-7, law 1: A set that is cancelled has stopped, with the tasks that its futures had started, and returns the
/// values of those that completed first.
pub fn a_cancelled_set_has_stopped_with_what_its_futures_had_started<B: Spawning>(backend: B) {
    let alive = Alive::default();
    let body = |n: u64| {
        let tasks = [backend.spawn(endless(&alive)), backend.spawn(endless(&alive))];
        job(async move {
            if n == 1 {
                return Ok(n);
            }
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            Ok::<_, String>(n)
        })
    };
    backend.block_on(async {
        let mut set = TaskSet::new((0..4).map(body));
        let (done, pending) = wait(&mut set).first_completed().await;
        assert!(matches!(done[..], [Completed { index: 1, outcome: Outcome::Ok(Ok(1)), .. }]));
        pending.request_cancel(2);
        let (done, pending) = wait(pending).first_completed().await;
        assert!(matches!(done[..], [Completed { index: 2, outcome: Outcome::Cancelled, .. }]));
        // The tasks of the second body were dropped when it had returned.
        eventually(&backend.clock(), || alive.now() <= 4).await;
        let done = pending.cancel().await;
        assert_eq!((done.len(), pending.len(), alive.now()), (2, 0, 0));

        // Those that had not been polled, as tasks.
        let mut tasks: TaskSet<_> = (0..3).map(|n| backend.spawn(body(n))).collect();
        tasks.extend([backend.spawn(job(async { Ok(9) }))]);
        let mut done = tasks.cancel().await;
        done.sort_by_key(|done| done.index);
        assert_eq!(done.iter().map(|done| done.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
        eventually(&backend.clock(), || alive.now() == 0).await;
    });
}
