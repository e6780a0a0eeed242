//! forloop gives the same results as futures-util and futures-concurrency where their features overlap.

use std::cell::RefCell;

use forloop_conformance::yields;
use futures_concurrency::future::{Join, Race, TryJoin};
use futures_lite::future::block_on;
use futures_util::StreamExt as _;
use futures_util::future::{join_all, try_join_all};

/// A small random number generator: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below
    }

    fn durations(&mut self) -> Vec<usize> {
        (0..self.next(24)).map(|_| self.next(6)).collect()
    }
}

async fn body(duration: usize) -> usize {
    yields(duration).await;
    duration
}

/// Fails, at a time when no other body completes.
async fn failing(index: usize, at: usize) -> Result<usize, usize> {
    yields(index).await;
    if index == at { Err(index) } else { Ok(index) }
}

#[test]
fn gather_returns_what_join_all_and_join_return() {
    let mut numbers = Numbers(1);
    for _ in 0..200 {
        let durations = numbers.durations();
        let bodies = || durations.iter().map(|&duration| body(duration));
        let ours = block_on(forloop::gather(bodies()));
        assert_eq!(ours, block_on(join_all(bodies())));
        assert_eq!(ours, block_on(bodies().collect::<Vec<_>>().join()));
    }
}

#[test]
fn try_gather_returns_what_try_join_all_and_try_join_return() {
    for (count, at) in [(1, 0), (5, 3), (20, 19), (20, 20), (30, 1)] {
        let bodies = || (0..count).map(|index| failing(index, at));
        let ours = block_on(forloop::try_gather(bodies()));
        let ours = ours.map_err(|error| error.into_first().unwrap().error);
        assert_eq!(ours, block_on(try_join_all(bodies())));
        assert_eq!(ours, block_on(bodies().collect::<Vec<_>>().try_join()));
    }
}

#[test]
fn the_ordered_stream_yields_what_buffered_yields() {
    let mut numbers = Numbers(2);
    for _ in 0..200 {
        let (durations, limit) = (numbers.durations(), 1 + numbers.next(8));
        let ours = forloop::each(&durations).limit(limit).unwrap().stream(|&n| body(n));
        let theirs = futures_util::stream::iter(&durations).map(|&n| body(n)).buffered(limit);
        let ours: Vec<_> = block_on(futures_lite::StreamExt::collect(ours));
        let theirs: Vec<_> = block_on(futures_util::StreamExt::collect(theirs));
        assert_eq!(ours, theirs);
    }
}

#[test]
fn the_unordered_stream_yields_the_same_items_as_buffer_unordered() {
    let mut numbers = Numbers(3);
    for _ in 0..200 {
        let (durations, limit) = (numbers.durations(), 1 + numbers.next(8));
        let ours = forloop::each(&durations).limit(limit).unwrap().stream_unordered(|&n| body(n));
        let theirs =
            futures_util::stream::iter(&durations).map(|&n| body(n)).buffer_unordered(limit);
        let mut ours: Vec<_> = block_on(futures_lite::StreamExt::collect(ours));
        let mut theirs: Vec<_> = block_on(futures_util::StreamExt::collect(theirs));
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn for_each_calls_its_body_as_for_each_concurrent_does() {
    let mut numbers = Numbers(4);
    for _ in 0..100 {
        let (durations, limit) = (numbers.durations(), 1 + numbers.next(8));
        let (ours, theirs) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        block_on(forloop::each(&durations).limit(limit).unwrap().for_each(async |&n| {
            ours.borrow_mut().push(n);
            yields(n).await;
        }));
        block_on(futures_util::stream::iter(&durations).for_each_concurrent(limit, async |&n| {
            theirs.borrow_mut().push(n);
            yields(n).await;
        }));
        let (mut ours, mut theirs) = (ours.into_inner(), theirs.into_inner());
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn the_first_completion_is_the_winner_of_a_race() {
    for winner in 0..5 {
        // The winner is ready well before the others.
        let bodies =
            || (0..5).map(|n| async move { (body(if n == winner { 0 } else { 9 }).await, n).1 });
        let mut results = forloop::as_completed(bodies());
        let first = block_on(futures_lite::StreamExt::next(&mut results)).unwrap();
        assert_eq!(first, (winner, winner));
        assert_eq!(block_on(bodies().collect::<Vec<_>>().race()), winner);
    }
}

#[test]
fn loops_and_their_combinators_nest_in_each_other() {
    // Their race of our loop and their join, and our gather of their joins.
    // The slow one yields more often than a loop polls in one turn.
    let slow = async { forloop::gather((0..3).map(|_| body(1000))).await.len() };
    let fast = async { join_all((0..2).map(|_| body(1))).await.len() };
    assert_eq!(block_on((slow, fast).race()), 2);
    let sums = forloop::gather((1..4).map(|n| join_all((0..n).map(body))));
    assert_eq!(block_on(sums).concat(), [0, 0, 1, 0, 1, 2]);
}
