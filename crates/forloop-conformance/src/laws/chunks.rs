//! Items in chunks, by number and by time.

use std::pin::Pin;

use forloop_core::{Cause, Outcome, each, each_stream, try_each};
use futures_lite::{Stream, StreamExt, stream};

use crate::{Backend, Gate, LONG, boxed, job, seconds, yields};

/// BND-11: Every chunk but the last is complete, in every order of completion.
pub fn every_chunk_but_the_last_is_complete<B: Backend>(backend: B) {
    for (size, limit) in [(1, 1), (3, 2), (4, 64), (100, 3)] {
        let looping = each(0..10_u64).chunks(size).unwrap().limit(limit).unwrap();
        let chunks =
            backend.block_on(looping.at(backend.place()).gather(boxed(|chunk: Vec<u64>| {
                job(async move {
                    yields(chunk[0] as usize % 3).await;
                    chunk
                })
            })));
        let items: Vec<_> = (0..10).collect();
        assert_eq!(chunks, items.chunks(size).collect::<Vec<_>>());
    }
}

/// BND-11: A chunk that waits for items is passed on after its time, and the rest when the source ends.
pub fn a_chunk_is_passed_on_after_its_time<B: Backend>(backend: B) {
    let (clock, gate) = (backend.clock(), Gate::default());
    let opens = gate.clone();
    let items: Pin<Box<dyn Stream<Item = u64>>> =
        Box::pin(stream::iter([0, 1]).chain(stream::once_future(async move {
            // It opens when the chunk has come that is not complete.
            gate.passed().await;
            2
        })));
    let chunks = each_stream(items).timer(&clock).chunks(100).unwrap().within(seconds::<B>(1));
    let chunks = chunks.limit(2).unwrap().at(backend.place()).gather(boxed(|chunk: Vec<u64>| {
        opens.open();
        job(async move { chunk })
    }));
    assert_eq!(backend.block_on(chunks), [vec![0, 1], vec![2]]);
}

/// BND-11: A chunk that is complete does not wait for its time.
pub fn a_complete_chunk_does_not_wait<B: Backend>(backend: B) {
    let clock = backend.clock();
    let looping = each(0..7_u64).timer(&clock).chunks(3).unwrap().within(LONG).sequential();
    let chunks = looping.at(backend.place()).gather(boxed(|chunk: Vec<u64>| job(async { chunk })));
    assert_eq!(backend.block_on(chunks), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
}

/// BND-11: The error of a fallible source comes after a chunk of the items before it.
pub fn a_source_error_comes_after_the_items_before_it<B: Backend>(backend: B) {
    let items = (0..4_u64).map(|n| if n < 3 { Ok(n) } else { Err(7_u32) });
    let looping = try_each(items).chunks(2).unwrap().sequential().at(backend.place());
    let returned = backend
        .block_on(looping.gather(boxed(|chunk: Vec<u64>| job(async { chunk }))))
        .unwrap_err();
    assert_eq!(returned.cause, Cause::Source { index: 2, error: 7 });
    let chunks: Vec<_> = returned.ready.into_iter().filter_map(Outcome::ok).collect();
    assert_eq!(chunks, [vec![0, 1], vec![2]]);
}
