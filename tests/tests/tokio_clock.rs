//! tokio's clock may be paused in one runtime and not in another one of the same process.

use std::time::Duration;

use forloop::tokio::Tokio;
use forloop::{Outcome, Timer};

#[test]
fn a_paused_clock_does_not_affect_another_runtime() {
    let builder = || tokio::runtime::Builder::new_current_thread();
    let paused = builder().enable_time().start_paused(true).build().unwrap();
    let timed_out = |runtime: &tokio::runtime::Runtime| {
        let value = Tokio::from(runtime.handle().clone());
        let start = value.now();
        let looping = forloop::each(0..1).unbounded().timer(&value).timeout(Duration::from_secs(1));
        let outcomes = runtime.block_on(looping.gather(|_| std::future::pending::<u64>()));
        assert!(matches!(outcomes[..], [Outcome::TimedOut]));
        value.now() - start
    };
    paused.block_on(async { tokio::time::sleep(Duration::from_secs(3600)).await });
    assert!(timed_out(&paused) >= Duration::from_secs(1));
    let running = builder().enable_time().build().unwrap();
    let elapsed = timed_out(&running);
    assert!(Duration::from_secs(1) <= elapsed && elapsed < Duration::from_secs(60), "{elapsed:?}");
}
