//! `gather`: all bodies at once; the loop completes when the last body has.
//!
//! verify: any-order ">task done"

use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Timer};

async fn work(runtime: &AnyRuntime, n: u32) {
    runtime.sleep(Duration::from_secs(1)).await;
    println!(">task done with {n}");
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        forloop::gather((0..10).map(|n| work(&runtime, n))).await;
        println!("Main done");
    })
}
