//! Every option that takes a clock takes one whose sleeps stay on their thread.

#![cfg(all(feature = "std", feature = "backon"))]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backon::ConstantBuilder;
use forloop_core::{
    Cause, Event, LocalTimer, LoopError, Outcome, Rate, TaskSet, each, local_scope, wait,
};

const SECOND: Duration = Duration::from_secs(1);

/// A clock that advances to its next sleep when the future that it runs waits.
#[derive(Clone, Default)]
struct ThreadClock {
    now: Rc<Cell<Duration>>,
    sleeping: Rc<RefCell<BTreeMap<(Duration, u64), Waker>>>,
    made: Rc<Cell<u64>>,
}

impl ThreadClock {
    /// Polls the future after each advance, so no future may wait for anything but the clock.
    fn run<F: Future>(&self, future: F) -> F::Output {
        let (mut future, mut polls) = (pin!(future), 0);
        loop {
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(output) = polled {
                return output;
            }
            polls += 1;
            assert!(polls < 10_000, "nothing wakes the future");
            let next = self.sleeping.borrow_mut().pop_first();
            if let Some(((due, _), waker)) = next {
                self.now.set(self.now.get().max(due));
                waker.wake();
            }
        }
    }
}

impl LocalTimer for ThreadClock {
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        self.made.set(self.made.get() + 1);
        let (clock, key) = (self.clone(), (self.now.get() + duration, self.made.get()));
        Box::pin(poll_fn(move |cx| {
            if key.0 <= clock.now.get() {
                return Poll::Ready(());
            }
            clock.sleeping.borrow_mut().insert(key, cx.waker().clone());
            Poll::Pending
        }))
    }

    fn now_local(&self) -> Duration {
        self.now.get()
    }
}

#[test]
fn bodies_time_out_and_loops_have_deadlines() {
    let clock = ThreadClock::default();
    let looping =
        each([1, 9]).unbounded().timer(&clock).timeout(5 * SECOND).settle(async |seconds| {
            clock.sleep_local(seconds * SECOND).await;
            Ok::<_, ()>(seconds)
        });
    assert!(matches!(clock.run(looping)[..], [Outcome::Ok(1), Outcome::TimedOut]));
    assert_eq!(clock.now.get(), 5 * SECOND);

    let looping =
        each([1, 9]).unbounded().timer(&clock).deadline(2 * SECOND).gather(async |seconds| {
            clock.sleep_local(seconds * SECOND).await;
        });
    assert_eq!(clock.run(looping).unwrap_err().cause, Cause::TimedOut);
    assert_eq!(clock.now.get(), 7 * SECOND);
}

#[test]
fn starts_are_paced_and_failures_retried() {
    let clock = ThreadClock::default();
    let now = async |_: u32| clock.now.get().as_secs();
    let rate = Rate::new(1, SECOND).unwrap();
    let looping = each(0..3).unbounded().timer(&clock).rate(rate).gather(now);
    assert_eq!(clock.run(looping), [0, 1, 2]);
    let looping = each(0..2).unbounded().timer(&clock).stagger(5 * SECOND).gather(now);
    assert_eq!(clock.run(looping), [2, 7]);

    let attempts = Cell::new(0);
    let back_off = ConstantBuilder::default().with_delay(10 * SECOND).with_max_times(2);
    let looping = each([0]).unbounded().timer(&clock).retry(back_off).try_gather(async |_| {
        attempts.set(attempts.get() + 1);
        if attempts.get() < 3 { Err(()) } else { Ok(clock.now.get().as_secs()) }
    });
    assert_eq!(clock.run(looping), Ok(vec![27]));
}

#[test]
fn events_have_times() {
    let clock = ThreadClock::default();
    let times = Rc::new(RefCell::new(Vec::new()));
    let observed = times.clone();
    let looping =
        each([3, 1]).unbounded().timer(&clock).observe(move |time: Duration, event: &Event| {
            if let Event::Completed { index, .. } = event {
                observed.borrow_mut().push((*index, time.as_secs()));
            }
        });
    clock.run(looping.gather(async |seconds| clock.sleep_local(seconds * SECOND).await));
    assert_eq!(times.borrow()[..], [(1, 1), (0, 3)]);
}

#[test]
fn waits_and_groups_time_out() {
    let clock = ThreadClock::default();
    let mut set = TaskSet::new([1, 9].map(|seconds| clock.sleep_local(seconds * SECOND)));
    let (done, pending_set) = clock.run(wait(&mut set).timer(&clock).timeout(5 * SECOND));
    assert_eq!((done.len(), pending_set.len()), (1, 1));

    let endless = async |_| pending::<Result<(), ()>>().await;
    let group = local_scope(endless).timer(&clock).deadline(2 * SECOND);
    assert!(matches!(clock.run(group), Err(LoopError::TimedOut { .. })));
    assert_eq!(clock.now.get(), 7 * SECOND);
}
