//! `interrupted`: what stops bodies and loops early: a timeout, a deadline, the first success, a signal.

use std::time::Duration;

use forloop::{AnyRuntime, Cause, NoRuntime, Outcome, Timer};

const TIME: Duration = Duration::from_secs(3);
const MINUTE: u64 = 60_000;

async fn work(runtime: AnyRuntime, ms: u64) -> Result<u64, String> {
    runtime.sleep(Duration::from_millis(ms)).await;
    if ms.is_multiple_of(2) { Ok(ms) } else { Err(format!("{ms} is odd")) }
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime: AnyRuntime| {
        let work = |ms| work(runtime.clone(), ms);
        let each = |times: [u64; 3]| forloop::each(times).unbounded().on(runtime.clone());

        println!("Some time for each body");
        let settled = each([100, MINUTE, 201]).timeout(TIME).settle(work).await;
        for (index, outcome) in settled.into_iter().enumerate() {
            match outcome {
                Outcome::Ok(ms) => println!("{index}: {ms}"),
                Outcome::Err(error) => println!("{index}: failed, {error}"),
                other => println!("{index}: {other:?}"),
            }
        }

        println!("Some time for the loop");
        let late = each([200, MINUTE, 100]).deadline(TIME).gather(work).await;
        let late = late.unwrap_err();
        assert_eq!(late.cause, Cause::TimedOut);
        let ready = late.ready.iter().filter(|outcome| outcome.is_ok()).count();
        println!("{ready} were ready, stopped: {:?}", late.pending);

        println!("The first success");
        let (index, ms) = each([MINUTE, 201, 400]).race_ok(work).await.unwrap();
        println!("{index} has won with {ms}");

        println!("A signal");
        // Any future is a signal: that of a token, of Ctrl-C, of a channel's receiver; here, a timer.
        let signal = runtime.sleep(Duration::from_millis(200));
        let cancelled = each([MINUTE; 3]).cancel_on(signal).gather(work).await.unwrap_err();
        assert_eq!(cancelled.cause, Cause::Cancelled);
        println!("stopped: {:?}", cancelled.pending);
    })
}
