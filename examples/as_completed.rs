//! `as_completed`: all bodies at once; the loop receives each result as it completes.
//!
//! verify: any-order ">task done"

use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Timer};

async fn work(runtime: &AnyRuntime, n: u32) -> u32 {
    runtime.sleep(Duration::from_secs(1)).await;
    n
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        forloop::as_completed((0..10).map(|n| work(&runtime, n)))
            .for_each(async |(_index, n)| println!(">task done with {n}"))
            .await;
        println!("Main done");
    })
}
