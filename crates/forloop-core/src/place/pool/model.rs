//! Model checks of the shared source, under every interleaving: each body is pulled once, a worker that
//! waits is woken, and the source is dropped once.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::future::{Ready, ready};
use core::pin::Pin;
use core::task::{Context, Waker};
use core::time::Duration;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::batch_size::BatchSize;
use super::body_source::{BatchEnd, BodySource, BoxedSource, Exchange, Pulling, SourceBodies};
use super::shared_source::{Request, SharedSource};
use super::unstarted::{Batch, Contended};
use super::worker_options::{TimeLimits, WorkerOptions};
use crate::Outcome;
use crate::body::Attempt;
use crate::engine::Completion;

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
) -> (Arc<SharedSource<'static, Ready<usize>>>, Arc<()>) {
    let guard = Arc::new(());
    let inside = guard.clone();
    let body = move |n| {
        let _guard = &inside;
        ready(n)
    };
    let body_source =
        Box::pin(SourceBodies::new(futures_lite::stream::iter(0..items), body, Plain));
    (Arc::new(SharedSource::new(body_source, limit, workers, (0, None), false, false)), guard)
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
    source: &SharedSource<'static, Ready<usize>>,
    worker: usize,
    pulls_one: bool,
    mut started: impl FnMut(usize),
) {
    let parker = Arc::new(Parker(Notify::new()));
    let waker = Waker::from(parker.clone());
    let (batch_size, mut pulled) = (batch_size(pulls_one), Batch::new());
    loop {
        source.sleepers.register(worker, &waker);
        let (has_pulled, end) = pull(source, (worker, 9), &batch_size, true, &mut pulled);
        match end {
            BatchEnd::Full => {}
            BatchEnd::Pending => parker.0.wait(),
            BatchEnd::Contended => thread::yield_now(),
            BatchEnd::Exhausted if !has_pulled => return,
            BatchEnd::Exhausted => {}
            BatchEnd::Stopped
            | BatchEnd::Interrupted
            | BatchEnd::SourceFailed(_)
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

/// Pulls up to `most` bodies from a source without a driver.
fn pull(
    source: &SharedSource<'static, Ready<usize>>,
    (worker, most): (usize, usize),
    batch_size: &BatchSize,
    before_sleep: bool,
    pulled: &mut Batch<Ready<usize>>,
) -> (bool, BatchEnd) {
    let request = Request { worker, most, batch_size, before_sleep, waker: Waker::noop() };
    source.pull_batch(&request, pulled, &mut Exchange::new())
}

/// Takes the first body out of the worker's queue.
fn start(source: &SharedSource<'static, Ready<usize>>, worker: usize) -> Option<usize> {
    let mut queue = retry(|| source.unstarted(worker));
    let has_attempts = !queue.attempts.is_empty();
    let index = queue.first(has_attempts)?;
    queue.skip(index, has_attempts);
    let body = queue.bodies.pop_front().map(Ready::into_inner);
    assert_eq!(body, Some(index), "indices follow the order of the items");
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
            pull(&full, (1, 1), &batch_size(true), false, &mut pulled);
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
        pull(&source, (0, 2), &batch_size(false), false, &mut pulled);
        let other = source.clone();
        let other = thread::spawn(move || {
            let mut taken = Batch::new();
            // Its limit has room for one.
            pull(&other, (1, 1), &batch_size(true), true, &mut taken);
            left(&other, 1, &mut taken)
        });
        let left = left(&source, 0, &mut pulled);
        assert_eq!(left + other.join().unwrap(), 2);
    });
}

/// Stops a worker, and returns the number of bodies that are left to it.
fn left(
    source: &SharedSource<'static, Ready<usize>>,
    worker: usize,
    pulled: &mut Batch<Ready<usize>>,
) -> usize {
    let mut bodies = 0;
    source.close_unstarted(worker, pulled, |batch| bodies += batch.bodies.len());
    bodies
}

/// A driver in the source: it starts the next item if fewer than `limit` hold a permit, and only item 0 before that one has
/// completed.
struct Driver {
    items: usize,
    limit: usize,
    started: usize,
    running: usize,
    passed_on: usize,
}

impl BodySource<Ready<usize>> for Driver {
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, None)
    }

    fn time_limits(&self) -> Option<Box<dyn TimeLimits + Send>> {
        None
    }

    fn pull_batch(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        pull: Pulling<'_, Ready<usize>>,
    ) -> BatchEnd {
        let Self { items, limit, started, running, passed_on } = self.get_mut();
        for report in pull.exchange.reports.drain(..) {
            *running -= 1;
            *passed_on += 1;
            pull.exchange.completed.push(report);
        }
        if *started == *items && *running == 0 {
            return BatchEnd::Exhausted;
        }
        loop {
            if pull.bodies.len() == pull.most {
                return BatchEnd::Full;
            }
            let held = pull.released.map_or(0, |released| passed_on.saturating_sub(released));
            let waits_for_first = *started > 0 && *passed_on == 0;
            if *started == *items || *running + held == *limit || waits_for_first {
                return BatchEnd::Pending;
            }
            pull.bodies.push_back(ready(*started));
            pull.attempts.push_back(Attempt::first(*started));
            *started += 1;
            *running += 1;
        }
    }
}

