//! When bodies may start in time: a rate, staggered starts.

use std::time::Duration;

use forloop_core::types::{InvalidRate, RateLimit};
use forloop_core::{
    CancelToken, Cause, Event, LoopError, Outcome, OutcomeKind, Rate, SharedRate, Timer, each,
    each_stream, try_each,
};
use futures_lite::{StreamExt, future};

use super::times::Stopwatch;
use crate::{Backend, Gate, LONG, Log, boxed, job, on_time, seconds, yields};

/// OPT-1: A rate spaces the starts of bodies evenly.
pub fn a_rate_spaces_starts_evenly<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    // One start per second, independent of the limit.
    let rate = Rate::new(5, seconds::<B>(5)).unwrap();
    let looping = each(0..6).unbounded().at(backend.place()).timer(&watch.clock).rate(rate);
    let outputs = backend.block_on(looping.gather(|n| watch.logs_start(n, Duration::ZERO)));
    assert_eq!(outputs, [0, 1, 2, 3, 4, 5]);
    for (n, started) in watch.logged().into_iter().enumerate() {
        on_time::<B>(started, seconds::<B>(n as u64));
    }
}

/// OPT-1: After a late start, the next body still waits for a full interval of the rate.
pub fn a_late_start_does_not_shorten_the_next_interval<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let rate = Rate::new(1, seconds::<B>(4)).unwrap();
    let looping = each(0..5).limit(2).unwrap().at(backend.place()).timer(&watch.clock).rate(rate);
    // The limit delays some starts.
    let outputs = looping.gather(|n| watch.logs_start(n, seconds::<B>(if n == 1 { 6 } else { 5 })));
    assert_eq!(backend.block_on(outputs).len(), 5);
    let starts = watch.logged();
    for (started, due) in starts.into_iter().zip([0, 4, 8, 12, 16]) {
        on_time::<B>(started, seconds::<B>(due));
    }
}

/// OPT-1: The bodies of a burst start at once.
pub fn a_burst_starts_at_once<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let rate = Rate::new(1, seconds::<B>(2)).unwrap().burst(3).unwrap();
    let looping = each(0..5).unbounded().at(backend.place()).timer(&watch.clock).rate(rate);
    backend.block_on(looping.gather(|n| watch.logs_start(n, Duration::ZERO)));
    for (started, due) in watch.logged().into_iter().zip([0, 0, 0, 2, 4]) {
        on_time::<B>(started, seconds::<B>(due));
    }
}

/// OPT-1: A rate or burst of zero, or one that is out of range, is an error.
pub fn an_invalid_rate_is_an_error<B: Backend>(_backend: B) {
    assert_eq!(Rate::per_second(0), Err(InvalidRate));
    assert_eq!(Rate::per_minute(0), Err(InvalidRate));
    assert_eq!(Rate::new(1, Duration::ZERO), Err(InvalidRate));
    assert_eq!(Rate::new(1, Duration::MAX), Err(InvalidRate));
    assert_eq!(Rate::per_second(1).unwrap().burst(0), Err(InvalidRate));
    assert_eq!(Rate::per_second(1).unwrap().burst(u32::MAX), Err(InvalidRate));
    assert_eq!(Rate::per_second(3).unwrap().interval(), Duration::from_nanos(333_333_334));
    assert_eq!(Rate::per_second(u32::MAX).unwrap().interval(), Duration::from_nanos(1));
}

/// OPT-4: A staggered body starts after the delay, or earlier if the body before it fails.
pub fn a_staggered_body_starts_after_the_delay_or_the_previous_failure<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let looping = each(0..4).unbounded().at(backend.place());
    let looping = looping.timer(&watch.clock).stagger(seconds::<B>(10));
    let settled = backend.block_on(looping.settle(boxed(|n| {
        watch.times.write((n, watch.read()));
        let clock = watch.clock.clone();
        job(async move {
            use forloop_core::Timer;

            match n {
                // Fails before the delay has passed: the next body starts at once.
                0 => clock.sleep(seconds::<B>(3)).await,
                // Takes longer than the delay.
                1 => clock.sleep(seconds::<B>(12)).await,
                // Succeeds, which does not shorten the delay.
                2 => return Ok(n),
                _ => {}
            }
            Err(format!("{n} failed"))
        })
    })));
    assert_eq!(settled.errors().count(), 3);
    for (started, due) in watch.logged().into_iter().zip([0, 3, 13, 23]) {
        on_time::<B>(started, seconds::<B>(due));
    }
}

