//! Loops on a page, which has one thread and must not block: they run in its tasks, with its timers. Bodies
//! may borrow, and `on_local` makes each body a task of the page.

mod exports;
mod page;
mod seam;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use forloop::{CancelToken, Cause, Outcome, SpawnLocal, Timer, ZeroLimit};

use self::page::say;
use self::seam::Page;

fn start() {
    Page.spawn_local(async {
        match loops().await {
            Ok(()) => say("all loops have completed, and no timer is left"),
            Err(error) => say(&format!("error: {error:#}")),
        }
    });
    say("the page keeps running while loops wait");
}

async fn sleep(ms: u64) -> u64 {
    Page.sleep(Duration::from_millis(ms)).await;
    ms
}

async fn loops() -> Result<(), ZeroLimit> {
    let start = Page.now();
    let slept = forloop::each([300, 200, 100]).unbounded().gather(sleep).await;
    let took = Page.now() - start;
    assert!(Duration::from_millis(300) <= took && took < Duration::from_millis(550), "{took:?}");
    say(&format!("all at once, outputs in input order: {slept:?}"));

    let (running, most) = (Cell::new(0), Cell::new(0));
    let few = forloop::each([30, 10, 20, 10, 30, 10]).limit(2)?.for_each(async |ms| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        sleep(ms).await;
        running.set(running.get() - 1);
    });
    few.await;
    say(&format!("at most {} at once", most.get()));

    let settled = forloop::each([10, 60_000, 20])
        .limit(2)?
        .timer(&Page)
        .timeout(Duration::from_millis(300))
        .settle(async |ms| Ok::<u64, String>(sleep(ms).await))
        .await;
    assert!(matches!(settled[..], [Outcome::Ok(10), Outcome::TimedOut, Outcome::Ok(20)]));
    say("the second of three bodies timed out");

    // Each body is a task of the page, and not `Send`.
    let sum = Rc::new(Cell::new(0));
    let tasks = forloop::each(1..=10).limit(3)?.on_local(Page).for_each(|n| {
        let sum = sum.clone();
        async move {
            sleep(n).await;
            sum.set(sum.get() + n);
        }
    });
    tasks.await;
    say(&format!("ten tasks of the page: {}", sum.get()));

    let stop = CancelToken::new();
    let ticking = forloop::each(1..).limit(2)?.cancel_on(&stop).for_each(|n| {
        if n == 5 {
            stop.cancel();
        }
        async { _ = sleep(5).await }
    });
    assert_eq!(ticking.await.map_err(|cut| cut.cause), Err(Cause::Cancelled));
    say("a loop without end was cancelled");

    let mut order = Vec::new();
    let completed = forloop::each([150, 0, 75]).unbounded().as_completed(sleep);
    completed
        .for_each(|(index, _)| {
            order.push(index);
            async { _ = sleep(5).await }
        })
        .await;
    say(&format!("as they finished: {order:?}"));
    Ok(())
}
