//! Workers that share a driver, because options decide when items start.

use std::collections::HashMap;
use std::future::poll_fn;
use std::iter;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use forloop_core::{Cause, Outcome, Rate, Retry, Spawn, Timer, each, try_each};
use futures_lite::future::{block_on, yield_now};

/// Runs each task on a thread of its own.
#[derive(Clone)]
struct Threads(usize);

impl Spawn for Threads {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| block_on(future));
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.0).unwrap()
    }
}

/// The system's clock.
#[derive(Clone)]
struct Clock(Instant);

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (end, has_ended) = (Instant::now().checked_add(duration), AtomicBool::new(false));
        poll_fn(move |cx| {
            if end.is_some_and(|end| end <= Instant::now()) {
                return Poll::Ready(());
            }
            if let Some(end) = end.filter(|_| !has_ended.swap(true, Ordering::SeqCst)) {
                let waker = cx.waker().clone();
                thread::spawn(move || {
                    thread::sleep(end.saturating_duration_since(Instant::now()));
                    waker.wake();
                });
            }
            Poll::Pending
        })
    }

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The items that run at once, by key.
#[derive(Default)]
struct Running {
    now: Mutex<HashMap<usize, usize>>,
    most: AtomicUsize,
}

impl Running {
    async fn during(&self, key: usize, weight: usize) {
        let now = {
            let mut running = self.now.lock().unwrap();
            let now = running.entry(key).or_default();
            *now += weight;
            *now
        };
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..3 {
            yield_now().await;
        }
        *self.now.lock().unwrap().get_mut(&key).unwrap() -= weight;
    }
}

const ITEMS: usize = 500;

fn cases() -> impl Iterator<Item = (usize, usize)> {
    [(1, 1), (1, 8), (2, 1), (2, 8), (3, 64), (3, usize::MAX)].into_iter()
}

#[test]
fn bodies_of_a_key_are_limited() {
    for (threads, limit) in cases() {
        let running = Arc::new(Running::default());
        let looping = each(0..ITEMS).limit(limit).unwrap().on_workers(Threads(threads));
        let looping = looping.limit_by(|n: &usize| n % 5, 2).unwrap();
        let bodies = running.clone();
        let outputs = block_on(looping.gather(move |n| {
            let running = bodies.clone();
            async move {
                running.during(n % 5, 1).await;
                n
            }
        }));
        assert!(outputs.into_iter().eq(0..ITEMS));
        assert!(running.most.load(Ordering::SeqCst) <= 2);
    }
}

#[test]
fn weights_are_limited() {
    for (threads, limit) in cases() {
        let running = Arc::new(Running::default());
        let looping = each(0..ITEMS).limit(limit).unwrap().on_workers(Threads(threads));
        let looping = looping.weight_by(|n: &usize| n % 4);
        let bodies = running.clone();
        let sum = looping.fold(
            0,
            move |n| {
                let running = bodies.clone();
                async move {
                    running.during(0, (n % 4).max(1)).await;
                    n
                }
            },
            |sum, (_, n)| sum + n,
        );
        assert_eq!(block_on(sum), ITEMS * (ITEMS - 1) / 2);
        // An item that weighs more than the limit runs alone.
        assert!(running.most.load(Ordering::SeqCst) <= limit.max(3));
    }
}

#[test]
fn failures_are_retried() {
    for (threads, limit) in cases() {
        let failures = Arc::new(Mutex::new(HashMap::<usize, usize>::new()));
        let looping = each(0..ITEMS).limit(limit).unwrap().on_workers(Threads(threads));
        let back_off = iter::repeat_n(Duration::from_micros(50), 2);
        let looping = looping.timer(&Clock(Instant::now())).retry(back_off);
        let of_bodies = failures.clone();
        let settled = block_on(looping.settle(move |n| {
            let failures = of_bodies.clone();
            async move {
                yield_now().await;
                let mut failures = failures.lock().unwrap();
                let failed = failures.entry(n).or_default();
                // Some items fail once, some twice, and some always.
                if *failed < n % 4 {
                    *failed += 1;
                    return Err(n);
                }
                Ok(n)
            }
        }));
        assert_eq!(settled.len(), ITEMS);
        for (index, outcome) in settled.iter().enumerate() {
            match outcome {
                Outcome::Ok(n) => assert!(*n == index && n % 4 < 3),
                Outcome::Err(n) => assert!(*n == index && n % 4 == 3),
                other => panic!("{index}: {other:?}"),
            }
            assert_eq!(settled.attempts(index), 1 + (index as u32 % 4).min(2));
        }
    }
}

