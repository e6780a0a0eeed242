//! The loops of a task share one count of polls: law 9 holds for a task, however its loops are nested.

#![cfg(feature = "std")]

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use forloop_core::{TaskSet, each, local_scope, wait};
use futures_lite::future::{block_on, yield_now};

/// The polls of bodies in a turn.
const BUDGET: usize = 256;

/// The bodies that a loop polls in one run, at most. In its first run it does not know yet that they are loops.
const RUN: usize = 64;

type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Counts each poll of a future.
async fn counted(polls: &Cell<usize>, future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
    .await;
}

/// The polls of bodies in each of the first turns of a task.
fn polls_of_turns(turns: usize, polls: &Cell<usize>, task: impl Future) -> Vec<usize> {
    let mut task = pin!(task);
    let mut cx = Context::from_waker(Waker::noop());
    let poll = |_| {
        polls.set(0);
        assert!(task.as_mut().poll(&mut cx).is_pending(), "the task is endless");
        polls.get()
    };
    (0..turns).map(poll).collect()
}

/// A loop or its like, with the bodies that `body` makes.
type Level = for<'a> fn(usize, Box<dyn Fn() -> Boxed<'a> + 'a>) -> Boxed<'a>;

const LEVELS: [(&str, Level); 8] = [
    ("for_each", |width, body| {
        Box::pin(async move { each(0..width).unbounded().for_each(|_| body()).await })
    }),
    ("gather", |width, body| {
        Box::pin(async move { drop(each(0..width).unbounded().gather(|_| body()).await) })
    }),
    ("parent waker", |width, body| {
        let looping = each(0..width).unbounded().with_parent_waker();
        Box::pin(async move { looping.for_each(|_| body()).await })
    }),
    ("stream", |width, body| {
        let mut results = each(0..width).unbounded().stream_unordered(move |_| body());
        Box::pin(async move { while results.next().await.is_some() {} })
    }),
    ("steps", |width, body| {
        let results = each(0..width).unbounded().stream_unordered(async |_| {});
        Box::pin(async move { results.for_each(|_| body()).await })
    }),
    ("consumer", |_, body| {
        let results = each(0..1).unbounded().stream_unordered(async |_| {});
        Box::pin(async move { results.consume(|_| body()).await })
    }),
    ("set", |width, body| {
        Box::pin(async move {
            let mut set = TaskSet::new((0..width).map(|_| body()));
            wait(&mut set).await;
        })
    }),
    ("scope", |width, body| {
        Box::pin(async move {
            let children: Vec<_> = (0..width).map(|_| body()).collect();
            let scope = local_scope(|scope| async move {
                for child in children {
                    scope.spawn(async move {
                        child.await;
                        Ok::<(), ()>(())
                    });
                }
                Ok(())
            });
            scope.await.unwrap();
        })
    }),
];

/// What is in the innermost body.
type Leaf = for<'a> fn(&'a Cell<usize>) -> Boxed<'a>;

const LEAVES: [(&str, Leaf); 2] = [("ready", ready), ("busy", busy)];

/// So many of these inside each other, with `width` bodies each, and `leaf` in the innermost.
fn nested<'a>(
    levels: usize,
    width: usize,
    level: Level,
    polls: &'a Cell<usize>,
    leaf: Leaf,
) -> Boxed<'a> {
    let Some(rest) = levels.checked_sub(1) else { return leaf(polls) };
    let body =
        move || -> Boxed<'a> { Box::pin(counted(polls, nested(rest, width, level, polls, leaf))) };
    level(width, Box::new(body))
}

/// An endless loop of bodies that are ready.
fn ready(polls: &Cell<usize>) -> Boxed<'_> {
    Box::pin(each(0..).limit(4).unwrap().for_each(async |_: u64| polls.set(polls.get() + 1)))
}

/// A body that wakes itself in each poll.
fn busy(_polls: &Cell<usize>) -> Boxed<'_> {
    Box::pin(async {
        loop {
            yield_now().await;
        }
    })
}

#[test]
fn the_loops_of_a_task_share_one_budget() {
    for (name, level) in LEVELS {
        for levels in 1..=6 {
            for (kind, leaf) in LEAVES {
                let polls = &Cell::new(0);
                let most = BUDGET + levels;
                let turns = polls_of_turns(50, polls, nested(levels, 1, level, polls, leaf));
                let turns = &turns[levels..];
                let is_fair = turns.iter().all(|polls| (1..=most).contains(polls));
                assert!(is_fair, "{name}, {levels} levels, {kind}: {turns:?}");
            }
        }
    }
}