/// OPT-4, OPT-3: A staggered race calls no body after the one that wins.
pub fn a_staggered_race_calls_no_body_after_the_winner<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let looping = || {
        let looping = each(0..9).unbounded().at(backend.place());
        looping.timer(&watch.clock).stagger(LONG)
    };
    let called = Log::default();
    let body = |n: u64| {
        called.write(n);
        job(async move { if n < 2 { Err(format!("{n} failed")) } else { Ok(n) } })
    };
    let start = watch.read();
    assert_eq!(backend.block_on(looping().race_ok(body)), Ok((2, 2)));
    assert_eq!(called.read(), [0, 1, 2]);
    on_time::<B>(watch.read() - start, Duration::ZERO);
    let none = each(0..3).unbounded().at(backend.place()).timer(&watch.clock).stagger(LONG);
    let error = backend
        .block_on(none.race_ok(boxed(|n: u64| job(async move { Err::<u64, _>(n.to_string()) }))));
    assert_eq!(error.unwrap_err().failures().len(), 3);
    let empty = each(0..0).unbounded().at(backend.place()).timer(&watch.clock).stagger(LONG);
    assert_eq!(backend.block_on(empty.race_ok(body)), Err(LoopError::Empty));
}

/// OPT-1, OPT-4, law 7: A loop whose starts are delayed ends with its last body, or when its source has failed.
pub fn a_loop_whose_starts_are_delayed_ends_with_its_last_body<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let hourly = Rate::new(1, LONG).unwrap();
    let fails = |n: u64| job(async move { Err::<u64, _>(n.to_string()) });

    let one = || each([1]).at(backend.place()).timer(&watch.clock).rate(hourly);
    for limit in [1, 2, usize::MAX] {
        let looping = one().limit(limit).unwrap();
        assert_eq!(backend.block_on(looping.gather(boxed(|n| job(async move { n })))), [1]);
        let looping = one().limit(limit).unwrap();
        assert_eq!(backend.block_on(looping.stream(boxed(|n| job(async move { n }))).count()), 1);
    }
    let weighed = one().limit(3).unwrap().weight_by(|_| 2).limit_by(|n: &u64| *n, 1).unwrap();
    assert_eq!(backend.block_on(weighed.gather(boxed(|n| job(async move { n })))), [1]);
    let error = backend.block_on(one().unbounded().race_ok(fails)).unwrap_err();
    assert_eq!(error.failures().len(), 1);
    let error = backend.block_on(one().unbounded().first_ok(1, fails)).unwrap_err();
    assert_eq!(error.failures().len(), 1);
    let staggered = each([1]).unbounded().at(backend.place()).timer(&watch.clock).stagger(LONG);
    assert_eq!(backend.block_on(staggered.gather(boxed(|n| job(async move { n })))), [1]);
    on_time::<B>(watch.read(), Duration::ZERO);

    // The source fails behind its only item.
    let source = [Ok(1), Err("the source".to_owned())];
    let looping = try_each(source).unbounded().at(backend.place()).timer(&watch.clock).rate(hourly);
    let interrupted =
        backend.block_on(looping.gather(boxed(|n| job(async move { n })))).unwrap_err();
    assert!(matches!(interrupted.cause, Cause::Source { index: 1, .. }));
    // A channel is closed while its loop waits for the next start.
    let (sender, receiver) = async_channel::unbounded();
    sender.try_send(1).unwrap();
    let looping = each_stream(receiver).unbounded().at(backend.place());
    let outputs = looping.timer(&watch.clock).rate(hourly).gather(boxed(|n: u64| {
        let sender = sender.clone();
        job(async move {
            yields(5).await;
            sender.close();
            n
        })
    }));
    assert_eq!(backend.block_on(outputs), [1]);
    on_time::<B>(watch.read(), Duration::ZERO);

    // Of a source that cannot know that it is exhausted, the last item starts in time for the deadline.
    let start = watch.read();
    let items = (0..9).filter(|n| n % 3 == 0);
    let late = if B::EXACT { seconds::<B>(5) } else { LONG };
    let looping = each(items).unbounded().at(backend.place());
    let looping = looping.timer(&watch.clock).rate(Rate::new(1, seconds::<B>(2)).unwrap());
    let looping = looping.stagger(seconds::<B>(1)).deadline(late);
    let outputs = backend.block_on(looping.gather(boxed(|n: u64| job(async move { n }))));
    assert_eq!(outputs.unwrap(), [0, 3, 6]);
    on_time::<B>(watch.read() - start, seconds::<B>(4));
}

