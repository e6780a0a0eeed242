//! Two loops of one shape over different bodies: what the second loop adds.

#![forbid(unsafe_code)]

use std::error::Error;

use forloop::each;
use tokio::runtime::Builder;

async fn body(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n + 1
}

async fn other_body(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n * 2
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let outputs = runtime.block_on(each(0..10).limit(8)?.gather(body));
    let others = runtime.block_on(each(0..10).limit(8)?.gather(other_body));
    println!("{outputs:?} {others:?}");
    Ok(())
}
