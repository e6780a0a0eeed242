//! Eight threads wake ten thousand bodies at random, through completion, cancellation and drop, with
//! wakers that outlive the loop: no wake is lost, no body completes twice or is polled without a wake,
//! and every future and output is dropped once.
//!
//! `FORLOOP_SOAK=1000` runs a thousand rounds, each with another seed.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use std::{env, process};

use forloop_core as forloop;
use forloop_core::{CancelToken, Cause, Outcome};

const THREADS: usize = 8;
const BODIES: usize = if cfg!(miri) { 100 } else { 10_000 };

/// The number of wakes before a body may complete, on average.
const WAKES: usize = 3;

/// A round that takes longer has lost a wake.
const ROUND_TIMEOUT: Duration = Duration::from_secs(120);

/// A small generator: the same numbers for the same seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below
    }
}

/// What is known of a body.
#[derive(Default)]
struct Entry {
    waker: Mutex<Option<Waker>>,
    wakes: AtomicUsize,
    polls: AtomicUsize,
    may_complete: AtomicBool,
    has_completed: AtomicBool,
}

impl Entry {
    /// Wakes the body in one of four ways. One of them keeps the waker.
    fn wake(&self, way: usize, kept: &mut Vec<Waker>) {
        let mut waker = self.waker.lock().unwrap();
        if waker.is_none() {
            // The thread that took the waker wakes the body, which then checks whether it may complete.
            return;
        }
        self.wakes.fetch_add(1, SeqCst);
        match way {
            0 => waker.as_ref().unwrap().wake_by_ref(),
            1 => {
                let waker = waker.take();
                waker.unwrap().wake();
            }
            2 => {
                let clone = waker.clone();
                drop(waker);
                clone.unwrap().wake();
            }
            _ => {
                let clone = waker.take().unwrap();
                drop(waker);
                clone.wake_by_ref();
                kept.push(clone);
            }
        }
    }
}

/// The state that the bodies of a loop share with the threads that wake them.
struct Board {
    entries: Vec<Entry>,
    started: AtomicUsize,
    completed: AtomicUsize,
    alive: AtomicIsize,
    is_over: AtomicBool,
}

impl Board {
    fn new(bodies: usize) -> Self {
        Self {
            entries: (0..bodies).map(|_| Entry::default()).collect(),
            started: AtomicUsize::new(0),
            completed: AtomicUsize::new(0),
            alive: AtomicIsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    fn alive(&self) -> Alive<'_> {
        self.alive.fetch_add(1, SeqCst);
        Alive(self)
    }

    fn body(&self, index: usize) -> Body<'_> {
        Body { board: self, index, alive: Some(self.alive()) }
    }

    fn polls(&self) -> usize {
        self.entries.iter().map(|entry| entry.polls.load(SeqCst)).sum()
    }

    fn wakes(&self) -> usize {
        self.entries.iter().map(|entry| entry.wakes.load(SeqCst)).sum()
    }

    /// Wakes bodies at random, and then each body of this part for the last time. Some wakers are kept,
    /// and woken after the loop was dropped.
    fn disturb(&self, part: usize, seed: u64, halfway: impl FnOnce()) {
        let mut numbers = Numbers(seed);
        let mut kept = Vec::new();
        let mut halfway = Some(halfway);
        let wakes = WAKES * self.entries.len() / THREADS;
        for wake in 0..wakes {
            let entry = &self.entries[numbers.next(self.entries.len())];
            entry.may_complete.fetch_or(numbers.next(4) == 0, SeqCst);
            entry.wake(numbers.next(4), &mut kept);
            if wake == wakes / 2
                && let Some(halfway) = halfway.take()
            {
                halfway();
            }
        }
        for entry in self.entries.iter().skip(part).step_by(THREADS) {
            entry.may_complete.store(true, SeqCst);
            entry.wake(numbers.next(4), &mut kept);
        }
        while !self.is_over.load(SeqCst) {
            thread::yield_now();
        }
        for waker in kept {
            match numbers.next(3) {
                0 => waker.wake(),
                1 => waker.clone().wake_by_ref(),
                _ => drop(waker),
            }
        }
    }
}

/// Something that must be dropped once.
struct Alive<'a>(&'a Board);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, SeqCst);
    }
}

/// Returns its guard once it is polled and may complete.
struct Body<'a> {
    board: &'a Board,
    index: usize,
    alive: Option<Alive<'a>>,
}