/// OPT-1, OPT-4, law 7: While the start of a body is delayed, at most one item is pulled ahead; without a free permit
/// none is.
pub fn at_most_one_item_is_pulled_before_its_body_may_start<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    for limit in [1, 2, usize::MAX] {
        let (pulled, started) = (Log::default(), Log::default());
        let items = (0..5_u64).inspect(|&n| pulled.write(n));
        let looping = each(items).limit(limit).unwrap().at(backend.place());
        let looping = looping.timer(&watch.clock).rate(Rate::new(1, seconds::<B>(1)).unwrap());
        let looping = looping.stagger(seconds::<B>(2));
        backend.block_on(looping.for_each(boxed(|n| {
            let (pulled, started) = (pulled.clone(), started.clone());
            started.write(n);
            assert_eq!(pulled.read().len(), started.read().len());
            let is_full = limit == 1;
            job(async move {
                yields(5).await;
                let ahead = pulled.read().len() - started.read().len();
                assert!(ahead <= usize::from(!is_full), "{ahead} items were pulled ahead");
            })
        })));
        assert_eq!(started.read(), [0, 1, 2, 3, 4]);
    }
}

/// OPT-1, OPT-10, OPT-11, law 2: An item that was pulled ahead is reported as not run if its loop stops. The items
/// behind it stay in the source.
pub fn an_item_that_was_pulled_ahead_is_reported_when_its_loop_stops<B: Backend>(backend: B) {
    let clock = backend.clock();
    let hourly = Rate::new(1, LONG).unwrap();
    for drains in [true, false] {
        let (sender, receiver) = async_channel::unbounded();
        (0..3_u64).for_each(|n| sender.try_send(n).unwrap());
        let (first, second) = (CancelToken::new(), CancelToken::new());
        let events = Log::default();
        let seen = events.clone();
        let looping = each_stream(receiver.clone()).unbounded().at(backend.place());
        let looping = looping.timer(&clock).rate(hourly).drain_on(&first).cancel_on(&second);
        let looping = looping.observe(move |_, event: &Event| seen.write(event.clone()));
        let settled = backend.block_on(looping.settle(boxed(|n| {
            let (sender, first, second) = (sender.clone(), first.clone(), second.clone());
            job(async move {
                while sender.len() > 1 {
                    yields(1).await;
                }
                if drains {
                    first.cancel();
                    yields(5).await;
                } else {
                    second.cancel();
                    std::future::pending::<()>().await;
                }
                Ok::<_, String>(n)
            })
        })));
        match (drains, &settled[..]) {
            (true, [Outcome::Ok(0), Outcome::NotRun])
            | (false, [Outcome::Cancelled, Outcome::NotRun]) => {}
            (_, outcomes) => panic!("{outcomes:?}"),
        }
        let cause = if drains { Cause::Drained } else { Cause::Cancelled };
        assert_eq!(settled.interrupted().unwrap().cause, cause);
        let is_reported = events.read().iter().any(|event| {
            let not_run = OutcomeKind::NotRun;
            matches!(event, Event::Completed { index: 1, attempts: 0, kind, .. } if *kind == not_run)
        });
        assert!(is_reported);
        assert_eq!((receiver.len(), receiver.try_recv()), (1, Ok(2)));
    }
}

