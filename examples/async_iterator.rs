//! `async_iterator`: a hand-written stream produces the items, with a pause before each; the loop receives
//! them one by one.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Timer};
use futures_lite::StreamExt;
use futures_lite::stream::Stream;

struct Numbers {
    runtime: AnyRuntime,
    range: Range<u32>,
    /// The pause before the next number, once the stream was polled for it.
    pause: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Numbers {
    fn new(runtime: AnyRuntime) -> Self {
        Self { runtime, range: 0..10, pause: None }
    }
}

impl Stream for Numbers {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let this = &mut *self;
        if this.range.is_empty() {
            return Poll::Ready(None);
        }
        let pause =
            this.pause.get_or_insert_with(|| Box::pin(this.runtime.sleep(Duration::from_secs(1))));
        ready!(pause.as_mut().poll(cx));
        this.pause = None;
        Poll::Ready(this.range.next())
    }
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let mut numbers = Numbers::new(runtime);
        while let Some(n) = numbers.next().await {
            println!(">task done with {n}");
        }
        println!("Main done");
    })
}
