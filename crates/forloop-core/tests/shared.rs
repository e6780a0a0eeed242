//! Loops on several threads that share a limit and a rate.

#![cfg(feature = "std")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use forloop_core::{SharedLimit, each};
use futures_lite::future::{block_on, poll_once, yield_now};

const THREADS: usize = 4;

#[test]
fn loops_on_several_threads_share_a_limit_and_lose_no_wake() {
    let (shared, running) = (SharedLimit::new(2).unwrap(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let looping = each(0..500_u32).limit(3).unwrap().shared_limit(&shared);
                block_on(looping.for_each(async |n| {
                    assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
                    for _ in 0..n % 3 {
                        yield_now().await;
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                }));
            });
        }
    });
    assert_eq!(shared.available(), 2);
}

#[test]
fn loops_that_are_dropped_on_several_threads_leave_the_permits_to_others() {
    let shared = SharedLimit::new(1).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let shared = &shared;
            scope.spawn(move || {
                for n in 0..200 {
                    let looping = each(0..3).unbounded().shared_limit(shared);
                    let looping = looping.for_each(async |_| yield_now().await);
                    if (n + thread) % 3 == 0 {
                        block_on(looping);
                    } else {
                        // Dropped while it runs a body or waits for a permit.
                        block_on(poll_once(looping));
                    }
                }
            });
        }
    });
    assert_eq!(shared.available(), 1);
}

#[test]
fn loops_on_several_threads_share_a_rate() {
    use std::time::{Duration, Instant};

    use forloop_core::{Rate, SharedRate, Timer};

    /// The system's clock, with timers that spin.
    #[derive(Clone, Copy)]
    struct Spinning(Instant);

    impl Timer for Spinning {
        fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
            let due = Instant::now() + duration;
            async move {
                while Instant::now() < due {
                    yield_now().await;
                }
            }
        }

        fn now(&self) -> Duration {
            self.0.elapsed()
        }
    }

    let timer = Spinning(Instant::now());
    let shared = SharedRate::new(&timer, Rate::per_second(20_000).unwrap());
    let started = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (started, shared, timer) = (&started, &shared, &timer);
            scope.spawn(move || {
                // Some loops are dropped while they wait for their turn.
                for n in 0..50 {
                    let looping = each(0..3).unbounded().timer(timer).rate(shared);
                    let looping = looping.for_each(async |_| {
                        let before = started.fetch_add(1, Ordering::SeqCst);
                        assert!(timer.now() >= shared.rate().interval() * before as u32);
                    });
                    if (n + thread) % 3 == 0 {
                        block_on(looping);
                    } else {
                        block_on(poll_once(looping));
                    }
                }
            });
        }
    });
}
