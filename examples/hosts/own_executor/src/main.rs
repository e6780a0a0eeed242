//! `own_executor`: the program has an executor on its own threads, and loops run only there.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use forloop::smol::Executor;
use forloop::{Outcome, Timer, ZeroLimit};

const THREADS: [&str; 2] = ["worker 0", "worker 1"];

fn main() -> Result<(), ZeroLimit> {
    let executor = Arc::new(async_executor::Executor::new());
    let runtime = Executor::from(executor.clone());

    // The threads exit when all senders are dropped.
    let (running, ended) = async_channel::bounded::<()>(1);
    let threads = THREADS.map(|name| {
        let (executor, ended) = (executor.clone(), ended.clone());
        let run = move || {
            // Nothing is ever sent: the error means that the program is done.
            let _done = forloop::block_on(executor.run(ended.recv()));
        };
        thread::Builder::new().name(name.to_owned()).spawn(run).expect("the thread starts")
    });

    let done = forloop::block_on(program(&runtime));
    let kept = leave_behind(&executor);
    drop(running);
    threads.into_iter().for_each(|thread| thread.join().expect("the thread does not panic"));

    // No thread runs the executor now. Dropping it drops its tasks.
    drop((runtime, executor));
    assert!(kept.upgrade().is_none());
    println!("the threads have stopped, and the remaining tasks are dropped");
    done
}

fn name() -> String {
    thread::current().name().unwrap_or("unnamed").to_owned()
}

async fn program(runtime: &Executor) -> Result<(), ZeroLimit> {
    let names = forloop::each(0..100).limit(8)?.on(runtime).gather(|_| async { name() }).await;
    let names: BTreeSet<_> = names.into_iter().collect();
    assert!(names.iter().all(|name| THREADS.contains(&name.as_str())), "{names:?}");
    println!("a hundred bodies, each a task, on the program's threads alone");

    let cubes = forloop::each(1..=1000_u64).limit(64)?.on_workers(runtime.clone());
    let digits = cubes.gather(move |n| async move { n.pow(3).to_string().len() }).await;
    println!("a thousand cubes on its workers: {} digits", digits.iter().sum::<usize>());

    let settled = forloop::each([60, 3600]).unbounded().on(runtime);
    let settled = settled.timer(runtime).timeout(Duration::from_millis(50)).settle(|seconds| {
        let runtime = runtime.clone();
        async move {
            runtime.sleep(Duration::from_secs(seconds)).await;
            Ok::<(), io::Error>(())
        }
    });
    assert!(matches!(settled.await[..], [Outcome::TimedOut, Outcome::TimedOut]));
    println!("two bodies timed out");
    Ok(())
}

/// Starts a detached loop whose bodies never complete; returns a weak reference that shows whether they exist.
fn leave_behind(executor: &async_executor::Executor<'static>) -> Weak<()> {
    let kept = Arc::new(());
    let weak = Arc::downgrade(&kept);
    let endless = forloop::each(0..3).unbounded().gather(move |_| {
        let kept = kept.clone();
        async move {
            std::future::pending::<()>().await;
            drop(kept);
        }
    });
    executor.spawn(endless).detach();
    weak
}
