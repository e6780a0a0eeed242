//! `sequential`: one body after another, like a plain loop; ten bodies take ten times as long.

use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Timer};

async fn work(runtime: &AnyRuntime, n: u32) {
    runtime.sleep(Duration::from_secs(1)).await;
    println!(">task done with {n}");
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        forloop::sequential((0..10).map(|n| work(&runtime, n))).await;
        println!("Main done");
    })
}
