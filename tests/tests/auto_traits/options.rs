//! The options that decide when bodies start, and those that stop a loop.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use forloop::backon::ConstantBuilder;
use forloop::places::*;
use forloop::progress::Progress;
use forloop::smol::Smol;
use forloop::tracing::{Events, Spans};
use forloop::types::*;
use forloop::*;

use crate::bodies::{rc, send};
// `forloop` has another `Body`.
use crate::case::Body;
use crate::case::*;

fn retry() -> ConstantBuilder {
    ConstantBuilder::default()
}

/// A back-off without jitter.
type Delays = std::array::IntoIter<Duration, 3>;

/// A clock that may move to another thread, with sleeps that stay on theirs.
#[derive(Debug, Clone, Copy)]
struct PerCore;

impl LocalTimer for PerCore {
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn sleep_local(&self, _: Duration) -> Self::Sleep {
        Box::pin(std::future::pending())
    }

    fn now_local(&self) -> Duration {
        Duration::ZERO
    }
}

pub(super) fn types() -> Vec<Case> {
    types! {
        WithInterrupt<NoOptions, DrainOn<Cancellation>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        DrainOn<std::marker::PhantomPinned> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithCondition<NoOptions, StopOnOutput<Body>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithOption<NoOptions, LimitBy<Rc<str>, Body>, AddsRule> => "Unpin UnwindSafe RefUnwindSafe",
        AddsCondition => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AddsInterrupt => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AddsOutcomes => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AddsTimeLimit => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithTimeLimit<NoOptions, Timeout<WithTimer<Smol>>> => "Send Unpin",
        WorkerPolicy<AllItems, WithTimeLimit<NoOptions, Timeout<WithTimer<Smol>>>> => "Send Unpin",
        OnWorkers<Fallible<String>, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        OnWorkers<WithRule<NoOptions, WeightBy<Body>>, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SharedPolicy<NoOptions, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        LoopParts<NoOptions, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        EachPulls => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        ShareDriver => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AllItems => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        UntilError<String> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        UntilError<Rc<()>> => "Unpin UnwindSafe RefUnwindSafe",
        AddsRule => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithRule<NoOptions, LimitBy<u32, Body>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        LimitBy<Rc<str>, Body> => "Unpin UnwindSafe RefUnwindSafe",
        LimitBy<Option<String>, BorrowedKey<Body>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        BorrowedKey<Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WeightBy<Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Stagger<WithTimer<Smol>> => "Send Unpin",
        Stagger<WithTimer<PerCore>> => "Unpin",
        Rated<WithTimer<Smol>> => "Send Unpin",
        Rated<WithTimer<PerCore>> => "Unpin",
        Rate => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        RateLimit => "Send Sync Unpin",
        SharedRate => "Send Sync Unpin",
        SharedLimit => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        SharesLimit => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        InvalidRate => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retry<Backon<backon::ExponentialBuilder>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retry<Backon<backon::ExponentialBuilder>, RetryIf<Body>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retry<Delays, Adjusted<Body, RetryIf<Body>>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retrying<WithTimer<Smol>, Backon<ConstantBuilder>, backon::ConstantBackoff, AnyError> => "Send Unpin",
        Retrying<WithTimer<PerCore>, Delays, Delays, AnyError> => "Unpin",
        Backon<ConstantBuilder> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Timeout<WithTimer<PerCore>> => "Unpin",
        Deadline<WithTimer<PerCore>> => "Unpin",
        AnyError => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        RetryIf<Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Adjusted<Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        OnFailure<u32, Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        OnFailure<Rc<u32>, Body> => "Unpin UnwindSafe RefUnwindSafe",
        FailedAttempt<'static, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AdmissionQueue<u32, Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        AdmissionQueue<u32, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        NoQueue => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        StopOnCounts<fn(&Counts) -> bool> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        StopOnOutput<fn(usize, &u32) -> bool> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Counts => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Observed<WithTimer<Smol>, Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Event => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        StopReason => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        OutcomeKind => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Attempt => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Progress => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Spans => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Events => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Layered<Inline, Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
    }
}