/// A timer that fires at whole ticks of its clock, and never early.
#[derive(Clone)]
struct Coarse<C> {
    clock: C,
    tick: Duration,
}

impl<C: Timer> Coarse<C> {
    /// The first tick that is not before `time`.
    fn tick_at(&self, time: Duration) -> Duration {
        let ticks = time.as_nanos().div_ceil(self.tick.as_nanos());
        self.tick * u32::try_from(ticks).unwrap()
    }
}

impl<C: Timer> Timer for Coarse<C> {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<C> {
        let now = self.clock.now();
        self.clock.sleep(self.tick_at(now + duration) - now)
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }
}

/// OPT-1: A rate is kept although the timer ticks too seldom for it: the starts that are due at a tick happen then.
pub fn a_rate_is_kept_with_a_timer_that_ticks_seldom<B: Backend>(backend: B) {
    let tick = Duration::from_millis(1);
    for (per_second, burst) in [(500, 1), (1000, 1), (5000, 1), (10_000, 3), (100_000, 1)] {
        let watch = Stopwatch::start(&backend);
        let timer = Coarse { clock: watch.clock.clone(), tick };
        let rate = Rate::per_second(per_second).unwrap();
        let looping = each(0..200).limit(500).unwrap().at(backend.place());
        let looping = looping.timer(&timer).rate(rate.burst(burst).unwrap());
        let start = timer.now();
        backend.block_on(looping.gather(|n| watch.logs_start(n, Duration::ZERO)));
        for (n, started) in (1_u32..).zip(watch.logged()) {
            let due = rate.interval() * n.saturating_sub(burst);
            on_time::<B>(started, if B::EXACT { timer.tick_at(start + due) - start } else { due });
        }
    }
}

/// OPT-1: A pause that is longer than any timer's tick is not made up with a burst.
pub fn a_long_pause_is_not_made_up<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let timer = Coarse { clock: watch.clock.clone(), tick: seconds::<B>(1) };
    let looping = each(0..7).unbounded().at(backend.place());
    let looping = looping.timer(&timer).rate(Rate::per_second(100).unwrap());
    backend.block_on(looping.gather(|n| watch.logs_start(n, Duration::ZERO)));
    if B::EXACT {
        // At a tick, those of the last 20 ms start together.
        assert_eq!(watch.logged(), [0, 1, 1, 1, 2, 2, 2].map(Duration::from_secs));
    }
}

/// A loop with `items` that logs when its bodies start, and its name.
fn paced<B: Backend>(
    backend: &B,
    watch: &Stopwatch<B::Clock>,
    name: u64,
    items: u64,
    rate: impl Into<RateLimit>,
) -> impl Future<Output = ()> {
    let (watch, place) = (watch.clone(), backend.place());
    let looping = each(0..items).unbounded().at(place).timer(&watch.clock).rate(rate);
    looping.for_each(boxed(move |_| {
        watch.times.write((name, watch.read()));
        job(async {})
    }))
}

/// The names of the loops that have started bodies, once these were on time: one per second.
fn one_per_second<B: Backend>(times: &Log<(u64, Duration)>) -> Vec<u64> {
    let times = times.read();
    for (n, &(_, started)) in times.iter().enumerate() {
        on_time::<B>(started, seconds::<B>(n as u64));
    }
    times.into_iter().map(|(name, _)| name).collect()
}

/// OPT-1: Loops that share a rate have it together, and take turns.
pub fn loops_that_share_a_rate_have_it_together<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let shared = SharedRate::new(&watch.clock, Rate::new(1, seconds::<B>(1)).unwrap());
    let (one, two) =
        (paced(&backend, &watch, 1, 4, &shared), paced(&backend, &watch, 2, 4, &shared));
    backend.block_on(future::zip(one, two));
    let names = one_per_second::<B>(&watch.times);
    assert_eq!(names.len(), 8);
    for first in 1..7 {
        let of_one = names[..first].iter().filter(|&&name| name == 1).count();
        // A busy machine may wake a loop so late that the other passes it.
        assert!(!B::EXACT || of_one.abs_diff(first - of_one) <= 2, "{names:?}");
    }
}

