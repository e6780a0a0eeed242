//! Model checks of the shared source, under every interleaving: each body is pulled once, a worker that
//! waits is woken, and the source is dropped once.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;
use core::time::Duration;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::batch_size::BatchSize;
use super::body_source::{BatchEnd, SourceBodies};
use super::shared_source::SharedSource;
use super::unstarted::{Batch, Contended};
use super::worker_options::{TimeLimits, WorkerOptions};

/// A loop without options, over a source that cannot fail.
struct Plain;

impl<G> WorkerOptions<G> for Plain {
    type Item = G;

    fn item_of(&mut self, given: G) -> Option<G> {
        Some(given)
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        None
    }
}

/// Parks the thread of a worker until the worker is woken.
struct Parker(Notify);

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Makes a source of this many items. The second value has one more owner until the source is dropped.
fn shared_source(
    items: usize,
    limit: Option<usize>,
    workers: usize,
) -> (Arc<SharedSource<'static, usize>>, Arc<()>) {
    let guard = Arc::new(());
    let inside = guard.clone();
    let body = move |n| {
        let _guard = &inside;
        n
    };
    let body_source =
        Box::pin(SourceBodies::new(futures_lite::stream::iter(0..items), body, Plain));
    (Arc::new(SharedSource::new(body_source, limit, workers, (0, None), false)), guard)
}

/// The size of a worker's batches: one body at first, or some, after one that was short.
fn batch_size(is_one: bool) -> BatchSize {
    let mut batch_size = BatchSize::for_bodies_of(1);
    if !is_one {
        batch_size.measure(1, Duration::ZERO);
    }
    batch_size
}

/// Pulls bodies, or takes those of other workers, and sleeps if there are none, until no more will come. Calls `started` with
/// the index of each.
fn work(
    source: &SharedSource<'static, usize>,
    worker: usize,
    pulls_one: bool,
    mut started: impl FnMut(usize),
) {
    let parker = Arc::new(Parker(Notify::new()));
    let waker = Waker::from(parker.clone());
    let (batch_size, mut pulled) = (batch_size(pulls_one), Batch::new());
    loop {
        source.sleepers.register(worker, &waker);
        let (has_pulled, end) =
            source.pull_batch(worker, 9, &batch_size, true, Waker::noop(), &mut pulled);
        match end {
            BatchEnd::Full => {}
            BatchEnd::Pending => parker.0.wait(),
            BatchEnd::Contended => thread::yield_now(),
            BatchEnd::Exhausted if !has_pulled => return,
            BatchEnd::Exhausted => {}
            BatchEnd::SourceFailed(_)
            | BatchEnd::BodyPanicked(..)
            | BatchEnd::SourcePanicked(_) => {
                unreachable!("neither the source nor the closure fails")
            }
        }
        if !pulled.bodies.is_empty() {
            retry(|| source.fill(worker, &mut pulled));
        }
        while let Some(index) = start(source, worker) {
            started(index);
        }
    }
}

/// Takes the first body out of the worker's queue.
fn start(source: &SharedSource<'static, usize>, worker: usize) -> Option<usize> {
    let mut queue = retry(|| source.unstarted(worker));
    let index = queue.first()?;
    queue.first += 1;
    assert_eq!(queue.bodies.pop_front(), Some(index), "indices follow the order of the items");
    Some(index)
}

fn retry<T>(mut attempt: impl FnMut() -> Result<T, Contended>) -> T {
    loop {
        if let Ok(value) = attempt() {
            return value;
        }
        thread::yield_now();
    }
}

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

#[test]
fn two_workers_pull_each_body_once() {
    model(|| {
        let (source, guard) = shared_source(2, None, 2);
        let other = source.clone();
        let other = thread::spawn(move || {
            let mut pulled = Vec::new();
            work(&other, 1, true, |index| pulled.push(index));
            pulled
        });
        let mut all = Vec::new();
        work(&source, 0, true, |index| all.push(index));
        all.extend(other.join().unwrap());
        all.sort_unstable();
        assert_eq!(all, [0, 1]);
        assert_eq!(
            (source.pulled(), source.is_exhausted(), Arc::strong_count(&guard)),
            (2, true, 1)
        );
    });
}

#[test]
fn a_worker_that_waits_for_the_source_is_woken_when_it_is_put_back() {
    model(|| {
        let (source, _guard) = shared_source(2, None, 2);
        // Pulls once, as a worker that has no capacity left after that.
        let full = source.clone();
        let full = thread::spawn(move || {
            let mut pulled = Batch::new();
            full.pull_batch(1, 1, &batch_size(true), false, Waker::noop(), &mut pulled);
            if !pulled.bodies.is_empty() {
                retry(|| full.fill(1, &mut pulled));
            }
            usize::from(start(&full, 1).is_some())
        });
        let mut pulled = 0;
        work(&source, 0, true, |_| pulled += 1);
        assert_eq!(pulled + full.join().unwrap(), 2);
    });
}