#[test]
fn many_loops_exceed_the_budget_by_what_one_run_polls() {
    const WIDTH: usize = 10;
    for (name, level) in LEVELS {
        for levels in 1..=2 {
            let polls = &Cell::new(0);
            let turns = polls_of_turns(1000, polls, nested(levels, WIDTH, level, polls, ready));
            let most = match name {
                // Each body that runs is polled in each turn, and polls at least one itself.
                "parent waker" => {
                    BUDGET + 2 * (1..=levels as u32).map(|n| WIDTH.pow(n)).sum::<usize>()
                }
                _ => BUDGET + levels * RUN,
            };
            let most_seen = turns.iter().max().unwrap();
            assert!(*most_seen <= most, "{name}, {levels} levels: {most_seen} polls");
        }
    }
}

/// Polls of the innermost bodies of ten loops that are in another one, after so many turns.
fn progress_of_ten(turns: usize, body: impl Fn(&Cell<usize>) -> Boxed<'_>) -> Vec<usize> {
    let progress: Vec<_> = (0..10).map(|_| Cell::new(0)).collect();
    let task = each(&progress).unbounded().for_each(body);
    polls_of_turns(turns, &Cell::new(0), task);
    progress.iter().map(Cell::get).collect()
}

#[test]
fn loops_in_a_loop_have_turns_of_the_same_length() {
    // In the first turn, the first of them has used up the budget before the others started.
    let progress = progress_of_ten(101, ready);
    let (least, most) = (progress.iter().min().unwrap(), progress.iter().max().unwrap());
    assert!(*least >= 9 * BUDGET, "{progress:?}");
    assert!(*most <= 12 * BUDGET, "{progress:?}");
}

#[test]
fn a_loop_makes_progress_beside_one_that_uses_up_every_turn() {
    let progress = progress_of_ten(100, |progress| {
        Box::pin(async move {
            let mut endless = pin!(each(0..).limit(4).unwrap().for_each(async |_: u64| {}));
            let mut other = pin!(ready(progress));
            poll_fn(|cx| match endless.as_mut().poll(cx) {
                Poll::Pending => other.as_mut().poll(cx),
                Poll::Ready(()) => Poll::Ready(()),
            })
            .await;
        })
    });
    assert!(progress.iter().all(|&polls| polls >= 9), "{progress:?}");
}

#[test]
fn an_executor_inside_a_body_polls_its_loops_at_full_speed() {
    const ITEMS: usize = 100_000;
    let polls = Cell::new(0);
    let looping = each(0..3).unbounded().for_each(async |_| {
        // The turn is used up.
        each(0..BUDGET).unbounded().for_each(async |_| {}).await;
        let mut inner = pin!(each(0..ITEMS).limit(4).unwrap().for_each(async |_| {}));
        block_on(poll_fn(|cx| {
            polls.set(polls.get() + 1);
            inner.as_mut().poll(cx)
        }));
    });
    block_on(looping);
    let fewest = 3 * ITEMS / BUDGET;
    assert!(polls.get() <= fewest + fewest / 10, "{} polls instead of {fewest}", polls.get());
}

#[test]
fn a_panic_leaves_no_turn_behind() {
    let results = each(0..3).unbounded().stream(async |n| n);
    let panics = results.consume(async |_results| {
        each(0..100).unbounded().for_each(async |_| {}).await;
        panic!("expected");
    });
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(panics))).is_err());
    let polls = &Cell::new(0);
    assert_eq!(polls_of_turns(4, polls, ready(polls)), [BUDGET; 4]);
}

#[test]
fn a_stream_in_a_body_keeps_its_own_count_between_results() {
    let polls = &Cell::new(0);
    let task = each(0..1).unbounded().for_each(async |_| {
        let mut results =
            each(0_u64..).limit(1).unwrap().stream(async |_| polls.set(polls.get() + 1));
        while results.next().await.is_some() {}
    });
    let turns = polls_of_turns(20, polls, task);
    assert!(turns.iter().all(|polls| (BUDGET - 2..=BUDGET).contains(polls)), "{turns:?}");
}