impl<'a> Future for Body<'a> {
    type Output = Alive<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Alive<'a>> {
        let board = self.board;
        let entry = &board.entries[self.index];
        if entry.polls.fetch_add(1, SeqCst) == 0 {
            board.started.fetch_add(1, SeqCst);
        }
        *entry.waker.lock().unwrap() = Some(cx.waker().clone());
        if !entry.may_complete.load(SeqCst) {
            return Poll::Pending;
        }
        assert!(!entry.has_completed.swap(true, SeqCst), "a body completes once");
        board.completed.fetch_add(1, SeqCst);
        Poll::Ready(self.alive.take().expect("a completed body is not polled again"))
    }
}

/// The task that polls the loop, on this thread.
struct Parked {
    thread: Thread,
    was_woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.was_woken.store(true, SeqCst);
        self.thread.unpark();
    }
}

/// Polls when woken, and only then, until the future completes or `is_done` returns `true`. Then drops it.
fn poll_until<F: Future>(future: F, is_done: impl Fn() -> bool) -> Option<F::Output> {
    let parked = Arc::new(Parked { thread: thread::current(), was_woken: AtomicBool::new(true) });
    let waker = Waker::from(parked.clone());
    let output = {
        let mut future = pin!(future);
        loop {
            if is_done() {
                break None;
            }
            if !parked.was_woken.swap(false, SeqCst) {
                thread::park();
            } else if let Poll::Ready(output) =
                future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                break Some(output);
            }
        }
    };
    drop(waker);
    // A wake in progress holds a reference for a moment. A dropped waker holds none.
    while Arc::strong_count(&parked) > 1 {
        thread::yield_now();
    }
    output
}

/// Runs `round` once per seed. Aborts the program if a round does not complete.
fn rounds(round: impl Fn(u64)) {
    let rounds = env::var("FORLOOP_SOAK").map_or(1, |rounds| rounds.parse().unwrap());
    for seed in 0..rounds {
        let (completed, completion) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                if completion.recv_timeout(ROUND_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
                    eprintln!("round {seed} lost a wake");
                    process::abort();
                }
            });
            round(seed);
            drop(completed);
        });
    }
}

/// Runs `looping` while all threads wake its bodies; `after` it, they wake what is left of it.
fn during_wakes<T>(
    board: &Board,
    seed: u64,
    halfway: impl Fn() + Sync,
    looping: impl FnOnce() -> T,
    after: impl FnOnce(T),
) {
    /// Stops the threads, also if an assertion fails.
    struct Over<'a>(&'a Board);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.is_over.store(true, SeqCst);
        }
    }
    thread::scope(|scope| {
        let over = Over(board);
        for part in 0..THREADS {
            let halfway = &halfway;
            scope.spawn(move || {
                board.disturb(part, seed * THREADS as u64 + part as u64, || {
                    if part == 0 {
                        halfway();
                    }
                });
            });
        }
        after(looping());
        drop(over);
    });
    assert_eq!(board.alive.load(SeqCst), 0, "everything is dropped once");
    assert!(board.polls() <= board.wakes() + board.started.load(SeqCst), "a poll has its wake");
}

#[test]
fn bodies_that_are_woken_from_many_threads_all_complete_once() {
    rounds(|seed| {
        let board = Board::new(BODIES);
        let looping = forloop::each(0..BODIES).unbounded().gather(|index| board.body(index));
        let looping = || poll_until(looping, || false).unwrap();
        during_wakes(
            &board,
            seed,
            || (),
            looping,
            |outputs| {
                assert_eq!(outputs.len(), BODIES);
                assert_eq!(board.completed.load(SeqCst), BODIES);
                assert_eq!(board.alive.load(SeqCst), BODIES as isize);
            },
        );
    });
}