#[test]
fn a_failure_that_is_final_stops_the_loop_with_those_that_back_off() {
    for (threads, limit) in cases().filter(|&(_, limit)| limit > 1) {
        let looping = each(0..).limit(limit.min(64)).unwrap().on_workers(Threads(threads));
        let back_off = iter::repeat_n(Duration::from_secs(3600), 3);
        // Item 0 backs off for an hour, and item 1 fails for good.
        let retry = Retry::from(back_off).when(|error: &usize| *error != 1);
        let looping = looping.timer(&Clock(Instant::now())).retry(retry);
        let error = block_on(looping.try_for_each(async |n: usize| {
            yield_now().await;
            if n < 2 { Err(n) } else { Ok(()) }
        }));
        let error = error.unwrap_err();
        let failures: Vec<_> = error.failures().iter().map(|failure| failure.index).collect();
        assert_eq!(failures, [Some(1), Some(0)], "{error:?}");
    }
}

#[test]
fn starts_are_spaced() {
    let clock = Clock(Instant::now());
    for (threads, limit) in [(1, 1), (2, 4), (3, usize::MAX)] {
        let starts = Arc::new(Mutex::new(Vec::new()));
        let every = Duration::from_millis(2);
        let looping = each(0..20).limit(limit).unwrap().on_workers(Threads(threads));
        let (of_bodies, at) = (starts.clone(), clock.clone());
        let looping = looping.timer(&clock).stagger(every);
        let begin = clock.now();
        block_on(looping.for_each(move |_| {
            of_bodies.lock().unwrap().push(at.now());
            async {}
        }));
        let starts = starts.lock().unwrap();
        assert_eq!(starts.len(), 20);
        assert!(starts[19] - begin >= every * 19, "{starts:?}");
        let looping = each(0..20).limit(limit).unwrap().on_workers(Threads(threads));
        let rate = Rate::per_second(1000).unwrap();
        let begin = clock.now();
        let outputs = block_on(looping.timer(&clock).rate(rate).gather(async |n| n));
        assert!(outputs.into_iter().eq(0..20));
        assert!(clock.now() - begin >= Duration::from_millis(10));
    }
}

#[test]
fn all_of_them_work_together() {
    for (threads, limit) in cases() {
        let clock = Clock(Instant::now());
        let items = (0..=ITEMS).map(|n| if n == ITEMS { Err("the end") } else { Ok(n) });
        let looping = try_each(items).limit(limit).unwrap().on_workers(Threads(threads));
        let back_off = iter::repeat_n(Duration::from_micros(50), 2);
        let looping = looping.timer(&clock).timeout(Duration::from_secs(600));
        let looping = looping.retry(back_off).limit_by(|n| n % 3, 4).unwrap();
        let failed = Arc::new(Mutex::new(vec![false; ITEMS]));
        let result = block_on(looping.weight_by(|n| n % 2).gather(move |n| {
            let failed = failed.clone();
            async move {
                yield_now().await;
                let has_failed = std::mem::replace(&mut failed.lock().unwrap()[n], true);
                if n % 7 == 0 && !has_failed { Err(n) } else { Ok(n) }
            }
        }));
        let interrupted = result.unwrap_err();
        assert!(matches!(interrupted.cause, Cause::Source { index: ITEMS, error: "the end" }));
        assert_eq!(interrupted.ready.len(), ITEMS);
        for (index, outcome) in interrupted.ready.iter().enumerate() {
            match outcome {
                Outcome::Ok(Ok(n)) => assert_eq!(*n, index),
                // It backed off when the source failed.
                Outcome::Ok(Err(n)) => assert_eq!((*n, n % 7), (index, 0)),
                Outcome::Cancelled | Outcome::NotRun => {}
                other => panic!("{index}: {other:?}"),
            }
        }
    }
}

#[test]
fn results_of_a_stream_hold_their_permits() {
    for (threads, limit) in cases() {
        let started = Arc::new(AtomicUsize::new(0));
        let starts = started.clone();
        let looping = each(0..ITEMS).limit(limit).unwrap().on_workers(Threads(threads));
        let looping = looping.limit_by(|n: &usize| n % 5, 2).unwrap();
        block_on(async {
            let mut results = looping.stream(move |n| {
                starts.fetch_add(1, Ordering::SeqCst);
                async move { n }
            });
            for expected in 0..ITEMS {
                // As many results are queued as the limit says, and as many bodies run.
                let most = expected.saturating_add(limit.saturating_mul(2));
                assert!(started.load(Ordering::SeqCst) <= most);
                assert_eq!(results.next().await, Some(expected));
            }
            assert_eq!(results.next().await, None);
        });
    }
}
