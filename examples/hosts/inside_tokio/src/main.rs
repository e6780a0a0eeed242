//! `inside_tokio`: a program on tokio, and loops that are not; a loop elsewhere, and what only tokio runs.
//!
//! Each part says what works, and prints the error of what does not with its cure.

#![forbid(unsafe_code)]

use std::io;
use std::panic;
use std::thread;
use std::time::Duration;

use forloop::tokio::Tokio;
use forloop::{Outcome, Timer};
use forloop_smol::Smol;
use tokio::runtime::{Builder, Handle};

const NAP: Duration = Duration::from_millis(5);

fn main() -> io::Result<()> {
    // What panics here is printed as an outcome, once.
    panic::set_hook(Box::new(|_| {}));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    runtime.block_on(async {
        // Whoever waits for a thread of another kind must not stand in the way of tokio's.
        let handle = Handle::current();
        let other = thread::spawn(move || on_another_thread(&handle));
        let joined = tokio::task::spawn_blocking(|| other.join()).await.expect("it does not panic");
        joined.expect("it does not panic");
        loops_of_others().await;
        what_only_tokio_runs(Handle::current()).await;
    });
    Ok(())
}

/// A thread that is not tokio's, with tokio as the only runtime of the facade.
fn on_another_thread(handle: &Handle) {
    println!("a thread that is not tokio's:");
    println!("  error: {}", forloop::runtime().unwrap_err());

    let tokio = Tokio::from(handle.clone());
    let bodies = forloop::each([60, 3600]).unbounded().on(tokio.clone());
    let settled = bodies.timeout(&tokio, Duration::from_millis(50)).settle({
        let tokio = tokio.clone();
        move |seconds| {
            let tokio = tokio.clone();
            async move {
                assert!(Handle::try_current().is_ok(), "its bodies are tokio's tasks");
                tokio.sleep(Duration::from_secs(seconds)).await;
                Ok::<(), io::Error>(())
            }
        }
    });
    let settled = forloop::block_on(settled);
    assert!(matches!(settled[..], [Outcome::TimedOut, Outcome::TimedOut]));
    println!("  with `Tokio::from(handle)`: tasks and time-outs");
}

/// Loops that are not tokio's, awaited by one of its tasks.
async fn loops_of_others() {
    println!("inside tokio:");
    let squares = forloop::each(0..4).unbounded().gather(async |n| {
        // In this task, tokio's own futures work as they do outside of the loop.
        tokio::time::sleep(NAP).await;
        n * n
    });
    println!("  in this task: {:?}", squares.await);
    let squares = forloop::each(0..4).unbounded().on(Smol).gather(|n| async move {
        assert!(Handle::try_current().is_err(), "its bodies are smol's tasks");
        Smol.sleep(NAP).await;
        n * n
    });
    println!("  on smol's threads: {:?}", squares.await);
    let refused = forloop::run(|_| async {});
    println!("  `forloop::run`: error: {}", refused.unwrap_err());
    let found = forloop::runtime().expect("tokio is around");
    println!("  `forloop::runtime()`: {}", found.name());
}

/// A body that awaits what needs tokio, on a runtime that is not tokio.
async fn what_only_tokio_runs(handle: Handle) {
    println!("a body that awaits `tokio::time::sleep`:");
    let body = |()| async { tokio::time::sleep(NAP).await };
    let wrong = forloop::each([()]).unbounded().on(Smol).catch_panics().gather(body).await;
    let [Outcome::Panicked(panic)] = &wrong[..] else { panic!("{wrong:?}") };
    println!("  on smol: panic: {}", panic.message().unwrap_or("without a message"));

    // The first cure: its tasks are tokio's.
    let tokio = Tokio::from(handle.clone());
    forloop::each([()]).unbounded().on(tokio).gather(body).await;
    println!("  with `.on(Tokio::from(handle))`: done");

    // The second: bodies share a thread that has entered tokio.
    let thread = move || {
        let _entered = handle.enter();
        forloop::block_on(forloop::each([(), ()]).unbounded().gather(body)).len()
    };
    let done = tokio::task::spawn_blocking(|| thread::spawn(thread).join()).await;
    let done = done.expect("it does not panic").expect("it does not panic");
    println!("  under `block_on` on a thread that has entered the handle: {done} done");

    // The third: a body of smol's asks tokio for that one part.
    let tokio = Tokio::from(Handle::current());
    let bodies = forloop::each([()]).unbounded().on(Smol).gather(move |()| {
        let part = forloop::spawn(&tokio, async { tokio::time::sleep(NAP).await });
        async move { part.await.is_ok() }
    });
    println!("  on smol, with that part as a task of tokio's: {:?}", bodies.await);
}