#[test]
fn a_worker_that_waits_for_a_permit_is_woken_when_one_is_released() {
    model(|| {
        let (source, _guard) = shared_source(2, Some(1), 1);
        let completed = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (source, completed) = (source.clone(), completed.clone());
            thread::spawn(move || {
                work(&source, 0, true, |_| {
                    completed.fetch_add(1, Ordering::SeqCst);
                });
            })
        };
        // The dispatcher releases a permit some time after the completion.
        while completed.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        source.release(1);
        while completed.load(Ordering::SeqCst) == 1 {
            thread::yield_now();
        }
        source.release(2);
        worker.join().unwrap();
        assert!(source.is_exhausted());
    });
}

#[test]
fn a_source_that_is_closed_while_workers_pull_is_dropped_once_and_they_complete() {
    model(|| {
        let (source, guard) = shared_source(2, None, 1);
        let worker = {
            let source = source.clone();
            thread::spawn(move || {
                let mut next = 0;
                work(&source, 0, true, |index| {
                    assert_eq!(index, next);
                    next += 1;
                });
                next
            })
        };
        assert!(source.close().is_none());
        source.sleepers.notify_all();
        let pulled = worker.join().unwrap();
        assert_eq!((source.pulled(), Arc::strong_count(&guard)), (pulled, 1));
    });
}

#[test]
fn a_body_that_waits_behind_another_is_started_by_a_worker_that_has_nothing_to_do() {
    model(|| {
        let (source, _guard) = shared_source(2, None, 2);
        let (started, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        // The body that starts first completes when the other one has started.
        let meet = |started: &AtomicUsize, second: &Notify| {
            if started.fetch_add(1, Ordering::SeqCst) == 0 {
                second.wait();
            } else {
                second.notify();
            }
        };
        // This worker pulls both bodies, if it comes first.
        let other = {
            let (source, started, second) = (source.clone(), started.clone(), second.clone());
            thread::spawn(move || work(&source, 1, false, |_| meet(&started, &second)))
        };
        work(&source, 0, true, |_| meet(&started, &second));
        other.join().unwrap();
    });
}

#[test]
fn each_body_that_is_left_when_workers_stop_is_left_to_one_of_them() {
    model(|| {
        let (source, _guard) = shared_source(2, None, 2);
        let mut pulled = Batch::new();
        source.pull_batch(0, 2, &batch_size(false), false, Waker::noop(), &mut pulled);
        let other = source.clone();
        let other = thread::spawn(move || {
            let mut taken = Batch::new();
            // Its limit has room for one.
            other.pull_batch(1, 1, &batch_size(true), true, Waker::noop(), &mut taken);
            left(&other, 1, &mut taken)
        });
        let left = left(&source, 0, &mut pulled);
        assert_eq!(left + other.join().unwrap(), 2);
    });
}

/// Stops a worker, and returns the number of bodies that are left to it.
fn left(source: &SharedSource<'static, usize>, worker: usize, pulled: &mut Batch<usize>) -> usize {
    let mut bodies = 0;
    source.close_unstarted(worker, pulled, |batch| bodies += batch.bodies.len());
    bodies
}

/// Each mutation leaves out a step of the protocol, and makes a test above fail that passes without it.
mod negative_controls {
    use crate::engine::{Mutation, is_found_by};

    fn finds(mutation: Mutation, test: &str) {
        is_found_by(mutation, &std::format!("place::pool::model::{test}"), "deadlock");
    }

    #[test]
    fn a_worker_that_sleeps_without_a_second_attempt_at_the_source_is_found() {
        let test = "a_worker_that_waits_for_the_source_is_woken_when_it_is_put_back";
        finds(Mutation::WaitsWithoutRecheck, test);
    }

    #[test]
    fn a_worker_that_puts_the_source_back_without_a_notification_is_found() {
        let test = "a_worker_that_waits_for_the_source_is_woken_when_it_is_put_back";
        finds(Mutation::ReturnsSourceSilently, test);
    }

    #[test]
    fn a_worker_that_sleeps_without_a_second_look_at_the_permits_is_found() {
        let test = "a_worker_that_waits_for_a_permit_is_woken_when_one_is_released";
        finds(Mutation::WaitsForRoomWithoutRecheck, test);
    }

    #[test]
    fn a_worker_that_finds_the_source_exhausted_without_a_notification_is_found() {
        finds(Mutation::ExhaustsSourceSilently, "two_workers_pull_each_body_once");
    }

    #[test]
    fn a_worker_that_fills_its_queue_after_others_have_found_the_source_exhausted_is_found() {
        let test = "a_body_that_waits_behind_another_is_started_by_a_worker_that_has_nothing_to_do";
        finds(Mutation::FillsLate, test);
    }

    #[test]
    fn a_worker_that_leaves_what_another_had_to_leave_is_found() {
        let test = "each_body_that_is_left_when_workers_stop_is_left_to_one_of_them";
        let test = std::format!("place::pool::model::{test}");
        is_found_by(Mutation::LeavesOtherQueues, &test, "left == right");
    }
}
