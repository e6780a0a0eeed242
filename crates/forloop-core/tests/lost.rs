//! Bodies that are lost with the process that ran them, as a place outside of this crate reports them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use forloop_core::places::{Attempt, FutureSet, JobHandle, Place, Push};
use forloop_core::types::FailedAttempt;
use forloop_core::{Event, LoopError, Outcome, OutcomeKind, Timer, each};
use futures_lite::future::block_on;

/// Runs bodies in the caller's task, and loses those whose index is one of these.
struct Loses(&'static [usize]);

struct Losing<B> {
    body: Pin<Box<B>>,
    is_lost: bool,
}

impl<B: Future> Place<B> for Loses {
    type Set = FutureSet<Losing<B>>;
    type Dispatch = Push;

    fn set(&self) -> Self::Set {
        FutureSet::new()
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> Self::Set {
        match source {}
    }

    fn start(&self, attempt: Attempt, body: B, (): ()) -> Losing<B> {
        Losing { body: Box::pin(body), is_lost: self.0.contains(&attempt.index) }
    }
}

impl<B: Future> JobHandle for Losing<B> {
    type Output = B::Output;

    const INLINE: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<B::Output>> {
        if self.is_lost {
            return Poll::Ready(Outcome::Lost);
        }
        self.body.as_mut().poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn sequence(&self) -> usize {
        0
    }

    fn next_sequence() -> usize {
        0
    }
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

async fn tenfold(n: u32) -> Result<u32, &'static str> {
    if n == 3 { Err("three") } else { Ok(n * 10) }
}

async fn plain(n: u32) -> u32 {
    n * 10
}

/// The message of the panic with which `loop_` ends.
fn panic_of<T>(loop_: impl Future<Output = T>) -> String {
    let caught = catch_unwind(AssertUnwindSafe(|| block_on(loop_)));
    let payload = caught.err().expect("the loop panics");
    payload.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn settle_returns_a_lost_body_as_its_outcome() {
    let settled = block_on(each([1, 2, 3]).unbounded().at(Loses(&[1])).settle(tenfold));
    assert_eq!(settled[..], [Outcome::Ok(10), Outcome::Lost, Outcome::Err("three")]);
    assert_eq!(settled.summary().to_string(), "1 ok, 1 failed, 1 lost");
    assert_eq!((settled.summary().lost, settled.summary().total()), (1, 3));
    assert!(settled[1].is_failure() && settled[1].kind() == OutcomeKind::Lost);
    assert_eq!(settled[1].to_string(), "lost");
    let error = settled.into_result().unwrap_err();
    assert_eq!(error.first().unwrap().error, "three", "an error is more severe than a loss");
}

#[test]
fn a_loop_that_returns_outcomes_has_that_of_a_lost_body() {
    let caught = each([1, 2]).unbounded().at(Loses(&[0])).catch_panics().gather(plain);
    assert_eq!(block_on(caught), [Outcome::Lost, Outcome::Ok(20)]);
}

#[test]
fn a_strategy_that_stops_at_failures_stops_at_a_lost_body() {
    let error = block_on(each([1, 2]).unbounded().at(Loses(&[1])).try_gather(tenfold)).unwrap_err();
    assert!(matches!(&error, LoopError::Lost { lost, cause: None, .. } if lost[..] == [1]));
    assert_eq!(error.to_string(), "body 1 was lost");
    assert!(error.failures().is_empty() && error.timed_out().is_empty());
    assert_eq!(format!("{error:?}"), "Lost { lost: [1], timed_out: [], cause: None }");
    let error = error.map(str::len);
    assert!(matches!(error, LoopError::Lost { .. }));

    let step = async |_| Ok::<(), &str>(());
    let error = block_on(each([1, 2]).unbounded().at(Loses(&[0])).try_for_each(step)).unwrap_err();
    assert!(matches!(error, LoopError::Lost { .. }), "{error:?}");
}

#[test]
fn the_first_that_succeeds_wins_although_others_were_lost() {
    let won = block_on(each([1, 2]).unbounded().at(Loses(&[0])).race_ok(tenfold));
    assert_eq!(won.unwrap(), (1, 20));
    let lost = block_on(each([1, 2]).unbounded().at(Loses(&[0, 1])).race_ok(tenfold));
    assert_eq!(lost.unwrap_err().to_string(), "body 0 was lost (and 1 more)");
}

#[test]
fn a_strategy_without_outcomes_panics_when_the_other_bodies_have_stopped() {
    let message = "body 1 was lost: the process that ran it died";
    let lossy = || each([1, 2, 3]).unbounded().at(Loses(&[1]));
    assert_eq!(panic_of(lossy().gather(plain)), message);
    assert_eq!(panic_of(lossy().for_each(async |_| ())), message);
    assert_eq!(panic_of(lossy().fold(0, plain, |sum, (_, n)| sum + n)), message);
    assert_eq!(
        panic_of(each([1, 2]).unbounded().at(Loses(&[0, 1])).race(plain)).len(),
        message.len()
    );
}

#[test]
fn observers_receive_the_kind_of_a_lost_body() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kinds = seen.clone();
    let observed =
        each([1, 2]).unbounded().at(Loses(&[1])).timer(&Still).observe(move |_, event: &Event| {
            if let Event::Completed { index, attempts, kind, .. } = *event {
                kinds.lock().unwrap().push((index, attempts, kind));
            }
        });
    let settled = block_on(observed.settle(tenfold));
    assert_eq!(settled[..], [Outcome::Ok(10), Outcome::Lost]);
    assert_eq!(*seen.lock().unwrap(), [(0, 1, OutcomeKind::Ok), (1, 1, OutcomeKind::Lost)]);
}

#[test]
fn a_stop_condition_counts_a_lost_body_as_a_failure() {
    let items = each([1, 2, 4])
        .limit(1)
        .unwrap()
        .at(Loses(&[0]))
        .stop_on_counts(|counts| counts.failed() >= 1);
    let settled = block_on(items.settle(tenfold)).pad_to(3);
    assert_eq!(settled[..], [Outcome::Lost, Outcome::NotRun, Outcome::NotRun]);
}

#[test]
fn on_failure_receives_a_lost_body_with_its_item() {
    let mut lost = Vec::new();
    let items = each([1, 2]).unbounded().at(Loses(&[1]));
    let observed = items.on_failure(|item, failure: FailedAttempt<'_, &str>| {
        lost.push((*item, failure.kind(), failure.to_string(), failure.error().is_none()));
    });
    let settled = block_on(observed.settle(tenfold));
    assert_eq!(settled[..], [Outcome::Ok(10), Outcome::Lost]);
    assert_eq!(lost, [(2, OutcomeKind::Lost, "lost".to_owned(), true)]);
}
