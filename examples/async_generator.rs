//! `async_generator`: a generator produces the items, with a pause before each; the loop receives them one
//! by one.

use std::pin::pin;
use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Timer};
use futures_lite::StreamExt;
use futures_lite::stream::{self, Stream};

fn numbers(runtime: &AnyRuntime) -> impl Stream<Item = u32> {
    stream::unfold(0, async |n| {
        if n == 10 {
            return None;
        }
        runtime.sleep(Duration::from_secs(1)).await;
        Some((n, n + 1))
    })
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let mut numbers = pin!(numbers(&runtime));
        while let Some(n) = numbers.next().await {
            println!(">task done with {n}");
        }
        println!("Main done");
    })
}
