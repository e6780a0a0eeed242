//! Bodies that a worker has pulled and not started wait for no other body of that worker.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use forloop_core::{Spawn, each};
use futures_lite::future::block_on;

/// Runs each task on a thread of its own.
#[derive(Clone)]
struct Threads;

impl Spawn for Threads {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| block_on(future));
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::new(2).unwrap()
    }
}

/// Counts what has happened, and blocks threads until it has happened often enough.
#[derive(Default)]
struct Gate {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Blocks until the count is `target`. Panics after a time in which it is reached on any machine.
    fn wait(&self, target: usize) {
        let count = self.count.lock().unwrap();
        let wait = self
            .changed
            .wait_timeout_while(count, Duration::from_secs(30), |count| *count < target);
        assert!(!wait.unwrap().1.timed_out(), "bodies wait behind one that blocks");
    }
}

const ITEMS: usize = 1000;

/// A source that does not state its size, and whose bodies are short by the clock of the thread that pulls them. So the
/// workers pull hundreds at a time.
fn short_bodies() -> impl Iterator<Item = usize> + Send {
    static NANOS: AtomicU64 = AtomicU64::new(0);
    let mut items = 0..ITEMS;
    std::iter::from_fn(move || {
        let now = NANOS.fetch_add(1, Ordering::Relaxed);
        forloop_budget::set_time(Some(Duration::from_nanos(now)));
        items.next()
    })
}

#[test]
fn a_body_that_blocks_its_thread_keeps_no_other_body_from_starting() {
    let gate = Arc::new(Gate::default());
    let looping = each(short_bodies()).unbounded().on_workers(Threads);
    block_on(looping.for_each(move |item| {
        let gate = gate.clone();
        async move {
            if item == ITEMS / 2 {
                gate.wait(ITEMS - 1);
            }
            gate.add();
        }
    }));
}

#[test]
fn bodies_that_another_worker_takes_count_against_the_limit() {
    const LIMIT: usize = 7;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (gate, pulled) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
    let source = {
        let (pulled, gate) = (pulled.clone(), gate.clone());
        short_bodies().inspect(move |_| {
            let settled = *gate.count.lock().unwrap();
            assert!(pulled.fetch_add(1, Ordering::SeqCst) < settled + LIMIT, "pulled too early");
        })
    };
    let looping = each(source).limit(LIMIT).unwrap().on_workers(Threads);
    let (gates, mosts) = (gate.clone(), most.clone());
    block_on(looping.for_each(move |item| {
        let (gate, running, most) = (gates.clone(), running.clone(), mosts.clone());
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if item % 100 == 50 {
                // Meanwhile the other worker takes what this one has not started.
                gate.wait(item + 10);
            }
            futures_lite::future::yield_now().await;
            running.fetch_sub(1, Ordering::SeqCst);
            gate.add();
        }
    }));
    assert_eq!(*gate.count.lock().unwrap(), ITEMS);
    assert!(most.load(Ordering::SeqCst) <= LIMIT);
}
