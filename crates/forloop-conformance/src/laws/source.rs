//! Sources that fail: never to be taken for a body that does.

use std::pin::Pin;

use forloop_core::{Cause, LoopError, Outcome, try_each, try_each_stream};
use futures_lite::{Stream, StreamExt, stream};

use super::endless;
use crate::{Alive, Backend, Gate, Tally, job, yields};

/// Gives 0, 1, fails at the third, and must not be asked again.
fn failing(pulled: &Tally<u64>) -> impl Iterator<Item = Result<u64, u32>> + use<> {
    let pulled = pulled.clone();
    (0..10).map(move |n| {
        pulled.write(n);
        if n < 2 { Ok(n) } else { Err(7) }
    })
}

/// BND-9
pub fn an_error_of_the_source_stops_the_bodies_and_is_no_bodys<B: Backend>(backend: B) {
    let (alive, pulled) = (Alive::default(), Tally::default());
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
        let ended = looping().for_each(|_| endless::<()>(&alive)).await.unwrap_err();
        assert_eq!(ended.cause, Cause::Source { index: 2, error: 7 });
        assert_eq!((ended.pending, alive.now(), alive.ever()), (vec![0, 1], 0, 8));
    });
}

/// BND-9
pub fn what_was_ready_when_the_source_failed_is_told<B: Backend>(backend: B) {
    let pulled = Tally::default();
    let looping = || try_each(failing(&pulled)).sequential().at(backend.place());
    let body = |n: u64| {
        job(async move {
            yields(2).await;
            n
        })
    };
    backend.block_on(async {
        let ended = looping().gather(body).await.unwrap_err();
        assert_eq!(ended.cause, Cause::Source { index: 2, error: 7 });
        assert!(matches!(ended.ready[..], [Outcome::Ok(0), Outcome::Ok(1)]));
        let settled = looping().settle(|n| job(async move { Ok::<u64, String>(n) })).await;
        assert_eq!((settled.len(), settled.interrupted().unwrap().pending.len()), (2, 0));
        let streamed: Vec<_> = looping().stream(body).collect().await;
        assert_eq!(streamed.len(), 3);
        assert!(matches!(streamed[..2], [Ok(0), Ok(1)]));
        assert_eq!(streamed[2].as_ref().unwrap_err().cause, Cause::Source { index: 2, error: 7 });
    });
}

/// BND-9: as a stream, whose error comes while bodies run.
pub fn an_error_of_a_stream_stops_the_bodies_that_run<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let opens = gate.clone();
    let items: Pin<Box<dyn Stream<Item = Result<u64, u32>>>> =
        Box::pin(stream::iter([Ok(0), Ok(1)]).chain(stream::once_future(async move {
            gate.passed().await;
            Err(7)
        })));
    let looping = try_each_stream(items).unbounded().at(backend.place());
    let ended = backend.block_on(looping.try_for_each(|n| {
        if n == 1 {
            opens.open();
        }
        endless::<Result<(), String>>(&alive)
    }));
    assert!(matches!(ended, Err(LoopError::Source { index: 2, error: 7, .. })));
    assert_eq!((alive.now(), alive.ever()), (0, 2));
}

/// BND-9
pub fn a_bodys_error_is_not_the_sources<B: Backend>(backend: B) {
    let pulled = Tally::default();
    let looping = try_each(failing(&pulled)).sequential().at(backend.place());
    let body = |n: u64| job(async move { Err::<u64, String>(n.to_string()) });
    let ended = backend.block_on(looping.try_gather(body)).unwrap_err();
    assert!(matches!(ended, LoopError::Failed { .. }));
    assert_eq!((ended.get(0).unwrap().as_str(), pulled.read()), ("0", vec![0]));
}

/// BND-9
pub fn a_source_that_does_not_fail_changes_nothing<B: Backend>(backend: B) {
    let fine = || (0..5).map(Ok::<u64, u32>);
    let body = |n: u64| job(async move { n * 2 });
    let outputs = backend
        .block_on(try_each(fine()).limit(2).unwrap().at(backend.place()).gather(body))
        .unwrap();
    assert_eq!(outputs, [0, 2, 4, 6, 8]);
}

/// BND-9: also when there was nothing behind it.
pub fn an_error_in_the_place_of_the_last_item_is_told<B: Backend>(backend: B) {
    let items = || (0..3).map(|n: u64| if n < 2 { Ok(n) } else { Err(7_u32) });
    let body = |n: u64| job(async move { n });
    for limit in 1..=4 {
        let looping = try_each(items()).limit(limit).unwrap().at(backend.place());
        let ended = backend.block_on(looping.gather(body)).unwrap_err();
        assert_eq!(ended.cause, Cause::Source { index: 2, error: 7 });
    }
}
