//! A limit, and the outputs in input order.

#![forbid(unsafe_code)]

use std::error::Error;

use forloop::each;
use tokio::runtime::Builder;

async fn body(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n + 1
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let outputs = runtime.block_on(each(0..10).limit(8)?.gather(body));
    println!("{outputs:?}");
    Ok(())
}
