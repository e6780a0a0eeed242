//! Hedged requests: `hedge`, alone and in loops.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use forloop::async_std::AsyncStd;
use forloop::backon::ConstantBuilder;
use forloop::sim::{self, Sim};
use forloop::smol::Smol;
use forloop::{BlockOn, Outcome, Runtime, Timer, each, hedge};

const SECOND: Duration = Duration::from_secs(1);

/// Attempts that each take a time and then return a result, and a log of their starts and drops.
struct Attempts<'a> {
    sim: &'a Sim,
    takes: [u64; 2],
    results: [Result<&'static str, &'static str>; 2],
    started: RefCell<Vec<Duration>>,
    dropped: Cell<usize>,
}

impl<'a> Attempts<'a> {
    fn new(
        sim: &'a Sim,
        takes: [u64; 2],
        results: [Result<&'static str, &'static str>; 2],
    ) -> Self {
        Self { sim, takes, results, started: RefCell::default(), dropped: Cell::default() }
    }

    /// Hedges after two seconds. Returns the result, the times of the starts, and that of the end, in seconds.
    fn run(&self) -> (Result<&'static str, &'static str>, Vec<u64>, u64) {
        let result = self.sim.block_on(hedge(2 * SECOND, || self.attempt()));
        let started = self.started.borrow().iter().map(Duration::as_secs).collect::<Vec<_>>();
        assert_eq!(self.dropped.get(), started.len(), "an attempt was left");
        (result, started, self.sim.now().as_secs())
    }

    async fn attempt(&self) -> Result<&'static str, &'static str> {
        let _guard = Guard(&self.dropped);
        let number = self.started.borrow().len();
        self.started.borrow_mut().push(self.sim.now());
        self.sim.sleep(u32::try_from(self.takes[number]).unwrap() * SECOND).await;
        self.results[number]
    }
}

struct Guard<'a>(&'a Cell<usize>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn an_attempt_that_completes_within_the_delay_is_the_only_one() {
    for result in [Ok("first"), Err("first")] {
        let sim = Sim::new();
        assert_eq!(Attempts::new(&sim, [1, 0], [result, Ok("second")]).run(), (result, vec![0], 1));
    }
}

#[test]
fn the_first_success_of_two_attempts_wins_and_drops_the_other() {
    let results = [Ok("first"), Ok("second")];
    for (takes, winner, end) in [([3, 9], "first", 3), ([9, 3], "second", 5), ([4, 2], "first", 4)]
    {
        let sim = Sim::new();
        let ran = Attempts::new(&sim, takes, results).run();
        assert_eq!(ran, (Ok(winner), vec![0, 2], end), "{takes:?}");
    }
}

#[test]
fn a_failure_beside_another_attempt_waits_for_it() {
    let failed = |error| Err::<&'static str, _>(error);
    for (takes, results, result, end) in [
        ([3, 9], [failed("first"), Ok("second")], Ok("second"), 11),
        ([9, 3], [Ok("first"), failed("second")], Ok("first"), 9),
        ([3, 9], [failed("first"), failed("second")], failed("first"), 11),
        ([9, 3], [failed("first"), failed("second")], failed("second"), 9),
    ] {
        let sim = Sim::new();
        let ran = Attempts::new(&sim, takes, results).run();
        assert_eq!(ran, (result, vec![0, 2], end), "{takes:?} {results:?}");
    }
}

#[test]
fn the_delay_counts_from_the_first_poll_and_may_be_zero_or_infinite() {
    let sim = Sim::new();
    let calls = Cell::new(0);
    let attempt = || {
        calls.set(calls.get() + 1);
        let call = calls.get();
        async move { if call == 1 { pending().await } else { Ok::<u32, ()>(call) } }
    };
    sim.block_on(async {
        let hedged = hedge(2 * SECOND, attempt);
        sim.sleep(5 * SECOND).await;
        assert_eq!(calls.get(), 0, "nothing is called before the first poll");
        assert_eq!(hedged.await, Ok(2));
        assert_eq!(sim.now(), 7 * SECOND);
        calls.set(0);
        assert_eq!(hedge(Duration::ZERO, attempt).await, Ok(2));
        assert_eq!(hedge(Duration::MAX, || ready(Ok::<u32, ()>(7))).await, Ok(7));
        assert_eq!(sim.now(), 7 * SECOND);
    });
}

#[test]
fn dropping_it_drops_both_attempts() {
    let (sim, drops) = (Sim::new(), Cell::new(0));
    sim.block_on(async {
        let hedged = hedge(SECOND, || async {
            let _guard = Guard(&drops);
            pending::<Result<(), ()>>().await
        });
        assert!(forloop::timeout(3 * SECOND, hedged).await.is_err());
        assert_eq!((drops.get(), sim.now()), (2, 3 * SECOND));
    });
}

/// Runs a loop whose first attempts never return, and whose third is the first that succeeds. Each try of an item has
/// two attempts, so the second try of each item succeeds.
async fn hedged_loop<R: Runtime>(runtime: R) {
    let calls = [0; 5].map(AtomicU32::new);
    let looping = each(0..5).limit(2).unwrap().timer(&runtime).timeout(60 * SECOND);
    let backoff = ConstantBuilder::default().with_delay(Duration::from_millis(1));
    let settled = looping.retry(backoff).settle(async |n: usize| {
        let attempt = || async {
            let call = calls[n].fetch_add(1, Ordering::SeqCst) + 1;
            match call {
                1 | 3 => pending().await,
                2 => Err("busy"),
                _ => Ok(call),
            }
        };
        // The first attempt hangs and the second fails: the time-out of this try is that of the pair.
        forloop::timeout(20 * Duration::from_millis(1), hedge(Duration::from_millis(1), attempt))
            .await
            .unwrap_or(Err("late"))
    });
    let settled = settled.await;
    assert!(settled.iter().all(|outcome| *outcome == Outcome::Ok(4)), "{settled:?}");
    assert!((0..5).all(|n| settled.attempts(n) == 2));
}

#[test]
fn in_a_loop_both_attempts_are_one_body_on_every_runtime() {
    Smol.block_on(hedged_loop(Smol));
    AsyncStd.block_on(hedged_loop(AsyncStd));
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    tokio.block_on(async { hedged_loop(forloop::tokio::Tokio::current().unwrap()).await });
    sim::check(300, |sim| async move { hedged_loop(sim).await });
}
