//! `inside_tokio`: a program on tokio with loops on other runtimes, and bodies elsewhere that need tokio.
//!
//! Each part shows what works; where something does not, it prints the error and shows the fix.

#![forbid(unsafe_code)]

use std::io;
use std::panic;
use std::thread;
use std::time::Duration;

use forloop::tokio::Tokio;
use forloop::{NoRuntime, Outcome, Timer};
use forloop_smol::Smol;
use tokio::runtime::{Builder, Handle};

const NAP: Duration = Duration::from_millis(5);

fn main() -> io::Result<()> {
    // Panics in this program are printed as outcomes, once.
    panic::set_hook(Box::new(|_| {}));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    runtime.block_on(async {
        // Joining another thread blocks, so it must not run on one of tokio's workers.
        let handle = Handle::current();
        let other = thread::spawn(move || on_another_thread(&handle));
        let joined = tokio::task::spawn_blocking(|| other.join()).await.expect("no panic");
        joined.expect("no panic").expect("tokio starts");
        loops_of_others().await;
        what_only_tokio_runs(Handle::current()).await;
    });
    Ok(())
}

/// On a thread outside tokio, with tokio as the only enabled runtime.
fn on_another_thread(handle: &Handle) -> Result<(), NoRuntime> {
    println!("a thread that is not tokio's:");
    println!("  `forloop::runtime()`: another {}", forloop::runtime()?.name());

    let tokio = Tokio::from(handle.clone());
    let bodies = forloop::each([60, 3600]).unbounded().on(tokio.clone());
    let settled = bodies.timer(&tokio).timeout(Duration::from_millis(50)).settle({
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
    Ok(())
}

/// Loops on other runtimes, awaited by a task of tokio's.
async fn loops_of_others() {
    println!("inside tokio:");
    let squares = forloop::each(0..4).unbounded().gather(async |n| {
        // The bodies run in this task, so tokio's futures work in them.
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
    let found = forloop::runtime().expect("this runs on tokio");
    println!("  `forloop::runtime()`: {}", found.name());
}

/// A body that needs tokio, on another runtime.
async fn what_only_tokio_runs(handle: Handle) {
    println!("a body that awaits `tokio::time::sleep`:");
    let body = |()| async { tokio::time::sleep(NAP).await };
    let wrong = forloop::each([()]).unbounded().on(Smol).catch_panics().gather(body).await;
    let [Outcome::Panicked(panic)] = &wrong[..] else { panic!("{wrong:?}") };
    println!("  on smol: panic: {}", panic.message().unwrap_or("without a message"));

    // First fix: run the bodies as tasks of tokio's.
    let tokio = Tokio::from(handle.clone());
    forloop::each([()]).unbounded().on(tokio).gather(body).await;
    println!("  with `.on(Tokio::from(handle))`: done");

    // Second fix: run the bodies on a thread that has entered tokio.
    let thread = move || {
        let _entered = handle.enter();
        forloop::block_on(forloop::each([(), ()]).unbounded().gather(body)).len()
    };
    let done = tokio::task::spawn_blocking(|| thread::spawn(thread).join()).await;
    let done = done.expect("no panic").expect("no panic");
    println!("  under `block_on` on a thread that has entered the handle: {done} done");

    // Third fix: a body on smol spawns that one part on tokio.
    let tokio = Tokio::from(Handle::current());
    let bodies = forloop::each([()]).unbounded().on(Smol).gather(move |()| {
        let part = forloop::spawn(&tokio, async { tokio::time::sleep(NAP).await });
        async move { part.await.is_ok() }
    });
    println!("  on smol, with that part as a task of tokio's: {:?}", bodies.await);
}
