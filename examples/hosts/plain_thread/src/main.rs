//! `plain_thread`: a thread, `forloop::block_on`, and nothing else.
//!
//! No runtime is enabled and none is started. Time-outs and deadlines use the system's clock, with the
//! feature `timer`; another thread stops a loop.

#![forbid(unsafe_code)]

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use forloop::timer::SystemTimer;
use forloop::{CancelToken, Cause, Outcome, Timer, ZeroLimit};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(3600);

fn main() -> Result<(), ZeroLimit> {
    println!("no runtime: {}", forloop::runtime().unwrap_err());
    let thread = thread::spawn(|| forloop::block_on(program()));
    thread.join().expect("the thread does not panic")
}

async fn program() -> Result<(), ZeroLimit> {
    // Bodies borrow local data, and share one thread.
    let words = ["for", "loop"].map(str::to_owned);
    let lengths = forloop::each(&words).limit(2)?.gather(async |word: &String| word.len()).await;
    println!("lengths of {words:?}: {lengths:?}");

    // A timeout for each body.
    let naps = forloop::each([Duration::ZERO, LONG, Duration::ZERO]).limit(2)?;
    let settled = naps.timeout(SHORT).settle(async |nap| {
        SystemTimer.sleep(nap).await;
        Ok::<(), io::Error>(())
    });
    assert!(matches!(settled.await[..], [Outcome::Ok(()), Outcome::TimedOut, Outcome::Ok(())]));
    println!("a body timed out, and the next got its permit");

    // A deadline for all of them.
    let naps = forloop::each([Duration::ZERO, LONG]).unbounded().deadline(SHORT);
    let late = naps.gather(async |nap| SystemTimer.sleep(nap).await).await.unwrap_err();
    assert_eq!((&late.cause, &late.pending[..]), (&Cause::TimedOut, &[1][..]));
    println!("{late}: {} of 2 was ready", late.ready.iter().filter(|ready| ready.is_ok()).count());

    // Another thread cancels the loop, once both bodies have started.
    let stop = CancelToken::new();
    let (started, starts) = mpsc::channel();
    let naps = forloop::each(0..2).unbounded().cancel_on(&stop);
    let naps = naps.gather(async |n| {
        started.send(n).expect("the receiver exists");
        SystemTimer.sleep(LONG).await;
    });
    let other = thread::spawn({
        let stop = stop.clone();
        move || {
            assert!(starts.iter().take(2).eq(0..2));
            stop.cancel();
        }
    });
    println!("another thread: {}", naps.await.unwrap_err());
    other.join().expect("the thread does not panic");
    Ok(())
}
