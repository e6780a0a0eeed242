//! The loop of the README: limits for all and for each key, a timeout, retries, and every outcome.

#![forbid(unsafe_code)]

use std::error::Error;
use std::time::Duration;

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
    let looping = each(0..10)
        .limit(50)?
        .limit_by(|n| n % 3, 8)?
        .timer(&timer)
        .timeout(Duration::from_secs(2))
        .retry(ExponentialBuilder::default().with_max_times(3).with_jitter());
    let settled = runtime.block_on(looping.settle(body));
    println!("{}", settled.len());
    Ok(())
}
