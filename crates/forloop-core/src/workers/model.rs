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

use super::depot::{Depot, Got};
use super::pace::Pace;
use super::well::{Buckets, Spring};

/// A worker without a body to poll is parked until it is woken.
struct Parked(Notify);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// A loop over so many items, with what tells that its well was dropped.
fn depot(items: usize, limit: Option<usize>, workers: usize) -> (Arc<Depot<usize>>, Arc<()>) {
    let guard = Arc::new(());
    let inside = guard.clone();
    let body = move |n| {
        let _guard = &inside;
        n
    };
    let well = Box::pin(Spring::new(futures_lite::stream::iter(0..items), |n| n, body));
    (Arc::new(Depot::new(well, limit, workers, false)), guard)
}

/// Draws what there is, sleeping in between; tells `drawn` of each body.
fn work(depot: &Depot<usize>, me: usize, mut drawn: impl FnMut(usize)) {
    let parked = Arc::new(Parked(Notify::new()));
    let waker = Waker::from(parked.clone());
    let (mut pace, mut bodies) = (Pace::SLOWEST, Buckets::new());
    loop {
        depot.bells.listen(me, &waker);
        match depot.draw(1, &mut pace, true, Waker::noop(), &mut bodies) {
            Got::Some => {}
            Got::Wait => parked.0.wait(),
            Got::Dry => return,
            Got::BodyPanicked(..) | Got::SourcePanicked(_) => unreachable!("nobody panics"),
        }
        bodies.drain(..).for_each(|(index, body)| {
            assert_eq!(index, body, "the first item has the first index");
            drawn(index);
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
        let (depot, guard) = depot(2, None, 2);
        let other = depot.clone();
        let other = thread::spawn(move || {
            let mut drawn = Vec::new();
            work(&other, 1, |index| drawn.push(index));
            drawn
        });
        let mut all = Vec::new();
        work(&depot, 0, |index| all.push(index));
        all.extend(other.join().unwrap());
        all.sort_unstable();
        assert_eq!(all, [0, 1]);
        assert_eq!((depot.drawn(), depot.is_dry(), Arc::strong_count(&guard)), (2, true, 1));
    });
}

#[test]
fn a_well_that_was_given_back_is_had_by_whoever_waits() {
    model(|| {
        let (depot, _guard) = depot(2, None, 2);
        // One that has no more room when it has drawn a body.
        let full = depot.clone();
        let full = thread::spawn(move || {
            let mut bodies = Buckets::new();
            let mut pace = Pace::SLOWEST;
            full.draw(1, &mut pace, false, Waker::noop(), &mut bodies);
            bodies.len()
        });
        let mut drawn = 0;
        work(&depot, 0, |_| drawn += 1);
        assert_eq!(drawn + full.join().unwrap(), 2);
    });
}

#[test]
fn a_worker_that_waits_for_room_is_woken() {
    model(|| {
        let (depot, _guard) = depot(2, Some(1), 1);
        let ended = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (depot, ended) = (depot.clone(), ended.clone());
            thread::spawn(move || {
                work(&depot, 0, |_| {
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            })
        };
        // The front hears of ends, sooner or later.
        while ended.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        depot.settle(1);
        while ended.load(Ordering::SeqCst) == 1 {
            thread::yield_now();
        }
        depot.settle(2);
        worker.join().unwrap();
        assert!(depot.is_dry());
    });
}

#[test]
fn a_well_that_is_closed_while_workers_draw_is_dropped_once_and_they_go() {
    model(|| {
        let (depot, guard) = depot(2, None, 1);
        let worker = {
            let depot = depot.clone();
            thread::spawn(move || {
                let mut next = 0;
                work(&depot, 0, |index| {
                    assert_eq!(index, next);
                    next += 1;
                });
                next
            })
        };
        assert!(depot.close().is_none());
        depot.bells.ring();
        let drawn = worker.join().unwrap();
        assert_eq!((depot.drawn(), Arc::strong_count(&guard)), (drawn, 1));
    });
}

/// Each planted bug has a test above fail that passes without it.
mod negative_controls {
    use crate::engine::{Bug, is_found_by as finds};

    const LOST: &str = "deadlock";

    #[test]
    fn it_finds_a_worker_that_sleeps_without_another_look_at_the_well() {
        let test = "workers::model::a_well_that_was_given_back_is_had_by_whoever_waits";
        finds(Bug::WaitsUnseeing, test, LOST);
    }

    #[test]
    fn it_finds_a_worker_that_gives_the_well_back_in_silence() {
        let test = "workers::model::a_well_that_was_given_back_is_had_by_whoever_waits";
        finds(Bug::GivesBackInSilence, test, LOST);
    }

    #[test]
    fn it_finds_a_worker_that_sleeps_without_another_look_for_room() {
        let test = "workers::model::a_worker_that_waits_for_room_is_woken";
        finds(Bug::WaitsForRoomUnseeing, test, LOST);
    }

    #[test]
    fn it_finds_a_last_worker_that_tells_nobody_that_the_well_is_dry() {
        finds(Bug::RunsDryInSilence, "workers::model::two_workers_draw_each_body_once", LOST);
    }
}
