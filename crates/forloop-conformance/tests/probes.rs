//! Tests of the virtual clock and of the fair mutex. They are not in the library, because a unit test would compile
//! it, with all laws, a second time.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use forloop_conformance::{FairMutex, VirtualClock, yields};
use forloop_core::{BlockOn, Timer};
use futures_lite::future::{block_on, poll_once, zip};

struct WakeFn<F>(F);

impl<F: Fn() + Send + Sync> Wake for WakeFn<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn waker_fn(wake: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(WakeFn(wake)).into()
}

#[test]
fn a_sleep_of_an_hour_takes_no_time_and_completes_at_exactly_one_hour() {
    let clock = VirtualClock::default();
    let hour = Duration::from_secs(3600);
    let start = std::time::Instant::now();
    clock.block_on(clock.sleep(hour));
    assert_eq!(clock.now(), hour);
    assert!(start.elapsed() < hour);
}

#[test]
fn the_clock_stands_still_while_a_future_can_run() {
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
fn a_timer_fires_on_time_while_the_clock_is_advanced() {
    let clock = VirtualClock::default();
    let (second, three) = (Duration::from_secs(1), Duration::from_secs(3));
    let fired = Arc::new(Mutex::new(None));
    let waker = {
        let (clock, fired) = (clock.clone(), fired.clone());
        waker_fn(move || *fired.lock().unwrap() = Some(clock.now()))
    };
    let mut sleep = pin!(clock.sleep(second));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    clock.advance(three);
    assert_eq!(*fired.lock().unwrap(), Some(second));
    assert_eq!(clock.now(), three);
}

#[test]
fn a_dropped_timer_does_not_fire() {
    let (clock, woken) =
        (VirtualClock::default(), Arc::new(WakeFn(|| panic!("a dropped timer fired"))));
    let mut long = Box::pin(clock.sleep(Duration::from_secs(10)));
    let waker = woken.clone().into();
    assert!(long.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((long, waker));
    // The clock has dropped the waker.
    assert_eq!(Arc::strong_count(&woken), 1);
    clock.block_on(clock.sleep(Duration::from_secs(20)));
    assert_eq!(clock.now(), Duration::from_secs(20));
}

#[test]
fn block_on_waits_for_a_wake_from_another_thread() {
    let clock = VirtualClock::default();
    let (sender, receiver) = async_channel::bounded(1);
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        sender.send_blocking(7)
    });
    assert_eq!(clock.block_on(receiver.recv()), Ok(7));
    thread.join().unwrap().unwrap();
}

#[test]
fn an_unlocked_mutex_is_handed_over_to_the_next_waiter_and_past_dropped_ones() {
    let mutex = FairMutex::default();
    block_on(async {
        let guard = mutex.lock().await;
        let (mut second, mut third) = (Box::pin(mutex.lock()), Box::pin(mutex.lock()));
        assert!(poll_once(second.as_mut()).await.is_none());
        assert!(poll_once(third.as_mut()).await.is_none());
        drop(guard);
        assert!(poll_once(third.as_mut()).await.is_none(), "the second waiter owns it");
        assert!(poll_once(mutex.lock()).await.is_none(), "a new task is queued last");
        drop(second);
        drop(third.await);
        drop(mutex.lock().await);
    });
}
