//! Loops whose bodies are polled with the waker of whoever polls the loop.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use forloop::{Outcome, Stream, StreamExt, Timer};

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An executor on which time passes when it is told, and whose timers refuse every waker but its own.
struct Board {
    count: Arc<Count>,
    waker: Waker,
    now: Cell<u64>,
    timers: RefCell<Vec<(u64, Waker)>>,
}

impl Board {
    fn new() -> Self {
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        Self { count, waker, now: Cell::new(0), timers: RefCell::default() }
    }

    fn check(&self, waker: &Waker) {
        assert!(waker.will_wake(&self.waker), "found a waker that is not this executor's");
    }

    async fn sleep(&self, ms: u64) {
        let due = self.now.get() + ms;
        poll_fn(|cx| {
            if due <= self.now.get() {
                return Poll::Ready(());
            }
            self.check(cx.waker());
            self.timers.borrow_mut().push((due, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Polls a future whenever it was woken, and lets a millisecond pass when it was not.
    fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        loop {
            loop {
                let woken = self.count.0.load(Ordering::SeqCst);
                let polled = future.as_mut().poll(&mut Context::from_waker(&self.waker));
                if let Poll::Ready(output) = polled {
                    return output;
                }
                if self.count.0.load(Ordering::SeqCst) == woken {
                    break;
                }
            }
            assert!(!self.timers.borrow().is_empty(), "nothing can ever wake it");
            self.now.set(self.now.get() + 1);
            let now = self.now.get();
            let (due, rest) = self.timers.take().into_iter().partition(|&(due, _)| due <= now);
            self.timers.replace(rest);
            let due: Vec<(u64, Waker)> = due;
            due.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

#[test]
fn every_strategy_runs_where_timers_refuse_foreign_wakers() {
    let board = &Board::new();
    let body = |n: u64| async move {
        board.sleep(n % 7).await;
        board.sleep(3).await;
        n
    };
    let checked = |n| async move { Ok::<u64, String>(body(n).await) };
    let items = || forloop::each(0..10).limit(3).unwrap().with_callers_waker();
    let all: Vec<u64> = (0..10).collect();

    assert_eq!(board.run(pin!(items().gather(body))), all);
    assert_eq!(board.run(pin!(items().try_gather(checked))).unwrap(), all);
    assert_eq!(board.run(pin!(items().settle(checked))).len(), 10);
    board.run(pin!(items().for_each(|n| async move { assert_eq!(body(n).await, n) })));
    assert_eq!(board.run(pin!(items().race(body))).unwrap(), (0, 0));
    assert_eq!(board.run(pin!(items().stream(body).collect::<Vec<_>>())), all);
    let sum = items().stream_unordered(body).consume(async |mut results| {
        let mut sum = 0;
        while let Some(n) = results.next().await {
            board.sleep(2).await;
            sum += n;
        }
        sum
    });
    assert_eq!(board.run(pin!(sum)), 45);
    assert_eq!(board.run(pin!(items().as_completed(body).count())), 10);
}

#[test]
fn without_it_such_a_timer_refuses_the_loop() {
    let board = Board::new();
    let looping = forloop::each([1]).unbounded().gather(|ms| board.sleep(ms));
    let panic = catch_unwind(AssertUnwindSafe(|| board.run(pin!(looping)))).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("not this executor's"));
}

/// The clock of a board, as the seam wants it: told the time, and woken with its own waker.
#[derive(Clone)]
struct Clock(Arc<(AtomicUsize, std::sync::Mutex<Vec<(u64, Waker)>>)>, Waker);

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (clock, due) = (self.clone(), self.now() + duration);
        poll_fn(move |cx| {
            if due <= clock.now() {
                return Poll::Ready(());
            }
            assert!(cx.waker().will_wake(&clock.1), "found a waker that is not this executor's");
            let due = due.as_millis() as u64;
            clock.0.1.lock().unwrap().push((due, cx.waker().clone()));
            Poll::Pending
        })
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.0.load(Ordering::SeqCst) as u64)
    }
}

#[test]
fn timeouts_and_deadlines_are_polled_with_that_waker_too() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count);
    let clock = Clock(Arc::default(), waker.clone());
    let settled = forloop::each([2, 50, 3])
        .limit(2)
        .unwrap()
        .timeout(&clock, Duration::from_millis(10))
        .deadline(&clock, Duration::from_millis(1000))
        .with_callers_waker()
        .settle(|ms| {
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_millis(ms)).await;
                Ok::<_, String>(ms)
            }
        });
    let mut settled = pin!(settled);
    let settled = loop {
        if let Poll::Ready(settled) = settled.as_mut().poll(&mut Context::from_waker(&waker)) {
            break settled;
        }
        let now = clock.0.0.fetch_add(1, Ordering::SeqCst) as u64 + 1;
        assert!(now < 100);
    };
    assert!(matches!(settled[..], [Outcome::Ok(2), Outcome::TimedOut, Outcome::Ok(3)]));
}

#[test]
fn a_poll_of_the_loop_is_one_poll_of_each_body_and_then_it_sleeps() {
    for bodies in [3, 300, 2000] {
        let (count, polls) = (Arc::new(Count::default()), Cell::new(0));
        let waker = Waker::from(count.clone());
        let mut looping = pin!(forloop::each(0..bodies).unbounded().with_callers_waker().for_each(
            |_| poll_fn(|_| {
                polls.set(polls.get() + 1);
                Poll::Pending
            })
        ));
        let mut poll = || {
            let woken = count.0.load(Ordering::SeqCst);
            assert!(looping.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            count.0.load(Ordering::SeqCst) > woken
        };
        while poll() {}
        let before = polls.get();
        assert!(!poll(), "a loop of {bodies} wakes itself although no body has");
        assert_eq!(polls.get() - before, bodies);
    }
}

#[test]
fn a_body_that_was_woken_while_results_were_taken_is_not_forgotten() {
    // The stream gives the first two bodies' results; meanwhile the third, polled before, is woken.
    let (count, open) = (Arc::new(Count::default()), [const { Cell::new(false) }; 3]);
    let waker = Waker::from(count);
    let mut cx = Context::from_waker(&waker);
    let mut results =
        pin!(forloop::each(0..3).unbounded().with_callers_waker().stream_unordered(|n| {
            let open = &open[n];
            poll_fn(move |_| if open.get() { Poll::Ready(n) } else { Poll::Pending })
        }));
    assert!(results.as_mut().poll_next(&mut cx).is_pending());
    open[1].set(true);
    open[2].set(true);
    assert_eq!(results.as_mut().poll_next(&mut cx), Poll::Ready(Some(1)));
    open[0].set(true);
    let mut rest = [results.as_mut().poll_next(&mut cx), results.as_mut().poll_next(&mut cx)];
    rest.sort_by_key(|polled| format!("{polled:?}"));
    assert_eq!(rest, [Poll::Ready(Some(0)), Poll::Ready(Some(2))]);
    assert_eq!(results.poll_next(&mut cx), Poll::Ready(None));
}

#[test]
fn a_dropped_loop_drops_its_bodies_and_their_wakers() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let looping = forloop::each(0..10).unbounded().with_callers_waker();
    let mut looping = Box::pin(looping.for_each(|_| pending::<()>()));
    assert!(looping.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(looping.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((looping, waker));
    assert_eq!(Arc::strong_count(&count), 1);
}
