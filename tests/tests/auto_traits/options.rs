//! The options that decide when bodies start, and those that stop a loop.

use std::rc::Rc;
use std::time::Duration;

use forloop::progress::Progress;
use forloop::smol::Smol;
use forloop::tracing::{Events, Spans};
use forloop::*;

use crate::bodies::{rc, send};
// `forloop` has another `Body`.
use crate::case::Body;
use crate::case::*;

fn retry() -> backon::ConstantBuilder {
    backon::ConstantBuilder::default()
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
        AddsRule => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        WithRule<NoOptions, LimitBy<u32, Body>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        LimitBy<Rc<str>, Body> => "Unpin UnwindSafe RefUnwindSafe",
        WeightBy<Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Stagger<Smol> => "Send Unpin",
        Rated<Smol> => "Send Unpin",
        Rate => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        InvalidRate => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retry<backon::ExponentialBuilder> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retry<backon::ExponentialBuilder, RetryIf<Body>> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Retrying<Smol, backon::ConstantBuilder, backon::ConstantBackoff, AnyError> => "Send Unpin",
        AnyError => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        RetryIf<Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        AdmissionQueue<u32, Rc<u32>> => "Unpin UnwindSafe RefUnwindSafe",
        AdmissionQueue<u32, u32> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        NoQueue => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        StopOnCounts<fn(&Counts) -> bool> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        StopOnOutput<fn(usize, &u32) -> bool> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Counts => "Send Sync Unpin UnwindSafe RefUnwindSafe",
        Observed<Smol, Body> => "Send Sync Unpin UnwindSafe RefUnwindSafe",
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
        in_task().retry(&Smol, retry()).settle(send::result) => "Send Unpin",
        in_task().retry(&Smol, retry()).settle(rc::result) => "Unpin",
        in_task().retry(&Smol, retry()).stream(send::result) => "Send Unpin",
        spawned().retry(&Smol, retry()).try_gather(send::result) => "Send Unpin",
        in_task().rate(&Smol, some()).gather(send::value) => "Send Unpin",
        in_task().stagger(&Smol, TIME).race(send::value) => "Send Unpin",
        in_task().limit_by(|n| *n, some::<std::num::NonZeroUsize>()).gather(send::value) => "Send Sync Unpin",
        in_task().limit_by(|n| *n, some::<std::num::NonZeroUsize>()).gather(rc::value) => "Unpin",
        in_task().weight_by(|_| 1).as_completed(send::value) => "Send Sync Unpin",
        in_task().stop_on_counts(|_| true).settle(send::result) => "Send Sync Unpin",
        in_task().stop_on_output(|_, _| true).settle(send::result) => "Send Sync Unpin",
        in_task().drain_on(CancelToken::new()).gather(send::value) => "Send Sync Unpin",
        in_task().observe(&Smol, |_: Duration, _: &Event| {}).gather(send::value) => "Send Sync Unpin",
    }
}
