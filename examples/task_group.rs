//! `task_group`: a block that completes when every task that it spawned has completed.
//!
//! verify: any-order ">task done"

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use forloop::{AnyRuntime, Timer};

async fn work(runtime: AnyRuntime, n: u32) -> Result<(), Infallible> {
    runtime.sleep(Duration::from_secs(1)).await;
    println!(">task done with {n}");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    forloop::run(async |runtime| {
        println!("Main starting");
        forloop::task_group(runtime.clone(), async |group| {
            for n in 0..10 {
                group.spawn(work(runtime.clone(), n));
            }
            Ok(())
        })
        .await?;
        println!("Main done");
        Ok(())
    })?
}