#[test]
fn a_body_is_polled_at_most_once_more_than_it_is_woken() {
    rounds(|seed| {
        let board = Board::new(BODIES);
        // No slot is used twice: a late wake of one body counts for no other.
        let bodies = (0..BODIES).map(|index| board.body(index));
        let mut looping = Box::pin(forloop::gather(bodies));
        while board.started.load(SeqCst) < BODIES {
            let _ = looping.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        let looping = || poll_until(looping, || false).unwrap();
        during_wakes(&board, seed, || (), looping, |outputs| assert_eq!(outputs.len(), BODIES));
        for entry in &board.entries {
            assert!(entry.polls.load(SeqCst) <= entry.wakes.load(SeqCst) + 1);
        }
    });
}

#[test]
fn slots_are_reused_while_late_wakes_arrive() {
    rounds(|seed| {
        for limit in [1, 63, 1000] {
            let board = Board::new(BODIES);
            let looping = forloop::each(0..BODIES).limit(limit).unwrap();
            let looping = looping.gather(|index| board.body(index));
            let looping = || poll_until(looping, || false).unwrap();
            during_wakes(
                &board,
                seed,
                || (),
                looping,
                |outputs| {
                    assert_eq!(outputs.len(), BODIES);
                },
            );
        }
    });
}

#[test]
fn a_loop_that_is_dropped_during_wakes_drops_everything_once() {
    rounds(|seed| {
        for some in [1, BODIES / 3, BODIES - 1] {
            let board = Board::new(BODIES);
            let looping = forloop::each(0..BODIES).unbounded().gather(|index| board.body(index));
            let is_done = || board.completed.load(SeqCst) >= some;
            let looping = || poll_until(looping, is_done);
            during_wakes(
                &board,
                seed,
                || (),
                looping,
                |outputs| {
                    // Only wakers are left.
                    let left = outputs.map_or(0, |outputs| outputs.len());
                    assert_eq!(board.alive.load(SeqCst), 0, "{left} outputs were there");
                },
            );
        }
    });
}

#[test]
fn a_loop_that_is_cancelled_during_wakes_reports_every_completion_once() {
    rounds(|seed| {
        let board = Board::new(BODIES);
        let token = CancelToken::new();
        let looping = forloop::each(0..BODIES).unbounded().cancel_on(&token);
        let looping = looping.gather(|index| board.body(index));
        let looping = || poll_until(looping, || false).unwrap();
        during_wakes(
            &board,
            seed,
            || token.cancel(),
            looping,
            |outputs| {
                let completed = board.completed.load(SeqCst);
                match outputs {
                    Ok(outputs) => assert_eq!((outputs.len(), completed), (BODIES, BODIES)),
                    Err(interrupted) => {
                        assert_eq!(interrupted.cause, Cause::Cancelled);
                        let is_ok = |outcome: &&Outcome<_>| matches!(outcome, Outcome::Ok(_));
                        assert_eq!(interrupted.ready.iter().filter(is_ok).count(), completed);
                        assert_eq!(board.alive.load(SeqCst), completed as isize);
                    }
                }
            },
        );
    });
}

/// One thread is deterministic: each wake causes exactly one poll.
#[test]
fn on_one_thread_each_body_is_polled_once_and_once_more_per_wake() {
    /// The number of wakes that a body needs to complete, and the number that it has received.
    struct Line {
        needs: usize,
        wakes: Cell<usize>,
        polls: Cell<usize>,
        is_woken: Cell<bool>,
        waker: RefCell<Option<Waker>>,
    }
    impl Line {
        /// Wakes the body, unless it is woken already, is being polled or has completed.
        fn wake(&self) {
            if !self.is_woken.get()
                && let Some(waker) = &*self.waker.borrow()
            {
                self.is_woken.set(true);
                self.wakes.set(self.wakes.get() + 1);
                waker.wake_by_ref();
            }
        }
    }
    rounds(|seed| {
        let numbers = RefCell::new(Numbers(seed));
        let line = |_| Line {
            needs: numbers.borrow_mut().next(2 * WAKES),
            wakes: Cell::new(0),
            polls: Cell::new(0),
            is_woken: Cell::new(false),
            waker: RefCell::new(None),
        };
        let lines: Vec<_> = (0..BODIES).map(line).collect();
        let wake_any = || lines[numbers.borrow_mut().next(BODIES)].wake();
        let mut looping = pin!(forloop::gather(lines.iter().map(|line| {
            std::future::poll_fn(|cx| {
                line.polls.set(line.polls.get() + 1);
                line.is_woken.set(false);
                *line.waker.borrow_mut() = None;
                // Wakes siblings from within a poll.
                (0..WAKES).for_each(|_| wake_any());
                if line.wakes.get() >= line.needs {
                    return Poll::Ready(());
                }
                *line.waker.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            })
        })));
        let mut cx = Context::from_waker(Waker::noop());
        while looping.as_mut().poll(&mut cx).is_pending() {
            // Wakes the first pending bodies from outside, so that the loop completes.
            wake_any();
            lines.iter().filter(|line| !line.is_woken.get()).take(100).for_each(Line::wake);
        }
        for line in &lines {
            assert_eq!(line.polls.get(), line.wakes.get() + 1);
        }
    });
}
