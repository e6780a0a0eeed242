//! What an error says, and what is in its chain of sources.

use std::error::Error;
use std::{fmt, io, iter};

use forloop_core::{
    BoxError, CancelToken, LoopError, ReadySignal, each, local_scope, try_each, with_item,
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

/// Checks that both errors of the cause are in the chain, each once, and in no box.
fn check_chain(error: &(dyn Error + 'static)) {
    assert!(has::<Outer>(error) && has::<io::Error>(error) && !has::<BoxError>(error), "{error:?}");
    let mut messages: Vec<_> = chain(error).into_iter().skip(1).map(ToString::to_string).collect();
    assert_eq!(messages.iter().filter(|message| message.contains("cannot load")).count(), 1);
    messages.dedup();
    assert_eq!(messages.len() + 1, chain(error).len(), "{messages:?}");
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
    check_chain(&error.unwrap().boxed());
}

#[test]
fn a_boxed_error_of_the_source_is_in_the_chain() {
    let items = || [Err::<u32, _>(BoxError(outer().into()))];
    let error = block_on(try_each(items()).unbounded().try_gather(failing)).unwrap_err();
    check_chain(&error);
    let error = block_on(try_each(items()).unbounded().gather(async |n| n)).unwrap_err();
    check_chain(&error);
}

#[test]
fn a_boxed_error_with_its_item_is_in_the_chain() {
    let body = with_item(async |_: u32| Err::<(), _>(BoxError(outer().into())));
    let error = block_on(each([1]).unbounded().try_gather(body)).unwrap_err();
    assert!(has::<Outer>(&error) && has::<io::Error>(&error));
    assert!(!has::<BoxError>(&error));
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
