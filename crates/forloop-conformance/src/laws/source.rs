//! Fallible sources: their errors are distinguished from those of bodies.

use std::pin::Pin;

use forloop_core::{Cause, LoopError, Outcome, try_each, try_each_stream};
use futures_lite::{Stream, StreamExt, stream};

use super::endless;
use crate::{Alive, Backend, Gate, Log, boxed, job, yields};

/// Yields 0 and 1, and then an error, after which it must not be pulled.
fn failing(pulled: &Log<u64>) -> impl Iterator<Item = Result<u64, u32>> + use<> {
    let pulled = pulled.clone();
    (0..10).map(move |n| {
        pulled.write(n);
        if n < 2 { Ok(n) } else { Err(7) }
    })
}

/// BND-9: An error of the source stops the bodies and is returned as the source's, with its index.
pub fn a_source_error_stops_the_bodies_and_is_reported_as_the_sources<B: Backend>(backend: B) {
    let (alive, pulled) = (Alive::default(), Log::default());
    let looping = || try_each(failing(&pulled)).limit(5).unwrap().at(backend.place());
    backend.block_on(async {
        let tried = looping().try_gather(|_| endless::<Result<u64, String>>(&alive)).await;
        let Err(LoopError::Source { index, error, failures, .. }) = tried else {
            panic!("{tried:?}")
        };
        assert_eq!((index, error, failures.len(), alive.now()), (2, 7, 0, 0));
        assert_eq!(pulled.read(), [0, 1, 2]);

        let tried = looping().try_for_each(|_| endless::<Result<(), String>>(&alive)).await;
        assert!(matches!(tried, Err(LoopError::Source { index: 2, error: 7, .. })));
        let raced = looping().race(|_| endless::<u64>(&alive)).await;
        assert!(matches!(raced, Err(LoopError::Source { index: 2, error: 7, .. })));
        let returned = looping().for_each(|_| endless::<()>(&alive)).await.unwrap_err();
        assert_eq!(returned.cause, Cause::Source { index: 2, error: 7 });
        assert_eq!((returned.pending, alive.now(), alive.ever()), (vec![0, 1], 0, 8));
    });
}

/// BND-9: The outcomes before the source's error are returned with it.
pub fn outcomes_before_a_source_error_are_returned<B: Backend>(backend: B) {
    let pulled = Log::default();
    let looping = || try_each(failing(&pulled)).sequential().at(backend.place());
    let body = |n: u64| {
        job(async move {
            yields(2).await;
            n
        })
    };
    backend.block_on(async {
        let returned = looping().gather(body).await.unwrap_err();
        assert_eq!(returned.cause, Cause::Source { index: 2, error: 7 });
        assert!(matches!(returned.ready[..], [Outcome::Ok(0), Outcome::Ok(1)]));
        let settled = looping().settle(boxed(|n| job(async move { Ok::<u64, String>(n) }))).await;
        assert_eq!((settled.len(), settled.interrupted().unwrap().pending.len()), (2, 0));
        let streamed: Vec<_> = looping().stream(body).collect().await;
        assert_eq!(streamed.len(), 3);
        assert!(matches!(streamed[..2], [Ok(0), Ok(1)]));
        assert_eq!(streamed[2].as_ref().unwrap_err().cause, Cause::Source { index: 2, error: 7 });
    });
}

/// BND-9: An error of a stream stops the bodies that are running when it arrives.
pub fn a_stream_error_stops_the_running_bodies<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let opens = gate.clone();
    let items: Pin<Box<dyn Stream<Item = Result<u64, u32>>>> =
        Box::pin(stream::iter([Ok(0), Ok(1)]).chain(stream::once_future(async move {
            gate.passed().await;
            Err(7)
        })));
    let looping = try_each_stream(items).unbounded().at(backend.place());
    let returned = backend.block_on(looping.try_for_each(|n| {
        if n == 1 {
            opens.open();
        }
        endless::<Result<(), String>>(&alive)
    }));
    assert!(matches!(returned, Err(LoopError::Source { index: 2, error: 7, .. })));
    assert_eq!((alive.now(), alive.ever()), (0, 2));
}

/// BND-9: An error of a body is not reported as an error of the source.
pub fn a_bodys_error_is_not_reported_as_the_sources<B: Backend>(backend: B) {
    let pulled = Log::default();
    let looping = try_each(failing(&pulled)).sequential().at(backend.place());
    let body = |n: u64| job(async move { Err::<u64, String>(n.to_string()) });
    let returned = backend.block_on(looping.try_gather(body)).unwrap_err();
    assert!(matches!(returned, LoopError::Failed { .. }));
    assert_eq!((returned.get(0).unwrap().as_str(), pulled.read()), ("0", vec![0]));
}

/// BND-9: A fallible source that does not fail changes no output.
pub fn a_fallible_source_without_an_error_changes_no_output<B: Backend>(backend: B) {
    let fine = || (0..5).map(Ok::<u64, u32>);
    let body = |n: u64| job(async move { n * 2 });
    let outputs = backend
        .block_on(try_each(fine()).limit(2).unwrap().at(backend.place()).gather(body))
        .unwrap();
    assert_eq!(outputs, [0, 2, 4, 6, 8]);
}

/// BND-9: An error that the source yields instead of its last item is returned.
pub fn a_source_error_instead_of_the_last_item_is_returned<B: Backend>(backend: B) {
    let items = || (0..3).map(|n: u64| if n < 2 { Ok(n) } else { Err(7_u32) });
    let body = |n: u64| job(async move { n });
    for limit in 1..=4 {
        let looping = try_each(items()).limit(limit).unwrap().at(backend.place());
        let returned = backend.block_on(looping.gather(body)).unwrap_err();
        assert_eq!(returned.cause, Cause::Source { index: 2, error: 7 });
    }
}
