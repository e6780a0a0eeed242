//! `compio_local`: loops inside a thread-per-core runtime, with its own tasks and timers, which stay on their thread.

#![forbid(unsafe_code)]

mod seam;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use forloop::{BlockOn, Cause, Outcome, ZeroLimit};

use self::seam::{Compio, CompioThread};

fn main() -> Result<(), ZeroLimit> {
    let thread = CompioThread::new();
    thread.block_on(program())?;

    // A task that still waits is dropped with the runtime.
    let kept = Rc::new(());
    let weak = Rc::downgrade(&kept);
    thread.block_on(async {
        let waits = async move {
            std::future::pending::<()>().await;
            drop(kept);
        };
        forloop::spawn_local(&Compio, waits).detach();
    });
    drop(thread);
    assert!(weak.upgrade().is_none());
    println!("the runtime has ended, and the remaining task is dropped");
    Ok(())
}

async fn program() -> Result<(), ZeroLimit> {
    // Bodies share what is not `Send`, each in a task of its own.
    let sum = Rc::new(Cell::new(0));
    let looping = forloop::each(1..=100).limit(8)?.on_local(Compio).for_each(|n| {
        let sum = sum.clone();
        async move {
            compio::time::sleep(Duration::from_micros(100)).await;
            sum.set(sum.get() + n);
        }
    });
    looping.await;
    println!("a hundred bodies, each a task of this thread: {}", sum.get());

    // In the loop's own task they may borrow.
    let words = [String::from("one"), String::from("three")];
    let naps = forloop::each(&words).unbounded().timer(&Compio).deadline(Duration::from_secs(60));
    let lengths = naps.gather(async |word| {
        compio::time::sleep(Duration::from_millis(1)).await;
        word.len()
    });
    println!("two bodies that borrow: {:?}", lengths.await.map_err(|late| late.cause));

    let naps = forloop::each([1, 3_600_000]).unbounded().on_local(Compio);
    let naps =
        naps.timer(&Compio).timeout(Duration::from_millis(200)).settle(|millis| async move {
            compio::time::sleep(Duration::from_millis(millis)).await;
            Ok::<_, ()>(millis)
        });
    let naps = naps.await;
    assert!(matches!(naps[..], [Outcome::Ok(1), Outcome::TimedOut]), "{naps:?}");
    println!("a body timed out by compio's timers");

    let naps =
        forloop::each([60, 3600]).unbounded().timer(&Compio).deadline(Duration::from_millis(20));
    let naps = naps.gather(async |seconds| compio::time::sleep(Duration::from_secs(seconds)).await);
    assert_eq!(naps.await.unwrap_err().cause, Cause::TimedOut);
    println!("a loop stopped by its deadline");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    forloop_conformance::suite!(local compio_thread: CompioThread::new());
}
