//! tokio allows a task only so many operations in a turn. A body that uses them all up does not starve the others:
//! law 9 with tokio's own budget.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use forloop_core::{Outcome, TaskSet, each, local_scope, wait};
use forloop_tokio::Tokio;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;

/// The operations of a busy body after which the others count as starved: some hundred turns.
const MOST: usize = 50_000;

/// Some patient bodies, and one that uses up tokio's budget until they are done.
struct Bodies {
    done: AtomicUsize,
    patient: usize,
}

impl Bodies {
    fn new(patient: usize) -> Self {
        Self { done: AtomicUsize::new(0), patient }
    }

    /// Acquires a semaphore that always has a permit. Returns whether the patient bodies were done in time.
    async fn busy(&self) -> bool {
        let semaphore = Semaphore::new(1);
        for _ in 0..MOST {
            if self.done.load(Ordering::SeqCst) == self.patient {
                return true;
            }
            drop(semaphore.acquire().await.unwrap());
        }
        false
    }

    /// Acquires a semaphore once.
    async fn patient(&self) -> bool {
        drop(Semaphore::new(1).acquire().await.unwrap());
        self.done.fetch_add(1, Ordering::SeqCst);
        true
    }

    async fn run(&self, is_busy: bool) -> bool {
        tokio::task::yield_now().await;
        if is_busy { self.busy().await } else { self.patient().await }
    }
}

/// Checks with each of eight bodies as the busy one, on one thread and beside the workers of a runtime, as in
/// `#[tokio::main]`. There tokio wakes a body that is out of budget at once.
fn on_tokio(check: impl AsyncFn(Arc<Bodies>, usize)) {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let runtime = builder.worker_threads(2).build().unwrap();
        for busy in 0..8 {
            runtime.block_on(check(Arc::new(Bodies::new(7)), busy));
        }
    }
}

#[test]
fn a_body_starves_no_other_in_the_loops_task() {
    on_tokio(async |bodies, busy| {
        let body = |n| bodies.run(n == busy);
        assert_eq!(each(0..8).unbounded().gather(body).await, [true; 8]);
    });
    // As many as are polled in a turn if each is polled in every round.
    on_tokio(async |bodies, busy| {
        bodies.done.store(4, Ordering::SeqCst);
        let body = |n| bodies.run(n == busy % 4);
        assert_eq!(each(0..4).unbounded().gather(body).await, [true; 4]);
    });
    on_tokio(async |bodies, busy| {
        let body = |n| bodies.run(n == busy);
        let looping = each(0..4)
            .unbounded()
            .gather(async |outer| each(2 * outer..2 * outer + 2).unbounded().gather(body).await);
        assert_eq!(looping.await, vec![vec![true; 2]; 4]);
    });
}

#[test]
fn a_body_starves_no_other_on_its_worker() {
    for workers in [1, 2] {
        let workers = NonZeroUsize::new(workers).unwrap();
        let body = |bodies: &Arc<Bodies>, busy| {
            let bodies = bodies.clone();
            move |n| {
                let bodies = bodies.clone();
                async move { bodies.run(n == busy).await }
            }
        };
        // Workers that pull their bodies, and workers to which the loop pushes them.
        on_tokio(async |bodies, busy| {
            let runtime = Tokio::current().unwrap();
            let looping = each(0..8).unbounded().on_workers_of(runtime, workers);
            assert_eq!(looping.gather(body(&bodies, busy)).await, [true; 8]);
        });
        on_tokio(async |bodies, busy| {
            let runtime = Tokio::current().unwrap();
            let looping = each(0..8).unbounded().limit_by(|n| *n, 1).unwrap();
            let looping = looping.on_workers_of(runtime, workers);
            assert_eq!(looping.gather(body(&bodies, busy)).await, [true; 8]);
        });
    }
}

#[test]
fn a_future_starves_no_other_of_its_set() {
    on_tokio(async |bodies, busy| {
        let mut set = TaskSet::new((0..8).map(|n| bodies.run(n == busy)));
        let (done, _) = wait(&mut set).await;
        assert!(done.into_iter().all(|done| matches!(done.outcome, Outcome::Ok(true))));
    });
}

#[test]
fn no_part_of_a_scope_starves_another() {
    on_tokio(async |bodies, busy| {
        let bodies = &bodies;
        let checked = |in_time| if in_time { Ok(()) } else { Err(()) };
        let scope = local_scope(|scope| async move {
            for n in 1..8 {
                drop(scope.spawn(async move { checked(bodies.run(n == busy).await) }));
            }
            checked(bodies.run(busy == 0).await)
        });
        assert_eq!(scope.await, Ok(()));
    });
}

#[test]
fn neither_a_consumer_nor_a_body_starves_the_others() {
    on_tokio(async |bodies, busy| {
        let results = each(1..8).unbounded().stream(|n| bodies.run(n == busy));
        let consumed = results.consume(async |mut results| {
            let mut in_time = vec![bodies.run(busy == 0).await];
            while let Some(result) = results.next().await {
                in_time.push(result);
            }
            in_time
        });
        assert_eq!(consumed.await, [true; 8]);
    });
}
