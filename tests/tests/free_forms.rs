//! The free functions on one future: `timeout` and `until`.

use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use forloop::sim::Sim;
use forloop::{BlockOn, CancelToken, Cancelled, TimedOut, Timer, timeout, until};

const SECOND: Duration = Duration::from_secs(1);

/// Counts when it is dropped.
struct Guard<'a>(&'a Cell<u32>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_future_that_is_in_time_returns_its_output() {
    let sim = Sim::new();
    let nap = || async { sim.sleep(SECOND).await };
    assert_eq!(sim.block_on(timeout(2 * SECOND, nap())), Ok(()));
    assert_eq!(sim.now(), SECOND);
    // The future is polled before the clock is read.
    assert_eq!(sim.block_on(timeout(SECOND, nap())), Ok(()));
    assert_eq!(sim.block_on(timeout(Duration::MAX, nap())), Ok(()));
    assert_eq!(sim.block_on(timeout(Duration::ZERO, ready(1))), Ok(1));
    assert_eq!(sim.now(), 3 * SECOND);
}

#[test]
fn a_future_that_is_late_has_been_dropped_when_the_time_is_over() {
    let (sim, drops) = (Sim::new(), Cell::new(0));
    let late = timeout(SECOND, async {
        let _guard = Guard(&drops);
        pending::<()>().await;
    });
    sim.block_on(async {
        let mut late = pin!(late);
        assert_eq!(late.as_mut().await, Err(TimedOut));
        assert_eq!((sim.now(), drops.get()), (SECOND, 1));
    });
    let none = timeout(Duration::ZERO, pending::<()>());
    assert_eq!(sim.block_on(none), Err(TimedOut));
    assert_eq!(sim.now(), SECOND);
}

#[test]
fn the_time_counts_from_the_first_poll() {
    let sim = Sim::new();
    let late = timeout(SECOND, pending::<()>());
    sim.block_on(async {
        sim.sleep(5 * SECOND).await;
        assert_eq!(late.await, Err(TimedOut));
    });
    assert_eq!(sim.now(), 6 * SECOND);
}

#[test]
fn a_future_that_uses_up_the_budget_of_its_task_times_out() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let begin = Instant::now();
    let busy = poll_fn(|cx| {
        assert!(begin.elapsed() < 60 * SECOND, "its time is never over");
        while pin!(tokio::task::coop::consume_budget()).poll(cx).is_ready() {}
        Poll::<()>::Pending
    });
    assert_eq!(tokio.block_on(timeout(Duration::from_millis(2), busy)), Err(TimedOut));
}

#[test]
fn a_signal_that_has_completed_comes_before_the_future() {
    let token = CancelToken::new();
    let polls = Cell::new(0);
    let counted = || {
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::Ready(polls.get())
        })
    };
    assert_eq!(forloop::block_on(until(&token, counted())), Ok(1));
    token.cancel();
    assert_eq!(forloop::block_on(until(&token, counted())), Err(Cancelled));
    assert_eq!(polls.get(), 1);
}

#[test]
fn a_future_that_a_signal_cancels_has_been_dropped_when_that_is_known() {
    let (sim, drops) = (Sim::new(), Cell::new(0));
    sim.block_on(async {
        let cancelled = until(sim.sleep(SECOND), async {
            let _guard = Guard(&drops);
            pending::<()>().await;
        });
        let mut cancelled = pin!(cancelled);
        assert_eq!(cancelled.as_mut().await, Err(Cancelled));
        assert_eq!((sim.now(), drops.get()), (SECOND, 1));
    });
}

#[test]
fn dropping_either_form_drops_its_future_and_before_the_first_poll_polls_nothing() {
    let drops = Cell::new(0);
    let guarded = || {
        let guard = Guard(&drops);
        async move {
            let _guard = guard;
            panic!("it is never polled");
        }
    };
    let token = CancelToken::new();
    drop((timeout(SECOND, guarded()), until(&token, guarded())));
    assert_eq!(drops.get(), 2);
}

#[test]
fn they_nest_and_a_group_of_them_takes_one_signal() {
    let sim = Sim::new();
    let token = CancelToken::new();
    let stop = async {
        sim.sleep(2 * SECOND).await;
        token.cancel();
    };
    let work = forloop::each(1..=3)
        .unbounded()
        .gather(async |n| until(&token, timeout(3 * SECOND, sim.sleep(n * SECOND))).await);
    let (done, ()) = sim.block_on(futures_lite::future::zip(work, stop));
    assert_eq!(done, [Ok(Ok(())), Ok(Ok(())), Err(Cancelled)]);
}
