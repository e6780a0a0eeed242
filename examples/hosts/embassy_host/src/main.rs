//! `embassy_host`: loops in tasks of embassy's executor. embassy's timers find their task by its waker, so
//! they accept only wakers of the executor, and loops use `with_parent_waker`.

#![forbid(unsafe_code)]

mod seam;

use std::cell::Cell;
use std::env;
use std::error::Error;
use std::io;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use embassy_executor::{Executor, Spawner};
use embassy_time::Timer as EmbassyTimer;
use forloop::{Cause, Outcome, Timer};

use self::seam::Embassy;

/// embassy's message about a waker of another executor.
const REFUSAL: &str = "Found waker not created by the Embassy executor";

/// The argument with which this program runs itself without the parent waker.
const WITHOUT: &str = "without";

static IS_DONE: AtomicBool = AtomicBool::new(false);
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let executor = Box::leak(Box::new(Executor::new()));
    let begin: fn(Spawner) = match env::args().nth(1).as_deref() {
        Some(WITHOUT) => |spawner| spawner.spawn(refused().expect("the task is free")),
        _ => |spawner| {
            spawner.spawn(program().expect("the task is free"));
            spawner.spawn(neighbour().expect("the task is free"));
        },
    };
    // On a board this is `run`, which never returns.
    executor.run_until(begin, || IS_DONE.load(Ordering::Relaxed));
    ExitCode::from(u8::from(HAS_FAILED.load(Ordering::Relaxed)))
}

#[embassy_executor::task]
async fn program() {
    if let Err(error) = loops().await {
        eprintln!("error: {error:#}");
        HAS_FAILED.store(true, Ordering::Relaxed);
    }
    IS_DONE.store(true, Ordering::Relaxed);
}

/// Another task of the executor, with timers of its own, which must run while loops wait.
#[embassy_executor::task]
async fn neighbour() {
    loop {
        EmbassyTimer::after_millis(1).await;
        TICKS.with(|ticks| ticks.set(ticks.get() + 1));
    }
}

thread_local! {
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

async fn sleep(ms: u64) -> u64 {
    EmbassyTimer::after_millis(ms).await;
    ms
}

async fn loops() -> Result<(), Box<dyn Error>> {
    // embassy keeps one time for each task, that of its next timer, so each body polls its timer anew.
    let start = Embassy.now();
    let slept = forloop::each([300, 200, 100]).unbounded().with_parent_waker().gather(sleep).await;
    let took = Embassy.now() - start;
    assert!(took < Duration::from_millis(550), "{took:?}");
    println!("all at once, outputs in input order: {slept:?}");
    assert!(TICKS.with(Cell::get) > 0);
    println!("meanwhile another task was polled");

    let (running, most) = (Cell::new(0), Cell::new(0));
    let few = forloop::each([30, 10, 20, 10, 30, 10]).limit(2)?.with_parent_waker();
    few.for_each(async |ms| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        sleep(ms).await;
        running.set(running.get() - 1);
    })
    .await;
    println!("at most {} at once", most.get());

    let settled = forloop::each([10, 60_000, 20])
        .limit(2)?
        .with_parent_waker()
        .timer(&Embassy)
        .timeout(Duration::from_millis(300))
        .settle(async |ms| Ok::<u64, io::Error>(sleep(ms).await))
        .await;
    assert!(matches!(settled[..], [Outcome::Ok(10), Outcome::TimedOut, Outcome::Ok(20)]));
    println!("the second of three bodies timed out");

    let late = forloop::each([1, 60_000])
        .unbounded()
        .with_parent_waker()
        .timer(&Embassy)
        .deadline(Duration::from_millis(200))
        .gather(sleep)
        .await
        .unwrap_err();
    assert_eq!((late.cause, &late.pending[..]), (Cause::TimedOut, &[1][..]));
    println!("so did a loop: body 1 was still running");

    let mut order = Vec::new();
    forloop::each([150, 0, 75])
        .unbounded()
        .with_parent_waker()
        .as_completed(sleep)
        .for_each(|(index, _)| {
            order.push(index);
            async { EmbassyTimer::after_millis(5).await }
        })
        .await;
    println!("as they finished, while each step slept: {order:?}");

    // In another process, because embassy's clock is unusable after the panic.
    let child = Command::new(env::current_exe()?).arg(WITHOUT).output()?;
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(!child.status.success() && said.contains(REFUSAL), "{said}");
    println!("without the parent waker embassy says: {REFUSAL}");
    Ok(())
}

/// Runs the first of these loops with the loop's own wakers.
#[embassy_executor::task]
async fn refused() {
    forloop::each([300, 200, 100]).unbounded().gather(sleep).await;
    IS_DONE.store(true, Ordering::Relaxed);
}
