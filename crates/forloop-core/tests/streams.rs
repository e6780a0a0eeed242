//! Streams of results in the caller's task, whose results come in batches.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use forloop_core::each;
use futures_core::stream::{FusedStream, Stream};
use futures_lite::StreamExt;
use futures_lite::future::{self, block_on, pending, yield_now};

/// The payload of the panic of a loop.
fn payload(looping: impl Future) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(|| block_on(looping))).err().expect("it panics");
    panic.downcast_ref::<&'static str>().copied().expect("the payload is a string")
}

/// A body that panics if its item is the fourth.
async fn fourth_panics(n: u64) -> u64 {
    if n == 3 {
        resume_unwind(Box::new("the fourth"));
    }
    n
}

#[test]
fn results_from_before_a_panic_come_before_it() {
    let looping = || each(0..100).limit(10).unwrap();
    let taken = RefCell::new(Vec::new());
    let take = |n| taken.borrow_mut().push(n);
    assert_eq!(
        payload(looping().stream_unordered(fourth_panics).for_each(async |n| take(n))),
        "the fourth"
    );
    assert_eq!(taken.take(), [0, 1, 2]);
    assert_eq!(payload(looping().stream(fourth_panics).for_each(async |n| take(n))), "the fourth");
    assert_eq!(taken.take(), [0, 1, 2]);
    let mut results = pin!(looping().as_completed(fourth_panics));
    for n in 0..3 {
        assert_eq!(block_on(results.next()), Some((n as usize, n)));
    }
    assert_eq!(payload(results.next()), "the fourth");
}

#[test]
fn a_result_of_a_slow_source_waits_for_no_further_item() {
    let (pulled, taken) = (Cell::new(0), Cell::new(0));
    let source = || {
        forloop_budget::set_time(Some(Duration::ZERO));
        pulled.set(0);
        taken.set(0);
        (0..30).filter(|_| {
            assert_eq!(pulled.get(), taken.get());
            pulled.set(pulled.get() + 1);
            forloop_budget::set_time(Some(Duration::from_millis(20 * pulled.get())));
            true
        })
    };
    let take = || taken.set(taken.get() + 1);
    block_on(async {
        let mut results = pin!(each(source()).unbounded().stream_unordered(async |n: u64| n));
        while results.next().await.is_some() {
            take();
        }
        each(source()).unbounded().stream_unordered(async |_| ()).for_each(async |()| take()).await;
    });
    assert_eq!(taken.get(), 30);
}

#[test]
fn no_step_begins_after_one_that_failed() {
    let started = RefCell::new(Vec::new());
    for yields in [0, 1] {
        let tried =
            each(0..100).unbounded().stream_unordered(async |n: u64| n).try_for_each(async |n| {
                started.borrow_mut().push(n);
                for _ in 0..yields {
                    yield_now().await;
                }
                if n == 3 { Err("the fourth") } else { Ok(()) }
            });
        assert_eq!(block_on(tried), Err("the fourth"));
        assert_eq!(started.take(), [0, 1, 2, 3], "{yields} yields");
    }
}

#[test]
fn steps_that_are_ready_at_once_yield_to_the_executor() {
    // One body completes after all others, which wait for it in the order of input.
    let started = Cell::new(0);
    let results = each(0..2000).unbounded().stream(async |n| {
        if n == 0 {
            for _ in 0..100 {
                yield_now().await;
            }
        }
    });
    let mut looping = pin!(results.for_each(async |()| started.set(started.get() + 1)));
    let (mut most, mut total) = (0, 0);
    while looping.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        most = most.max(started.get());
        total += started.take();
    }
    assert_eq!((most, total + started.get()), (256, 2000));
}

/// Counts itself when it is dropped, and panics if it has a payload.
struct Dropped<'a>(&'a Cell<usize>, Option<&'static str>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        if let Some(payload) = self.1.take() {
            resume_unwind(Box::new(payload));
        }
    }
}

#[test]
fn the_closure_of_the_steps_is_dropped_before_the_loop_returns() {
    let dropped = Cell::new(0);
    let run = |body: fn(u64) -> u64, payload| {
        let held = Dropped(&dropped, payload);
        each(0..3).unbounded().stream(move |n| async move { body(n) }).for_each(move |_| {
            let _ = &held;
            async {}
        })
    };
    let mut looping = pin!(run(|n| n, None));
    block_on(looping.as_mut());
    assert_eq!(dropped.take(), 1);
    assert_eq!(payload(run(|n| n, Some("of the step"))), "of the step");
    // The panic of a body takes precedence.
    let panics = |_| resume_unwind(Box::new("of a body"));
    assert_eq!(payload(run(panics, Some("of the step"))), "of a body");
    assert_eq!(dropped.get(), 2);
}

/// The size hints and `is_terminated` of a stream, before each of its results and after the last.
fn hints<S: FusedStream + Unpin>(mut results: S) -> Vec<(usize, Option<usize>, bool)> {
    block_on(async {
        let mut hints = Vec::new();
        loop {
            let (least, most) = results.size_hint();
            hints.push((least, most, results.is_terminated()));
            if StreamExt::next(&mut results).await.is_none() {
                let (least, most) = results.size_hint();
                hints.push((least, most, results.is_terminated()));
                return hints;
            }
        }
    })
}

#[test]
fn a_stream_of_results_knows_how_many_are_left_and_when_it_has_ended() {
    let looping = || each(0..4).limit(2).unwrap();
    let bounds = [(0, Some(4)), (0, Some(3)), (0, Some(2)), (0, Some(1)), (0, Some(0))];
    let expected: Vec<_> = bounds.map(|(least, most)| (least, most, false)).into();
    let with_end = |hints: &[(usize, Option<usize>, bool)]| [hints, &[(0, Some(0), true)]].concat();
    assert_eq!(hints(looping().stream(ready)), with_end(&expected));
    // A result that is buffered is certain.
    let expected = [(0, Some(4)), (1, Some(3)), (0, Some(2)), (1, Some(1)), (0, Some(0))];
    let expected: Vec<_> = expected.map(|(least, most)| (least, most, false)).into();
    assert_eq!(hints(looping().stream_unordered(ready)), with_end(&expected));
    // The loop may yet be interrupted, until it has ended.
    let interruptible = looping().cancel_on(pending::<()>()).stream(ready);
    assert_eq!(interruptible.size_hint(), (0, Some(5)));
    // Items that wait for another one with their key are counted.
    let limited = looping().limit_by(|_| 0, 1).unwrap().stream(ready);
    let expected = bounds.map(|(least, most)| (least, most, false));
    assert_eq!(hints(limited), with_end(&expected));
    let mut limited = looping().limit_by(|_| 0, 1).unwrap().stream(|_| pending::<()>());
    assert!(block_on(future::poll_once(limited.next())).is_none());
    assert_eq!(limited.size_hint(), (0, Some(4)));
}
