//! The tests of the clock and of the lock that the laws stand on. They are not in the library, which would be
//! compiled for them a second time, with all laws.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use forloop_conformance::{Fair, VirtualClock, yields};
use forloop_core::{BlockOn, Timer};
use futures_lite::future::{block_on, poll_once, zip};

struct Ring<F>(F);

impl<F: Fn() + Send + Sync> Wake for Ring<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn waker_fn(ring: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(Ring(ring)).into()
}

#[test]
fn an_hour_takes_no_time_and_is_over_at_exactly_an_hour() {
    let clock = VirtualClock::default();
    let hour = Duration::from_secs(3600);
    let begun = std::time::Instant::now();
    clock.block_on(clock.sleep(hour));
    assert_eq!(clock.now(), hour);
    assert!(begun.elapsed() < hour);
}

#[test]
fn time_stands_still_while_something_can_run() {
    let clock = VirtualClock::default();
    let busy = async {
        yields(1000).await;
        clock.now()
    };
    let sleeping = clock.sleep(Duration::from_secs(1));
    let (seen, ()) = clock.block_on(zip(busy, sleeping));
    assert_eq!(seen, Duration::ZERO);
}

#[test]
fn a_timer_goes_off_at_its_time_while_somebody_is_busy() {
    let clock = VirtualClock::default();
    let (second, busy) = (Duration::from_secs(1), Duration::from_secs(3));
    let rung = Arc::new(Mutex::new(None));
    let bell = {
        let (clock, rung) = (clock.clone(), rung.clone());
        waker_fn(move || *rung.lock().unwrap() = Some(clock.now()))
    };
    let mut sleep = pin!(clock.sleep(second));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&bell)).is_pending());
    clock.spend(busy);
    assert_eq!(*rung.lock().unwrap(), Some(second));
    assert_eq!(clock.now(), busy);
}

#[test]
fn a_timer_that_is_dropped_is_not_waited_for() {
    let (clock, woken) = (VirtualClock::default(), Arc::new(Ring(|| panic!("it is not woken"))));
    let mut long = Box::pin(clock.sleep(Duration::from_secs(10)));
    let waker = woken.clone().into();
    assert!(long.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((long, waker));
    // The clock has no waker of it any more.
    assert_eq!(Arc::strong_count(&woken), 1);
    clock.block_on(clock.sleep(Duration::from_secs(20)));
    assert_eq!(clock.now(), Duration::from_secs(20));
}

#[test]
fn what_another_thread_wakes_is_waited_for() {
    let clock = VirtualClock::default();
    let (give, take) = async_channel::bounded(1);
    let giver = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        give.send_blocking(7)
    });
    assert_eq!(clock.block_on(take.recv()), Ok(7));
    giver.join().unwrap().unwrap();
}

#[test]
fn it_belongs_to_the_next_in_line_and_passes_on_when_that_one_leaves() {
    let lock = Fair::default();
    block_on(async {
        let held = lock.lock().await;
        let (mut second, mut third) = (Box::pin(lock.lock()), Box::pin(lock.lock()));
        assert!(poll_once(second.as_mut()).await.is_none());
        assert!(poll_once(third.as_mut()).await.is_none());
        drop(held);
        assert!(poll_once(third.as_mut()).await.is_none(), "it is the second's");
        assert!(poll_once(lock.lock()).await.is_none(), "nobody gets past the line");
        drop(second);
        drop(third.await);
        drop(lock.lock().await);
    });
}
