//! `async_comprehension`: one expression collects every item of a stream, and the loop iterates over the
//! list.

use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Timer};
use futures_lite::StreamExt;
use futures_lite::stream::{self, Stream};

fn numbers(runtime: &AnyRuntime) -> impl Stream<Item = u32> {
    stream::iter(0..10).then(async |n| {
        runtime.sleep(Duration::from_secs(1)).await;
        n
    })
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let values: Vec<u32> = numbers(&runtime).collect().await;
        for n in values {
            println!(">task done with {n}");
        }
        println!("Main done");
    })
}
