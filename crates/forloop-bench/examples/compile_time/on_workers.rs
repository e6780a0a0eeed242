//! Bodies on a few workers.

#![forbid(unsafe_code)]

use std::error::Error;

use forloop::each;
use forloop::tokio::Tokio;
use tokio::runtime::Builder;

async fn body(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n + 1
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let workers = Tokio::from(runtime.handle().clone());
    let outputs = runtime.block_on(each(0..10).limit(8)?.on_workers(workers).gather(body));
    println!("{outputs:?}");
    Ok(())
}
