//! What a runtime promises of its clock.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use forloop_core::Timer;

use super::observe::{Observed, spawn, task, until_in};
use super::{Notes, Verdict};
use crate::Backend;
use crate::tasks::Tasks;

/// SEAM-12: `now` never goes back, on one thread and between several.
pub fn now_never_goes_back(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let clock = tasks.clock();
    let latest = Mutex::new(Ok(Duration::ZERO));
    let read = || {
        // Read under the lock, so that the readings have one order.
        let mut latest = latest.lock().expect("`now` does not panic");
        if let Ok(before) = *latest {
            let now = clock.now();
            *latest = if now < before { Err((before, now)) } else { Ok(now) };
        }
    };
    let read_often = || (0..1000).for_each(|_| read());
    if !tasks.is_on_one_thread() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(read_often);
            }
        });
    }
    tasks.block_on(async {
        read_often();
        clock.sleep(Duration::from_millis(3)).await;
        read();
    });
    match latest.into_inner().expect("`now` does not panic") {
        Ok(_) => Ok(()),
        Err((before, now)) => Err(format!("`now` went back from {before:?} to {now:?}")),
    }
}

/// SEAM-13: `sleep` is never early by the clock that `now` reads, for any duration.
pub fn a_sleep_is_never_early(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let clock = tasks.clock();
    tasks.block_on(async {
        let mut never = pin!(clock.sleep(Duration::MAX));
        if never.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return Err("a `sleep` of `Duration::MAX` was ready at once: saturate".into());
        }
        no_sleep_is_early(&clock).await
    })
}

async fn no_sleep_is_early(clock: &impl Timer) -> Verdict {
    // Beside one another, because each may be late.
    let durations = [0, 1, 999, 1000, 1001, 1500, 2000, 3999, 5000, 7500, 10_000];
    let mut sleeps = durations.map(Duration::from_micros).map(|duration| {
        let before = clock.now();
        (duration, before, Some(Box::pin(clock.sleep(duration))))
    });
    let mut fault = None;
    poll_fn(|cx| {
        for (duration, before, sleep) in &mut sleeps {
            if sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready()) {
                *sleep = None;
                let took = clock.now().saturating_sub(*before);
                if took < *duration {
                    fault = Some(format!("a `sleep` of {duration:?} was ready after {took:?}"));
                }
            }
        }
        if sleeps.iter().all(|(_, _, sleep)| sleep.is_none()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    fault.map_or(Ok(()), Err)
}

/// The patience with timers, which may be late.
const TICKS: usize = 1500;

/// SEAM-14: A sleep wakes the task that has polled it last, also if that is not the one that polled it first.
pub fn a_sleep_wakes_the_task_that_polled_it_last(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let (place, clock) = (tasks.place(), tasks.clock());
    for is_moved in [false, true] {
        let observed = Arc::<Observed>::default();
        let is_awake = tasks.block_on(async {
            let mut sleep = Box::pin(clock.sleep(Duration::from_millis(10)));
            if is_moved {
                let mut cx = Context::from_waker(Waker::noop());
                // It may be late, so that this poll finds it ready.
                if sleep.as_mut().poll(&mut cx).is_ready() {
                    return true;
                }
            }
            spawn(&place, task(&observed, move |cx| sleep.as_mut().poll(cx)));
            let observed = observed.clone();
            until_in(TICKS, move || observed.has_ended()).await
        });
        if !is_awake {
            let which = if is_moved { "the task that polled it last" } else { "its task" };
            return Err(format!("a `sleep` of 10 ms did not wake {which}"));
        }
    }
    Ok(())
}