/// OPT-1: Loops that share a rate take turns also where a timer wakes them late.
pub fn loops_that_share_a_rate_take_turns_when_their_timer_is_late<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let timer = Coarse { clock: watch.clock.clone(), tick: Duration::from_millis(10) };
    let shared = SharedRate::new(&timer, Rate::per_second(1000).unwrap());
    let looping = |name: u64| {
        let looping = each(0..50).unbounded().at(backend.place()).timer(&timer).rate(&shared);
        let watch = watch.clone();
        looping.for_each(boxed(move |_: u64| {
            watch.times.write((name, watch.read()));
            job(async {})
        }))
    };
    backend.block_on(future::zip(looping(1), looping(2)));
    let starts = watch.times.read();
    assert_eq!(starts.len(), 100);
    for (n, &(_, started)) in starts.iter().enumerate() {
        assert!(started >= Duration::from_millis(n as u64), "{starts:?}");
    }
    if B::EXACT {
        assert!(starts[99].1 <= Duration::from_millis(100));
        let of_one = starts[..50].iter().filter(|(name, _)| *name == 1).count();
        assert!((20..=30).contains(&of_one), "{starts:?}");
    }
}

/// OPT-1: A loop that is dropped or drained while it waits for a shared rate returns its slot.
pub fn a_loop_that_stops_returns_its_slot_of_a_shared_rate<B: Backend>(backend: B) {
    for drains in [true, false] {
        let watch = Stopwatch::start(&backend);
        let shared = SharedRate::new(&watch.clock, Rate::new(1, seconds::<B>(2)).unwrap());
        let token = CancelToken::new();
        let never = Gate::default();
        let hold = never.clone();
        let looping =
            each(0..).limit(3).unwrap().at(backend.place()).timer(&watch.clock).rate(&shared);
        let mut first = Box::pin(looping.drain_on(&token).for_each(boxed(move |_: u64| {
            let hold = hold.clone();
            job(async move { hold.passed().await })
        })));
        let second = paced(&backend, &watch, 2, 2, &shared);
        backend.block_on(async {
            // It has started one body, and has the next slot.
            while future::poll_once(&mut first).await.is_some() {}
            let stop = async {
                watch.clock.sleep(seconds::<B>(1)).await;
                token.cancel();
                if drains {
                    // Its body does not complete, but it wants no other slot.
                    assert!(future::poll_once(&mut first).await.is_none());
                } else {
                    drop(first);
                }
            };
            future::zip(second, stop).await;
        });
        for ((_, started), due) in watch.times.read().into_iter().zip([2, 4]) {
            on_time::<B>(started, seconds::<B>(due));
        }
        never.open();
    }
}

/// OPT-1: A clone of a loop has the same rate anew, and shares a shared one.
pub fn a_clone_of_a_loop_has_a_rate_of_its_own_or_shares_it<B: Backend>(backend: B) {
    let rate = Rate::new(1, seconds::<B>(1)).unwrap();
    let run = |rate: RateLimit| {
        let watch = Stopwatch::start(&backend);
        let looping = each(0..2).unbounded().at(backend.place()).timer(&watch.clock).rate(rate);
        let body = |n: u64| watch.logs_start(n, Duration::ZERO);
        backend.block_on(future::zip(looping.clone().gather(body), looping.gather(body)));
        let mut starts: Vec<_> = watch.times.read().into_iter().map(|(_, time)| time).collect();
        starts.sort();
        starts
    };
    for (starts, due) in [
        (run(rate.into()), [0, 0, 1, 1]),
        (run(SharedRate::new(&backend.clock(), rate).into()), [0, 1, 2, 3]),
    ] {
        assert_eq!(starts.len(), 4);
        starts.into_iter().zip(due).for_each(|(at, due)| on_time::<B>(at, seconds::<B>(due)));
    }
}
