//! What a user would write without this library: the measure of the others.

#![forbid(unsafe_code)]

use std::error::Error;

use futures_util::{StreamExt, stream};
use tokio::runtime::Builder;

async fn body(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n + 1
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let outputs = runtime.block_on(stream::iter(0..10).map(body).buffered(8).collect::<Vec<_>>());
    println!("{outputs:?}");
    Ok(())
}
