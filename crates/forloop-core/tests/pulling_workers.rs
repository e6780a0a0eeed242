//! Workers that pull: bodies that a worker has not started wait for no other body of that worker, and outputs that were not
//! folded wait for no body.

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use atomic_waker::AtomicWaker;
use forloop_core::places::{Attempt, Body, Layer};
use forloop_core::{Spawn, Timer, each, try_each};
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

/// Items that a worker starts in one turn.
const FEW: usize = 100;

/// Folds the items on one worker. The last body waits in `wait` until those before it are folded.
fn last_waits_for_the_fold<W>(wait: fn(Arc<Folded>) -> W)
where
    W: Future<Output = ()> + Send + 'static,
{
    let folded = Arc::new(Folded::default());
    let looping =
        each(short_bodies().take(FEW)).unbounded().on_workers_of(Threads, NonZeroUsize::MIN);
    let of_bodies = folded.clone();
    let body = move |item| {
        let waits = (item == FEW - 1).then(|| wait(of_bodies.clone()));
        async move {
            if let Some(waits) = waits {
                waits.await;
            }
            item
        }
    };
    let sum = block_on(looping.fold(0, body, |sum, (index, item)| {
        assert_eq!(index, item);
        folded.count.fetch_add(1, Ordering::SeqCst);
        folded.waker.wake();
        sum + item
    }));
    assert_eq!(sum, FEW * (FEW - 1) / 2);
}

/// Counts the outputs that were folded.
#[derive(Default)]
struct Folded {
    count: AtomicUsize,
    waker: AtomicWaker,
}

impl Folded {
    fn has_all_but_one(&self) -> bool {
        self.count.load(Ordering::SeqCst) == FEW - 1
    }
}

#[test]
fn outputs_are_folded_when_their_worker_has_nothing_to_do() {
    last_waits_for_the_fold(|folded| {
        poll_fn(move |cx| {
            folded.waker.register(cx.waker());
            if folded.has_all_but_one() { Poll::Ready(()) } else { Poll::Pending }
        })
    });
}

#[test]
fn outputs_are_folded_although_their_worker_is_busy() {
    last_waits_for_the_fold(|folded| async move {
        while !folded.has_all_but_one() {
            futures_lite::future::yield_now().await;
        }
    });
}

#[test]
fn outputs_that_are_not_folded_count_against_the_limit() {
    const LIMIT: usize = 7;
    let (pulled, folded) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let source = {
        let folded = folded.clone();
        short_bodies().inspect(move |_| {
            let before = pulled.fetch_add(1, Ordering::SeqCst);
            assert!(before < folded.load(Ordering::SeqCst) + LIMIT, "pulled too early");
        })
    };
    let looping = each(source).limit(LIMIT).unwrap().on_workers(Threads);
    let body = |item| async move {
        if item % 3 == 1 {
            futures_lite::future::yield_now().await;
        }
        item
    };
    let sum = block_on(looping.fold(0, body, |sum, (_, item)| {
        folded.fetch_add(1, Ordering::SeqCst);
        sum + item
    }));
    assert_eq!((sum, folded.load(Ordering::SeqCst)), (ITEMS * (ITEMS - 1) / 2, ITEMS));
}

/// The order in which one worker completes bodies that take different numbers of polls.
#[derive(Clone, Default)]
struct Completed(Arc<Mutex<Vec<usize>>>);

impl Completed {
    /// The body of the item; every item of `panicking` panics at its end.
    async fn body(self, item: usize, panicking: usize) {
        for _ in 0..item % 7 {
            futures_lite::future::yield_now().await;
        }
        self.0.lock().unwrap().push(item);
        if item < panicking && item % 10 == 3 {
            std::panic::resume_unwind(Box::new("caught"));
        }
    }
}

#[test]
fn outputs_of_one_worker_are_folded_in_completion_order() {
    let completed = Completed::default();
    let bodies = completed.clone();
    let looping = each(short_bodies()).limit(50).unwrap();
    let looping = looping.on_workers_of(Threads, NonZeroUsize::MIN);
    let mut folded = Vec::new();
    block_on(looping.fold(
        &mut folded,
        move |item| bodies.clone().body(item, 0),
        |folded, (n, ())| {
            folded.push(n);
            folded
        },
    ));
    assert_eq!(folded, *completed.0.lock().unwrap());
    assert!(!folded.is_sorted());
}

#[test]
fn caught_panics_of_one_worker_are_folded_in_completion_order() {
    let completed = Completed::default();
    let bodies = completed.clone();
    let looping = each(short_bodies()).limit(50).unwrap().catch_panics();
    let looping = looping.on_workers_of(Threads, NonZeroUsize::MIN);
    let mut folded = Vec::new();
    let body = move |item| bodies.clone().body(item, ITEMS);
    block_on(looping.fold(&mut folded, body, |folded, (n, outcome)| {
        assert_eq!(outcome.is_ok(), n % 10 != 3);
        folded.push(n);
        folded
    }));
    assert_eq!(folded, *completed.0.lock().unwrap());
    assert!(!folded.is_sorted());
}

/// A clock that stands still.
#[derive(Clone)]
struct Still;

impl Timer for Still {
    fn sleep(&self, _duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        std::future::pending()
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// Adds nothing to a body.
struct Plain;

impl<B: Body> Layer<B> for Plain {
    type Layered = B;

    fn layer(&self, _attempt: Attempt, body: B) -> B {
        body
    }
}

/// Polls a loop once, and blocks until the workers have run the bodies of all items without it.
macro_rules! workers_need_no_other_task {
    ($looping:expr) => {{
        let gate = Arc::new(Gate::default());
        let bodies = gate.clone();
        let looping = $looping.on_workers(Threads).timer(&Still).timeout(Duration::MAX);
        let looping = looping.layer(Plain).gather(move |_| {
            let gate = bodies.clone();
            async move { gate.add() }
        });
        let mut looping = Box::pin(looping);
        match block_on(futures_lite::future::poll_once(looping.as_mut())) {
            // The workers were fast.
            Some(result) => result,
            None => {
                gate.wait(ITEMS);
                block_on(looping)
            }
        }
    }};
}

#[test]
fn workers_pull_items_with_a_time_out_and_a_layer_by_themselves() {
    let outcomes = workers_need_no_other_task!(each(short_bodies()).limit(7).unwrap());
    assert_eq!(outcomes.len(), ITEMS);
}

#[test]
fn workers_pull_the_items_of_a_fallible_source_by_themselves() {
    let items = short_bodies().map(Ok).chain([Err("the end")]);
    let result = workers_need_no_other_task!(try_each(items).limit(7).unwrap());
    assert_eq!(result.unwrap_err().ready.len(), ITEMS);
}