pub(super) fn rows() -> Vec<Case> {
    values! {
        in_task().timer(&Smol).retry(retry()).settle(send::result) => "Send Unpin",
        in_task().timer(&Smol).retry(retry()).settle(rc::result) => "Unpin",
        in_task().timer(&Smol).retry(retry()).stream(send::result) => "Send Unpin",
        spawned().timer(&Smol).retry(retry()).try_gather(send::result) => "Send Unpin",
        in_task().on_failure(|_, _| {}).settle(send::result) => "Send Sync Unpin",
        in_task().on_failure(|_, _| {}).settle(rc::result) => "Unpin",
        in_task().timer(&Smol).rate(some::<Rate>()).gather(send::value) => "Send Unpin",
        in_task().timer(&Smol).rate(some::<SharedRate>()).gather(send::value) => "Send Unpin",
        each(0..9).chunks(some::<std::num::NonZeroUsize>()).sequential().gather(async |_| ()) => "Send Sync Unpin",
        each(0..9).chunks(some::<std::num::NonZeroUsize>()).within(TIME).sequential().gather(async |_| ()) => "Send Unpin",
        in_task().shared_limit(&some()).gather(send::value) => "Send Sync Unpin",
        in_task().timer(&Smol).stagger(TIME).race(send::value) => "Send Unpin",
        in_task().limit_by(|n| *n, some::<std::num::NonZeroUsize>()).gather(send::value) => "Send Sync Unpin",
        in_task().limit_by(|n| *n, some::<std::num::NonZeroUsize>()).gather(rc::value) => "Unpin",
        in_task().weight_by(|_| 1).as_completed(send::value) => "Send Sync Unpin",
        in_task().stop_on_counts(|_| true).settle(send::result) => "Send Sync Unpin",
        in_task().stop_on_output(|_, _| true).settle(send::result) => "Send Sync Unpin",
        in_task().drain_on(CancelToken::new()).gather(send::value) => "Send Sync Unpin",
        in_task().timer(&PerCore).timeout(TIME).gather(send::value) => "Unpin",
        in_task().timer(&PerCore).deadline(TIME).gather(send::value) => "Unpin",
        in_task().timer(&PerCore).observe(|_: Duration, _: &Event| {}).gather(send::value) => "Send Sync Unpin",
        in_task().timer(&Smol).observe(|_: Duration, _: &Event| {}).gather(send::value) => "Send Sync Unpin",
    }
}

async fn length(word: &str) -> io::Result<usize> {
    futures_lite::future::yield_now().await;
    Ok(word.len())
}

/// What the compiler derives inside a spawned task, where it does not know the lifetimes of what is borrowed.
#[test]
fn loops_with_every_option_over_borrowed_items_are_send() {
    let task = async {
        let words = vec![String::from("to"), String::from("be")];
        let stop = CancelToken::new();
        let shared = SharedLimit::new(9).unwrap();
        let looping = || {
            each(&words)
                .limit(2)
                .unwrap()
                .limit_by(|word| word.as_str(), 1)
                .unwrap()
                .weight_by(|word| word.len())
                .shared_limit(&shared)
                .timer(&Smol)
                .rate(Rate::per_second(1_000_000).unwrap())
                .stagger(Duration::ZERO)
                .timeout(Duration::from_secs(60))
                .catch_panics()
                .deadline(Duration::from_secs(60))
                .cancel_on(&stop)
                .drain_on(&stop)
                .stop_on_counts(|counts| counts.failed() > 9)
                .stop_on_output(|_, length: &io::Result<_>| length.is_err())
                .observe(|_: Duration, _: &Event| {})
                .on_failure(|_, _| {})
                .retry(Retry::new(retry()).when(|_: &io::Error| false).adjust(|_, delay| delay))
        };
        let settled = looping().settle(|word| length(word)).await;
        let gathered = looping().gather(|word| length(word)).await;
        let mut streamed = looping().stream(|word| length(word));
        let first = streamed.next().await.unwrap();
        let boxed = looping().settle(|word| {
            let body: std::pin::Pin<Box<dyn Future<Output = _> + Send + '_>> =
                Box::pin(length(word));
            body
        });
        assert!(first.unwrap().is_ok());
        settled.len() + gathered.unwrap().len() + boxed.await.len()
    };
    assert_eq!(block_on(spawn(&Smol, task)), Ok(6));
}
