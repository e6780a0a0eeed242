//! Retries with a back-off, and every outcome.

#![forbid(unsafe_code)]

use std::error::Error;

use forloop::backon::ExponentialBuilder;
use forloop::each;
use forloop::tokio::Tokio;
use tokio::runtime::Builder;

async fn body(n: u64) -> Result<u64, String> {
    tokio::task::yield_now().await;
    Ok(n + 1)
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let timer = Tokio::from(runtime.handle().clone());
    let looping = each(0..10).limit(8)?.timer(&timer).retry(ExponentialBuilder::default());
    let settled = runtime.block_on(looping.settle(body));
    println!("{}", settled.len());
    Ok(())
}
