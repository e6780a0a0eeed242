//! `wait`: waits until all tasks of a set have completed.
//!
//! verify: any-order ">task done"

use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, TaskSet, Timer};

async fn work(runtime: AnyRuntime, n: u32) {
    runtime.sleep(Duration::from_secs(1)).await;
    println!(">task done with {n}");
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let mut running = TaskSet::spawn(&runtime, (0..10).map(|n| work(runtime.clone(), n)));
        let (_done, _pending) = forloop::wait(&mut running).await;
        println!("Main done");
    })
}