fn shared_driver(
    items: usize,
    limit: usize,
    holds_permits: bool,
    workers: usize,
) -> Arc<SharedSource<'static, Ready<usize>>> {
    let driver = Driver { items, limit, started: 0, running: 0, passed_on: 0 };
    let source: BoxedSource<'static, _> = Box::pin(driver);
    let permits = holds_permits.then_some(limit);
    Arc::new(SharedSource::new(source, permits, workers, (0, None), false, true))
}

/// Starts one body at a time, and reports it to the driver in the source, until no more will come.
fn work_and_report(
    source: &SharedSource<'static, Ready<usize>>,
    worker: usize,
    mut exchange: Exchange<usize>,
    mut run: impl FnMut(usize),
) {
    let parker = Arc::new(Parker(Notify::new()));
    let waker = Waker::from(parker.clone());
    let (batch_size, mut pulled) = (batch_size(true), Batch::new());
    loop {
        source.sleepers.register(worker, &waker);
        let (most, before_sleep, waker) = (1, true, Waker::noop());
        let request = Request { worker, most, batch_size: &batch_size, before_sleep, waker };
        let (has_pulled, end) = source.pull_batch(&request, &mut pulled, &mut exchange);
        exchange.completed.clear();
        match end {
            BatchEnd::Pending if !has_pulled => parker.0.wait(),
            BatchEnd::Contended => thread::yield_now(),
            BatchEnd::Exhausted if !has_pulled => return,
            _ => {}
        }
        if !pulled.bodies.is_empty() {
            retry(|| source.fill(worker, &mut pulled));
        }
        while let Some(index) = start(source, worker) {
            run(index);
            let outcome = Outcome::Ok(index);
            exchange.reports.push(Completion { index, seq: 0, outcome });
        }
    }
}

#[test]
fn a_worker_that_waits_for_a_driver_is_woken_when_another_has_no_room_for_an_item() {
    model(|| {
        let source = shared_driver(3, 3, false, 2);
        // Item 0 has run on this worker, which has not reported it.
        let (batch_size, mut pulled, mut exchange) =
            (batch_size(true), Batch::new(), Exchange::new());
        let (waker, before_sleep) = (Waker::noop(), false);
        let request = Request { worker: 0, most: 1, batch_size: &batch_size, before_sleep, waker };
        source.pull_batch(&request, &mut pulled, &mut exchange);
        assert_eq!(start(&source, 0), Some(0));
        exchange.reports.push(Completion { index: 0, seq: 0, outcome: Outcome::Ok(0) });
        let (started, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        // Of items 1 and 2, the one that starts first completes when the other one has started.
        let meet = |started: &AtomicUsize, second: &Notify| {
            if started.fetch_add(1, Ordering::SeqCst) == 0 {
                second.wait();
            } else {
                second.notify();
            }
        };
        let other = {
            let (source, started, second) = (source.clone(), started.clone(), second.clone());
            let exchange = Exchange::new();
            thread::spawn(move || {
                work_and_report(&source, 1, exchange, |_| meet(&started, &second))
            })
        };
        work_and_report(&source, 0, exchange, |_| meet(&started, &second));
        other.join().unwrap();
        assert_eq!(started.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_worker_that_waits_for_a_driver_is_woken_when_a_permit_is_released() {
    model(|| {
        let source = shared_driver(2, 1, true, 1);
        let completed = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (source, completed) = (source.clone(), completed.clone());
            thread::spawn(move || {
                work_and_report(&source, 0, Exchange::new(), |_| {
                    completed.fetch_add(1, Ordering::SeqCst);
                });
            })
        };
        while completed.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        // The driver takes the report at any time, so the permit may be released before that.
        source.release(1);
        worker.join().unwrap();
        assert_eq!(completed.load(Ordering::SeqCst), 2);
    });
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
    fn a_worker_that_leaves_items_of_a_driver_without_a_notification_is_found() {
        let test = "a_worker_that_waits_for_a_driver_is_woken_when_another_has_no_room_for_an_item";
        finds(Mutation::LeavesItemsSilently, test);
    }

    #[test]
    fn a_worker_that_waits_for_a_driver_without_a_second_look_at_the_permits_is_found() {
        let test = "a_worker_that_waits_for_a_driver_is_woken_when_a_permit_is_released";
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
