//! Model checks of the shared source, under every interleaving: each body is pulled once, a worker that
//! waits is woken, and the source is dropped once.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::batch_size::BatchSize;
use super::body_source::{Batch, BatchEnd, SourceBodies};
use super::shared_source::SharedSource;

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
) -> (Arc<SharedSource<usize>>, Arc<()>) {
    let guard = Arc::new(());
    let inside = guard.clone();
    let body = move |n| {
        let _guard = &inside;
        n
    };
    let body_source =
        Box::pin(SourceBodies::new(futures_lite::stream::iter(0..items), |n| n, body));
    (Arc::new(SharedSource::new(body_source, limit, workers, false)), guard)
}

/// Pulls bodies one at a time and sleeps in between, until no more will come. Calls `pulled` with the
/// index of each.
fn work(source: &SharedSource<usize>, worker: usize, mut pulled: impl FnMut(usize)) {
    let parker = Arc::new(Parker(Notify::new()));
    let waker = Waker::from(parker.clone());
    let (mut batch_size, mut bodies) = (BatchSize::MIN, Batch::new());
    loop {
        source.sleepers.register(worker, &waker);
        match source.pull_batch(1, &mut batch_size, true, Waker::noop(), &mut bodies) {
            BatchEnd::Full => {}
            BatchEnd::Pending => parker.0.wait(),
            BatchEnd::Exhausted => return,
            BatchEnd::BodyPanicked(..) | BatchEnd::SourcePanicked(_) => {
                unreachable!("neither the source nor the closure panics")
            }
        }
        bodies.drain(..).for_each(|(index, body)| {
            assert_eq!(index, body, "indices follow the order of the items");
            pulled(index);
        });
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
            work(&other, 1, |index| pulled.push(index));
            pulled
        });
        let mut all = Vec::new();
        work(&source, 0, |index| all.push(index));
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
            let mut bodies = Batch::new();
            let mut batch_size = BatchSize::MIN;
            full.pull_batch(1, &mut batch_size, false, Waker::noop(), &mut bodies);
            bodies.len()
        });
        let mut pulled = 0;
        work(&source, 0, |_| pulled += 1);
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
                work(&source, 0, |_| {
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
                work(&source, 0, |index| {
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
}
