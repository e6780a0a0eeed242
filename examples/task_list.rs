//! `task_list`: every body is spawned as a task at once; the loop awaits one handle after another.
//!
//! verify: any-order ">task done"

use std::error::Error;
use std::time::Duration;

use forloop::{AnyRuntime, Timer};

async fn work(runtime: AnyRuntime, n: u32) {
    runtime.sleep(Duration::from_secs(1)).await;
    println!(">task done with {n}");
}

fn main() -> Result<(), Box<dyn Error>> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let tasks = forloop::task_list(&runtime, (0..10).map(|n| work(runtime.clone(), n)));
        for task in tasks {
            task.await?;
        }
        println!("Main done");
        Ok(())
    })?
}
