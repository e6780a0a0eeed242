//! `frame_budget`: a program draws frames, and loops have so much of each and no more, however many bodies
//! are ready.
//!
//! A budget is a number of turns, a time, or both. A loop whose bodies are in its own task gives way after
//! 256 polls of bodies, so `n` turns are `256 * n` polls at most. Where a body is a task of its own, each
//! turn is a poll.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_executor::{LocalExecutor, Task};
use forloop::smol::Local;

/// After so many polls of its bodies a loop gives way.
const POLLS_PER_TURN: usize = 256;

const BODIES: usize = 5_000;

/// What loops have of each frame.
#[derive(Debug, Clone, Copy)]
struct Budget {
    turns: usize,
    time: Duration,
}

/// A program that owns its loop.
#[derive(Debug)]
struct Game {
    executor: Rc<LocalExecutor<'static>>,
    /// How often a body was polled in this frame.
    polls: Rc<Cell<usize>>,
}

impl Game {
    fn new() -> Self {
        Self { executor: Rc::new(LocalExecutor::new()), polls: Rc::new(Cell::new(0)) }
    }

    /// Gives the executor its part of a frame; returns how many turns it has had.
    fn run(&self, budget: Budget) -> usize {
        let begun = Instant::now();
        let turns = (0..budget.turns).take_while(|_| begun.elapsed() < budget.time);
        // Where nothing is ready, the rest of the time is the frame's.
        turns.take_while(|_| self.executor.try_tick()).count()
    }

    /// Draws frames until the loop has ended; returns how often bodies were polled in each.
    fn play<T>(&self, job: Task<T>, budget: Budget) -> (T, Vec<usize>) {
        let mut frames = Vec::new();
        while !job.is_finished() {
            self.polls.set(0);
            let turns = self.run(budget);
            assert!(turns <= budget.turns);
            frames.push(self.polls.get());
            // Here the frame is drawn.
        }
        (forloop::block_on(job), frames)
    }

    /// A body that is ready again at once, so often, and then has a result.
    fn body(&self, n: usize, times: usize) -> impl Future<Output = usize> + use<> {
        let polls = self.polls.clone();
        let mut left = times;
        poll_fn(move |cx| {
            polls.set(polls.get() + 1);
            if left == 0 {
                return Poll::Ready(n);
            }
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

fn main() {
    in_one_task();
    in_tasks();
    by_time();
    beside_others();
}

/// Thousands of bodies are ready in every frame, and each frame polls as many as it has turns for.
fn in_one_task() {
    let budget = Budget { turns: 2, time: Duration::MAX };
    let game = Rc::new(Game::new());
    let bodies = forloop::each(0..BODIES).unbounded().gather({
        let game = game.clone();
        move |n| game.body(n, 3)
    });
    let (outputs, frames) = game.play(game.executor.spawn(bodies), budget);
    assert!(outputs.into_iter().eq(0..BODIES));
    let most = budget.turns * POLLS_PER_TURN;
    assert!(frames.iter().all(|&polls| polls <= most), "{frames:?}");
    assert_eq!(frames.iter().sum::<usize>(), 4 * BODIES);
    println!(
        "{BODIES} ready bodies in one task, 2 turns a frame: no frame has polled more than {most}"
    );
}

/// Each body is a task of the executor: a turn is one poll.
fn in_tasks() {
    let budget = Budget { turns: 10, time: Duration::MAX };
    let game = Rc::new(Game::new());
    let bodies = forloop::each(0..BODIES).unbounded().on_local(Local::from(game.executor.clone()));
    let bodies = bodies.gather({
        let game = game.clone();
        move |n| game.body(n, 1)
    });
    let (outputs, frames) = game.play(game.executor.spawn(bodies), budget);
    assert!(outputs.into_iter().eq(0..BODIES));
    assert!(frames.iter().all(|&polls| polls <= budget.turns), "{frames:?}");
    assert_eq!(frames.iter().sum::<usize>(), 2 * BODIES);
    println!("{BODIES} tasks, 10 turns a frame: no frame has polled more than {}", budget.turns);
}

/// A frame's time is looked at between turns: the turn that is on is not cut short.
fn by_time() {
    let (millisecond, budget) =
        (Duration::from_millis(1), Budget { turns: usize::MAX, time: Duration::from_millis(4) });
    let game = Rc::new(Game::new());
    let bodies = forloop::each(0..50).unbounded().on_local(Local::from(game.executor.clone()));
    let bodies = bodies.gather({
        let game = game.clone();
        move |n| {
            let body = game.body(n, 0);
            async move {
                let begun = Instant::now();
                while begun.elapsed() < millisecond {}
                body.await
            }
        }
    });
    let (outputs, frames) = game.play(game.executor.spawn(bodies), budget);
    assert!(outputs.into_iter().eq(0..50));
    assert!(frames.iter().all(|&bodies| bodies <= 4), "{frames:?}");
    println!("bodies of a millisecond, 4 ms a frame: no frame has begun more than 4");
}

/// Two loops in one budget: the long one does not keep the other from its turns.
fn beside_others() {
    let budget = Budget { turns: 2, time: Duration::MAX };
    let game = Rc::new(Game::new());
    let ends = Rc::new(RefCell::new(Vec::new()));
    let job = |name: &'static str, bodies: usize| {
        let (game, ends) = (game.clone(), ends.clone());
        let bodies = forloop::each(0..bodies).unbounded().gather({
            let game = game.clone();
            move |n| game.body(n, 3)
        });
        game.executor.spawn(async move {
            bodies.await;
            ends.borrow_mut().push(name);
        })
    };
    let (long, short) = (job("long", BODIES), job("short", 10));
    let ((), _frames) = game.play(long, budget);
    forloop::block_on(short);
    println!("side by side, in the order of their ends: {:?}", ends.borrow());
}
