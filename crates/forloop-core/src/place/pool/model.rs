//! Workers that draw from one well, under every interleaving: each body is drawn once, whoever waits is
//! woken, and the well is dropped once.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::batch_size::BatchSize;
use super::body_source::{Batch, SourceBodies};
use super::shared_source::{PullResult, SharedSource};

/// A worker without a body to poll is parked until it is woken.
struct Parked(Notify);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// A loop over so many items, with what tells that its well was dropped.
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

/// Draws what there is, sleeping in between; tells `pulled` of each body.
fn work(shared_source: &SharedSource<usize>, me: usize, mut pulled: impl FnMut(usize)) {
    let parked = Arc::new(Parked(Notify::new()));
    let waker = Waker::from(parked.clone());
    let (mut batch_size, mut bodies) = (BatchSize::SLOWEST, Batch::new());
    loop {
        shared_source.sleepers.listen(me, &waker);
        match shared_source.pull_batch(1, &mut batch_size, true, Waker::noop(), &mut bodies) {
            PullResult::Some => {}
            PullResult::Wait => parked.0.wait(),
            PullResult::Dry => return,
            PullResult::BodyPanicked(..) | PullResult::SourcePanicked(_) => {
                unreachable!("nobody panics")
            }
        }
        bodies.drain(..).for_each(|(index, body)| {
            assert_eq!(index, body, "the first item has the first index");
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
fn two_workers_draw_each_body_once() {
    model(|| {
        let (shared_source, guard) = shared_source(2, None, 2);
        let other = shared_source.clone();
        let other = thread::spawn(move || {
            let mut pulled = Vec::new();
            work(&other, 1, |index| pulled.push(index));
            pulled
        });
        let mut all = Vec::new();
        work(&shared_source, 0, |index| all.push(index));
        all.extend(other.join().unwrap());
        all.sort_unstable();
        assert_eq!(all, [0, 1]);
        assert_eq!(
            (shared_source.pulled(), shared_source.is_dry(), Arc::strong_count(&guard)),
            (2, true, 1)
        );
    });
}

#[test]
fn a_well_that_was_given_back_is_had_by_whoever_waits() {
    model(|| {
        let (shared_source, _guard) = shared_source(2, None, 2);
        // One that has no more room when it has drawn a body.
        let full = shared_source.clone();
        let full = thread::spawn(move || {
            let mut bodies = Batch::new();
            let mut batch_size = BatchSize::SLOWEST;
            full.pull_batch(1, &mut batch_size, false, Waker::noop(), &mut bodies);
            bodies.len()
        });
        let mut pulled = 0;
        work(&shared_source, 0, |_| pulled += 1);
        assert_eq!(pulled + full.join().unwrap(), 2);
    });
}

#[test]
fn a_worker_that_waits_for_room_is_woken() {
    model(|| {
        let (shared_source, _guard) = shared_source(2, Some(1), 1);
        let on_complete = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (shared_source, on_complete) = (shared_source.clone(), on_complete.clone());
            thread::spawn(move || {
                work(&shared_source, 0, |_| {
                    on_complete.fetch_add(1, Ordering::SeqCst);
                });
            })
        };
        // The front hears of ends, sooner or later.
        while on_complete.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        shared_source.settle(1);
        while on_complete.load(Ordering::SeqCst) == 1 {
            thread::yield_now();
        }
        shared_source.settle(2);
        worker.join().unwrap();
        assert!(shared_source.is_dry());
    });
}

#[test]
fn a_well_that_is_closed_while_workers_draw_is_dropped_once_and_they_go() {
    model(|| {
        let (shared_source, guard) = shared_source(2, None, 1);
        let worker = {
            let shared_source = shared_source.clone();
            thread::spawn(move || {
                let mut next = 0;
                work(&shared_source, 0, |index| {
                    assert_eq!(index, next);
                    next += 1;
                });
                next
            })
        };
        assert!(shared_source.close().is_none());
        shared_source.sleepers.notify_all();
        let pulled = worker.join().unwrap();
        assert_eq!((shared_source.pulled(), Arc::strong_count(&guard)), (pulled, 1));
    });
}

/// Each planted bug has a test above fail that passes without it.
mod negative_controls {
    use crate::engine::{Mutation, is_found_by as finds};

    const LOST: &str = "deadlock";

    #[test]
    fn it_finds_a_worker_that_sleeps_without_another_look_at_the_well() {
        let test = "workers::model::a_well_that_was_given_back_is_had_by_whoever_waits";
        finds(Mutation::WaitsWithoutRecheck, test, LOST);
    }

    #[test]
    fn it_finds_a_worker_that_gives_the_well_back_in_silence() {
        let test = "workers::model::a_well_that_was_given_back_is_had_by_whoever_waits";
        finds(Mutation::ReturnsSourceSilently, test, LOST);
    }

    #[test]
    fn it_finds_a_worker_that_sleeps_without_another_look_for_room() {
        let test = "workers::model::a_worker_that_waits_for_room_is_woken";
        finds(Mutation::WaitsForRoomWithoutRecheck, test, LOST);
    }

    #[test]
    fn it_finds_a_last_worker_that_tells_nobody_that_the_well_is_dry() {
        finds(
            Mutation::ExhaustsSourceSilently,
            "workers::model::two_workers_draw_each_body_once",
            LOST,
        );
    }
}
