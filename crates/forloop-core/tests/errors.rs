//! What an error says, and what is in its chain of sources.

use std::error::Error;
use std::{fmt, io, iter};

use forloop_core::types::ReadySignal;
use forloop_core::{
    BoxError, CancelToken, Cancelled, Cause, Closed, LoopError, Outcome, OutcomeKind, Panic,
    Summary, TimedOut, ZeroLimit, each, local_scope, try_each, with_item,
};
use futures_lite::future::block_on;

/// An error with a source.
#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot load")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn outer() -> Outer {
    Outer(io::Error::other("the disk is full"))
}

/// The error, its source, and so on.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source()).collect()
}

fn has<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    chain(error).into_iter().any(<dyn Error>::is::<E>)
}

/// Checks that both errors of the cause are in the chain, each once, and in no box. A printer of the chain prints the
/// text of each once, and `{:#}` prints that of the body's or the source's error, too.
fn check_chain(error: &(dyn Error + 'static)) {
    assert!(has::<Outer>(error) && has::<io::Error>(error) && !has::<BoxError>(error), "{error:?}");
    let messages: Vec<_> = chain(error).into_iter().map(ToString::to_string).collect();
    let printed = messages.join(": ");
    assert_eq!(printed.matches("cannot load").count(), 1, "{printed}");
    assert_eq!(printed.matches("the disk is full").count(), 1, "{printed}");
    assert!(!messages[0].contains("cannot load"), "{printed}");
    assert!(format!("{error:#}").contains(": cannot load"), "{error:#}");
}

async fn failing(_: u32) -> Result<(), Outer> {
    Err(outer())
}

#[test]
fn a_boxed_error_is_in_the_chain_as_one_that_is_not() {
    let error = block_on(each([1]).unbounded().try_gather(failing)).unwrap_err();
    check_chain(&error);
    check_chain(&error.boxed());
    let error = block_on(local_scope(async |_| Err::<(), _>(outer()))).unwrap_err();
    check_chain(&error.boxed());
}

#[test]
fn an_error_that_a_child_boxes_is_in_the_chain() {
    let error = block_on(local_scope(async |scope| {
        let started = scope.start(|_: ReadySignal<()>| async { Err::<(), _>(outer()) });
        Ok::<_, Outer>(started.await.unwrap_err())
    }));
    let error = error.unwrap();
    check_chain(&error);
    check_chain(&error.boxed());
}

#[test]
fn a_boxed_error_of_the_source_is_in_the_chain() {
    let items = || [Err::<u32, _>(BoxError(outer().into()))];
    let error = block_on(try_each(items()).unbounded().try_gather(failing)).unwrap_err();
    check_chain(&error);
    let error = block_on(try_each(items()).unbounded().gather(async |n| n)).unwrap_err();
    check_chain(&error);
    assert_eq!(error.to_string(), "the source failed at item 0");
}

#[test]
fn a_boxed_error_with_its_item_is_in_the_chain() {
    let body = with_item(async |_: u32| Err::<(), _>(BoxError(outer().into())));
    let error = block_on(each([1]).unbounded().try_gather(body)).unwrap_err();
    check_chain(&error);
}

#[test]
fn an_error_prints_which_body_failed_and_in_its_alternate_form_why() {
    let failing = async |n: u32| Err::<(), _>(format!("number {n}"));
    let error = block_on(each([7, 8, 9]).unbounded().settle(failing)).into_result().unwrap_err();
    assert_eq!(error.to_string(), "body 0 failed (and 2 more)");
    assert_eq!(format!("{error:#}"), "body 0 failed: number 7 (and 2 more)");
    // A failure is in no chain, so it prints its error always.
    assert_eq!(error.first().unwrap().to_string(), "body 0 failed: number 7");
    let nested = block_on(each([0]).unbounded().try_gather(async |_| Err::<(), _>(error.clone())));
    let nested = nested.unwrap_err();
    assert_eq!(nested.to_string(), "body 0 failed");
    assert_eq!(format!("{nested:#}"), "body 0 failed: body 0 failed: number 7 (and 2 more)");
}

#[test]
fn what_is_printed_of_an_error_is_bounded() {
    let body = async |n: usize| if n == 70_000 { Ok(()) } else { Err(n) };
    let settled = block_on(each(0..100_000).unbounded().settle(body));
    let outcomes = format!("{settled:?}");
    assert!(outcomes.len() < 1000 && outcomes.contains("and 99990 more"), "{outcomes}");
    let error = settled.into_result().unwrap_err();
    for text in [format!("{error:?}"), format!("{error:#?}"), error.to_string()] {
        assert!(text.len() < 4000 && text.contains("more"), "{text}");
    }
    let supervised = local_scope(async |scope| {
        (0..100_000).for_each(|n| drop(scope.spawn(async move { Err::<(), _>(n) })));
        Ok(())
    });
    let supervised = block_on(supervised.supervised()).unwrap();
    assert_eq!(supervised.failures.len(), 100_000);
    assert!(format!("{supervised:?}").len() < 4000, "{supervised:?}");
    let few = block_on(each(0..3).unbounded().settle(async |n: usize| Err::<(), _>(n)));
    let few = format!("{:?}", few.into_result().unwrap_err());
    assert!(few.contains("Some(2)") && !few.contains("more"), "{few}");

    let token = CancelToken::new();
    let looping = each(0..100_000).unbounded().cancel_on(&token);
    let gathered = looping.gather(async |n: usize| {
        if n == 99_999 {
            token.cancel();
        }
        std::future::pending::<()>().await;
    });
    let interrupted = block_on(gathered).unwrap_err();
    for text in [format!("{interrupted:?}"), format!("{interrupted:#?}")] {
        assert!(text.len() < 8000 && text.contains("and more"), "{text}");
    }
}

#[test]
fn a_failure_is_found_by_its_index() {
    let body = async |n: usize| if n.is_multiple_of(3) { Ok(()) } else { Err(n) };
    for items in [3, 20, 100_000] {
        let mut error =
            block_on(each(0..items).unbounded().settle(body)).into_result().unwrap_err();
        for n in 0..items + 3 {
            let expected = (!n.is_multiple_of(3) && n < items).then_some(&n);
            assert_eq!(error.get(n), expected);
        }
        // The failures may be changed.
        if let LoopError::Failed { failures, .. } = &mut error {
            failures.reverse();
            failures.pop();
        }
        assert_eq!((error.get(1), error.get(2)), (None, (items > 2).then_some(&2)));
    }
}

/// The error of a loop that is cancelled when its bodies of odd index have failed.
fn some_failed(items: usize) -> LoopError<usize> {
    let token = CancelToken::new();
    let looping = each(0..items).unbounded().cancel_on(&token);
    let settled = block_on(looping.settle(async |n: usize| {
        if n == 0 {
            std::future::pending::<()>().await;
        }
        if n + 1 == items {
            token.cancel();
        }
        if n.is_multiple_of(2) { Ok(()) } else { Err(n) }
    }));
    settled.into_result().unwrap_err()
}

#[test]
fn a_split_error_keeps_each_failure_in_one_part() {
    let (matching, rest) = some_failed(100).split(|n| n % 3 == 0);
    let (matching, rest) = (matching.unwrap(), rest.unwrap());
    assert!(matching.failures().iter().all(|failure| failure.error % 3 == 0));
    assert!(rest.failures().iter().all(|failure| failure.error % 3 != 0));
    assert_eq!(matching.failures().len() + rest.failures().len(), 50);
    assert!(matching.failures().is_sorted_by_key(|failure| failure.index));
    assert_eq!((matching.get(3), matching.get(5), rest.get(5)), (Some(&3), None, Some(&5)));
    // The cause belongs to the rest.
    assert_eq!((matching.cause(), rest.cause()), (None, Some(Cause::Cancelled)));
}

#[test]
fn a_part_without_a_failure_is_what_else_happened_or_nothing() {
    let (matching, rest) = some_failed(20).split(|_| true);
    assert_eq!(matching.unwrap().failures().len(), 10);
    assert_eq!(rest, Some(LoopError::Cancelled));
    let (matching, rest) = some_failed(20).split(|_| false);
    assert_eq!((matching, rest), (None, Some(some_failed(20))));

    let failed = || block_on(each([1, 2]).unbounded().try_for_each(async |n: u32| Err::<(), _>(n)));
    assert_eq!(failed().unwrap_err().split(|_| true), (failed().err(), None));
    let cancelled = LoopError::<u32>::Cancelled.split(|_| true);
    assert_eq!(cancelled, (None, Some(LoopError::Cancelled)));

    let source = || {
        block_on(try_each([Ok(1), Err(io::Error::other("no more"))]).unbounded().settle(failing))
    };
    let (matching, rest) = source().into_result().unwrap_err().split(|_| true);
    assert_eq!(matching.unwrap().failures().len(), 1);
    let Some(LoopError::Source { index: 1, failures, .. }) = rest else { panic!("{rest:?}") };
    assert!(failures.is_empty());
}

#[test]
fn a_mapped_error_is_otherwise_the_same() {
    let error = some_failed(100);
    let mapped = error.clone().map(|n| n.to_string());
    assert_eq!(mapped.get(5).map(String::as_str), Some("5"));
    assert_eq!((mapped.cause(), mapped.timed_out()), (error.cause(), error.timed_out()));
    assert_eq!(mapped.map(|text| text.parse().unwrap()), error);
}

#[test]
fn an_outcome_without_a_value_is_an_error() {
    let settled = block_on(each([1]).unbounded().settle(failing));
    let error = settled.into_iter().next().unwrap().into_result().unwrap_err();
    assert_eq!(error.kind(), OutcomeKind::Failed);
    check_chain(&error);
    let all = [
        Outcome::Ok(1),
        Outcome::Err("no route"),
        Outcome::Panicked(panic("at the disco")),
        Outcome::TimedOut,
        Outcome::Cancelled,
        Outcome::NotRun,
    ];
    let texts =
        ["ok", "failed: no route", "panicked: at the disco", "timed out", "cancelled", "not run"];
    assert_eq!(all.each_ref().map(ToString::to_string), texts);
    assert_eq!(all[2], Outcome::Panicked(panic("at the disco")));
    assert_ne!(all[2], Outcome::Panicked(panic("elsewhere")));
    let summary: Summary = all.iter().chain(&all[..1]).collect();
    let text = "2 ok, 1 failed, 1 panicked, 1 timed out, 1 cancelled, 1 not run";
    assert_eq!((summary.to_string().as_str(), summary.total()), (text, 7));
    let texts = [
        "the body failed: no route",
        "the body panicked: at the disco",
        "the body timed out",
        "the body was cancelled",
        "the body was not run",
    ];
    for (outcome, text) in all.into_iter().skip(1).zip(texts) {
        let error = Result::from(outcome).unwrap_err();
        assert_eq!(format!("{error:#}"), text);
        assert_eq!(error.to_string(), text.trim_end_matches(": no route"));
    }
}

fn panic(message: &'static str) -> Panic {
    Panic::from(Box::new(message) as Box<dyn std::any::Any + Send>)
}

#[test]
fn an_item_that_was_not_pulled_did_not_run() {
    let token = CancelToken::new();
    let settled = block_on(each(0..5).sequential().cancel_on(&token).settle(async |n: u32| {
        if n == 3 {
            token.cancel();
            std::future::pending::<()>().await;
        }
        if n == 2 { Err("busy") } else { Ok(n) }
    }));
    assert_eq!(settled.summary().to_string(), "2 ok, 1 failed, 1 cancelled");
    let outcomes: Vec<_> = settled.with_items("abcde".chars()).collect();
    assert_eq!(outcomes[1], (1, 'b', Outcome::Ok(1)));
    assert_eq!(outcomes[4], (4, 'e', Outcome::NotRun));
    assert_eq!(Summary::default().to_string(), "no items");
}

/// A named subject and what happened to it, in the past tense; for a wrong argument, what it must be.
#[test]
fn every_error_is_one_sentence_in_lower_case() {
    type Failed = LoopError<&'static str>;
    let errors = [
        (Failed::Cancelled.to_string(), "the loop or group was cancelled"),
        (Failed::Drained.to_string(), "the loop was drained before every item was started"),
        (Failed::ConditionMet.to_string(), "a stop condition was met"),
        (Failed::Empty.to_string(), "the source yielded no items"),
        (Cancelled.to_string(), "the task was cancelled"),
        (TimedOut.to_string(), "the future timed out"),
        (Closed.to_string(), "the group was closed and accepted no more children"),
        (ZeroLimit.to_string(), "a limit or a size of chunks must be at least 1"),
    ];
    for (text, sentence) in errors {
        assert_eq!(text, sentence);
    }
    let token = CancelToken::new();
    token.cancel();
    let stopped = each([1]).unbounded().cancel_on(&token).for_each(async |_| {});
    assert_eq!(block_on(stopped).unwrap_err().to_string(), "the loop or group was cancelled");
}
