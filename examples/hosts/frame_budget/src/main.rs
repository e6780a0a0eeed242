//! `frame_budget`: a program draws frames, and loops get a budget in each frame, however many bodies are
//! ready.
//!
//! A budget is a number of ticks of the executor, a time, or both. A loop whose bodies are in its own task
//! yields after 256 polls of bodies, so `n` ticks are at most `256 * n` polls. Where each body is a task, a
//! tick is one poll.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_executor::{LocalExecutor, Task};
use forloop::smol::Local;

/// The number of polls of its bodies after which a loop yields.
const POLLS_PER_TICK: usize = 256;

const BODIES: usize = 5_000;

/// The budget of the loops in a frame.
#[derive(Debug, Clone, Copy)]
struct Budget {
    ticks: usize,
    time: Duration,
}

/// A program with its own main loop.
#[derive(Debug)]
struct Game {
    executor: Rc<LocalExecutor<'static>>,
    /// The number of polls of bodies in this frame.
    polls: Rc<Cell<usize>>,
}

impl Game {
    fn new() -> Self {
        Self { executor: Rc::new(LocalExecutor::new()), polls: Rc::new(Cell::new(0)) }
    }

    /// Runs the executor within the budget; returns the number of ticks.
    fn run(&self, budget: Budget) -> usize {
        let start = Instant::now();
        let ticks = (0..budget.ticks).take_while(|_| start.elapsed() < budget.time);
        // If no task is ready, the rest of the budget is not used.
        ticks.take_while(|_| self.executor.try_tick()).count()
    }

    /// Draws frames until the loop has completed; returns the number of polls of bodies in each.
    fn play<T>(&self, job: Task<T>, budget: Budget) -> (T, Vec<usize>) {
        let mut frames = Vec::new();
        while !job.is_finished() {
            self.polls.set(0);
            let ticks = self.run(budget);
            assert!(ticks <= budget.ticks);
            frames.push(self.polls.get());
            // Here the program would draw the frame.
        }
        (forloop::block_on(job), frames)
    }

    /// A body that wakes itself a number of times and then completes.
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

/// Thousands of bodies are ready in every frame, and each frame polls only as many as its budget allows.
fn in_one_task() {
    let budget = Budget { ticks: 2, time: Duration::MAX };
    let game = Rc::new(Game::new());
    let bodies = forloop::each(0..BODIES).unbounded().gather({
        let game = game.clone();
        move |n| game.body(n, 3)
    });
    let (outputs, frames) = game.play(game.executor.spawn(bodies), budget);
    assert!(outputs.into_iter().eq(0..BODIES));
    let most = budget.ticks * POLLS_PER_TICK;
    assert!(frames.iter().all(|&polls| polls <= most), "{frames:?}");
    assert_eq!(frames.iter().sum::<usize>(), 4 * BODIES);
    println!(
        "{BODIES} ready bodies in one task, 2 ticks a frame: no frame polled more than {most}"
    );
}

/// Each body is a task of the executor, so a tick is one poll.
fn in_tasks() {
    let budget = Budget { ticks: 10, time: Duration::MAX };
    let game = Rc::new(Game::new());
    let bodies = forloop::each(0..BODIES).unbounded().on_local(Local::from(game.executor.clone()));
    let bodies = bodies.gather({
        let game = game.clone();
        move |n| game.body(n, 1)
    });
    let (outputs, frames) = game.play(game.executor.spawn(bodies), budget);
    assert!(outputs.into_iter().eq(0..BODIES));
    assert!(frames.iter().all(|&polls| polls <= budget.ticks), "{frames:?}");
    assert_eq!(frames.iter().sum::<usize>(), 2 * BODIES);
    println!("{BODIES} tasks, 10 ticks a frame: no frame polled more than {}", budget.ticks);
}

/// The time of a frame is checked between ticks: a tick in progress is not interrupted.
fn by_time() {
    let (millisecond, budget) =
        (Duration::from_millis(1), Budget { ticks: usize::MAX, time: Duration::from_millis(4) });
    let game = Rc::new(Game::new());
    let bodies = forloop::each(0..50).unbounded().on_local(Local::from(game.executor.clone()));
    let bodies = bodies.gather({
        let game = game.clone();
        move |n| {
            let body = game.body(n, 0);
            async move {
                let start = Instant::now();
                while start.elapsed() < millisecond {}
                body.await
            }
        }
    });
    let (outputs, frames) = game.play(game.executor.spawn(bodies), budget);
    assert!(outputs.into_iter().eq(0..50));
    assert!(frames.iter().all(|&bodies| bodies <= 4), "{frames:?}");
    println!("bodies of a millisecond, 4 ms a frame: no frame started more than 4");
}

/// Two loops share a budget, and the long one does not starve the short one.
fn beside_others() {
    let budget = Budget { ticks: 2, time: Duration::MAX };
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
    println!("side by side, in completion order: {:?}", ends.borrow());
}
