//! Items in chunks: how long they are, what a failing source yields, and what the hints say.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use forloop_core::{Cause, Outcome, ZeroLimit, each, each_stream, try_each};
use futures_lite::future::{block_on, yield_now};
use futures_lite::stream;

#[test]
fn every_chunk_but_the_last_is_complete() {
    for (items, size) in [(0, 3), (1, 3), (3, 3), (7, 3), (6, 1), (2, usize::MAX), (2000, 1500)] {
        let looping = each(0..items).chunks(size).unwrap().limit(2).unwrap();
        let chunks = block_on(looping.gather(async |chunk: Vec<usize>| chunk));
        let expected: Vec<Vec<usize>> =
            (0..items).collect::<Vec<_>>().chunks(size).map(<[usize]>::to_vec).collect();
        assert_eq!(chunks, expected, "{items} items by {size}");
    }
}

#[test]
fn a_chunk_has_at_least_one_item() {
    assert_eq!(each([1]).chunks(0).err(), Some(ZeroLimit));
    let two = NonZeroUsize::new(2).unwrap();
    let chunks = each([1, 2, 3]).chunks(two).sequential().gather(async |chunk: Vec<u32>| chunk);
    assert_eq!(block_on(chunks), [vec![1, 2], vec![3]]);
}

#[test]
fn a_stream_that_waits_does_not_end_its_chunk() {
    let items = stream::unfold(0, |n| async move {
        yield_now().await;
        (n < 5).then_some((n, n + 1))
    });
    let looping = each_stream(items).chunks(2).unwrap().unbounded();
    let chunks = block_on(looping.gather(async |chunk: Vec<u32>| chunk));
    assert_eq!(chunks, [vec![0, 1], vec![2, 3], vec![4]]);
}

#[test]
fn an_error_of_the_source_follows_the_items_before_it() {
    for (ok, expected) in
        [(0, vec![]), (1, vec![vec![0]]), (2, vec![vec![0, 1]]), (3, vec![vec![0, 1], vec![2]])]
    {
        let items = (0..ok).map(Ok).chain([Err("broken"), Ok(9)]);
        let looping = try_each(items).chunks(2).unwrap().sequential();
        let interrupted = block_on(looping.gather(async |chunk: Vec<u32>| chunk)).unwrap_err();
        let index = expected.len();
        assert_eq!(interrupted.cause, Cause::Source { index, error: "broken" });
        let ready: Vec<_> = interrupted.ready.into_iter().filter_map(Outcome::ok).collect();
        assert_eq!(ready, expected);
    }
}

/// Counts wakes.
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_large_chunk_of_ready_items_yields() {
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(wakes.clone());
    let looping = each(0..10_000).chunks(10_000).unwrap().sequential();
    let mut summed = pin!(looping.gather(async |chunk: Vec<u32>| chunk.len()));
    let mut polls = 1;
    while summed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        polls += 1;
        assert!(wakes.0.load(Ordering::SeqCst) >= polls - 1);
    }
    assert!((20..200).contains(&polls), "{polls}");
}
