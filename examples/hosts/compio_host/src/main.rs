//! `compio_host`: a thread-per-core runtime, whose futures stay on their thread, behind a queue.

#![forbid(unsafe_code)]

mod seam;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use forloop::{Cause, Timer, ZeroLimit};

use self::seam::Compio;

fn main() -> Result<(), ZeroLimit> {
    let threads = NonZeroUsize::MIN.saturating_add(1);
    let runtime = Compio::with_threads(threads);
    forloop::block_on(program(&runtime))?;

    // A task that still waits is dropped with the threads.
    let kept = Arc::new(());
    let weak = Arc::downgrade(&kept);
    forloop::spawn(&runtime, async move {
        std::future::pending::<()>().await;
        drop(kept);
    })
    .detach();
    drop(runtime);
    while weak.upgrade().is_some() {
        thread::yield_now();
    }
    println!("the threads have ended, and the remaining task is dropped");
    Ok(())
}

fn name() -> String {
    thread::current().name().unwrap_or("unnamed").to_owned()
}

async fn program(runtime: &Compio) -> Result<(), ZeroLimit> {
    let names = forloop::each(0..100).limit(8)?.on(runtime).gather(|_| async { name() }).await;
    let names: BTreeSet<_> = names.into_iter().collect();
    assert!(names.iter().all(|name| name.starts_with("compio ")), "{names:?}");
    println!("a hundred bodies, each a task, on compio's threads alone");

    // Futures of compio are not `Send`: a body moves a closure to a thread, and awaits its output.
    let lengths = forloop::each(["one", "three"]).unbounded().on(runtime).gather(|word| {
        let length = runtime.on_a_thread(move || async move {
            let stays = Rc::new(word);
            compio::time::sleep(Duration::from_millis(1)).await;
            stays.len()
        });
        length
    });
    println!("two bodies that sleep in compio: {:?}", lengths.await);

    // Or the whole loop is on one thread: its bodies share the task, and use compio as they like.
    let clock = runtime.clone();
    let lengths = runtime.on_a_thread(move || async move {
        let words = Rc::new(["one", "three"]);
        let naps =
            forloop::each(words.iter()).unbounded().timer(&clock).deadline(Duration::from_secs(60));
        let lengths = naps.gather(async |word| {
            compio::time::sleep(Duration::from_millis(1)).await;
            word.len()
        });
        lengths.await.map_err(|interrupted| interrupted.cause)
    });
    println!("a loop that stays on its thread: {:?}", lengths.await);

    let naps = forloop::each([60, 3600]).unbounded().on(runtime.clone());
    let naps = naps.timer(runtime).deadline(Duration::from_millis(20)).gather(|seconds| {
        let runtime = runtime.clone();
        async move { runtime.sleep(Duration::from_secs(seconds)).await }
    });
    assert_eq!(naps.await.unwrap_err().cause, Cause::TimedOut);
    println!("two bodies timed out by compio's timers");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    forloop_conformance::suite!(Compio::with_threads(NonZeroUsize::MIN.saturating_add(1)));
}
