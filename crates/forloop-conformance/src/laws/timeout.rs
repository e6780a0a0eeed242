//! Timeouts of single bodies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use forloop_core::{LoopError, Outcome, Timer, each};
use futures_lite::StreamExt;

use super::times::Stopwatch;
use crate::{
    Alive, Backend, Gate, Inline, Job, LONG, Log, PanicOnDrop, Peak, Spawning, TickingClock,
    VirtualClock, boxed, job, long_after, on_time, seconds, yields,
};

/// A body that is pending forever if `n` is odd, and returns `n` on its first poll if it is even, which is in time
/// on any machine.
fn even(alive: &Alive, n: u64) -> Job<u64> {
    let guard = alive.guard();
    job(async move {
        let _alive = guard;
        if n % 2 == 1 {
            std::future::pending::<()>().await;
        }
        n
    })
}

/// TMO-2: A timeout is the outcome of its item alone, and the other items complete.
pub fn a_timeout_is_the_outcome_of_its_item<B: Backend>(backend: B) {
    let (alive, peak) = (Alive::default(), Peak::default());
    let clock = backend.clock();
    let looping =
        || each(0..6).limit(2).unwrap().at(backend.place()).timer(&clock).timeout(seconds::<B>(1));
    let expected = |outcomes: Vec<Outcome<u64>>| {
        assert_eq!(outcomes.len(), 6);
        for (index, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Outcome::Ok(n) => assert!(n == index as u64 && n % 2 == 0),
                // On a real clock, any body may time out.
                Outcome::TimedOut => assert!(index % 2 == 1 || !B::EXACT),
                other => panic!("{other:?} at {index}"),
            }
        }
        assert_eq!(alive.now(), 0);
    };
    backend.block_on(async {
        let settled = looping()
            .settle(boxed(|n| {
                let (body, peak) = (even(&alive, n), peak.clone());
                job(async move { Ok::<u64, String>(peak.during(body).await) })
            }))
            .await;
        assert!(settled.interrupted().is_none());
        expected(
            settled
                .into_iter()
                .map(|outcome| match outcome {
                    Outcome::Ok(n) => Outcome::Ok(n),
                    Outcome::TimedOut => Outcome::TimedOut,
                    other => panic!("{other:?}"),
                })
                .collect(),
        );
        expected(looping().gather(|n| even(&alive, n)).await);
        expected(looping().stream(|n| even(&alive, n)).collect().await);
        let mut completed: Vec<_> = looping().as_completed(|n| even(&alive, n)).collect().await;
        completed.sort_by_key(|&(index, _)| index);
        expected(completed.into_iter().map(|(_, outcome)| outcome).collect());
        let mut consumed = Vec::new();
        looping()
            .as_completed(|n| even(&alive, n))
            .for_each(|item| {
                consumed.push(item);
                yields(2)
            })
            .await;
        consumed.sort_by_key(|&(index, _)| index);
        expected(consumed.into_iter().map(|(_, outcome)| outcome).collect());
    });
}

/// TMO-2: Bodies time out on time, and the next ones start with their permits.
pub fn bodies_time_out_on_time_and_release_their_permits<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let alive = Alive::default();
    let looping = each(0..6).limit(2).unwrap().at(backend.place());
    let outcomes = looping.timer(&watch.clock).timeout(seconds::<B>(2)).gather(|n| {
        watch.times.write((n, watch.read()));
        even(&alive, 2 * n + 1)
    });
    let outcomes = backend.block_on(outcomes);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::TimedOut)));
    assert_eq!((outcomes.len(), alive.now()), (6, 0));
    on_time::<B>(watch.read(), seconds::<B>(6));
    for (started, due) in watch.logged().into_iter().zip([0, 0, 2, 2, 4, 4]) {
        on_time::<B>(started, seconds::<B>(due));
    }
}

/// TMO-2: A body times out while the consumer of the results awaits something else.
pub fn a_body_times_out_while_a_step_awaits<B: Backend>(backend: B) {
    let watch = Stopwatch::start(&backend);
    let alive = Alive::default();
    let looping = each(0..2).unbounded().at(backend.place());
    let looping = looping.timer(&watch.clock).timeout(seconds::<B>(2));
    let seen = Log::default();
    backend.block_on(looping.as_completed(|n| even(&alive, n)).for_each(|(index, outcome)| {
        let (clock, alive, seen) = (watch.clock.clone(), alive.clone(), seen.clone());
        async move {
            seen.write((index as u64, outcome.is_ok()));
            if index == 0 {
                while alive.now() > 0 {
                    clock.sleep(seconds::<B>(1)).await;
                }
            }
        }
    }));
    assert_eq!(seen.read(), [(0, true), (1, false)]);
    let latest = if B::EXACT { seconds::<B>(3) } else { LONG };
    assert!(seconds::<B>(2) <= watch.read() && watch.read() <= latest);
}

/// TMO-2, law 2: A fail-fast loop stops at the first body that times out, as at an error.
pub fn a_fail_fast_loop_stops_at_a_timeout<B: Backend>(backend: B) {
    let alive = Alive::default();
    let looping = || {
        let looping = each(0..5).limit(2).unwrap().at(backend.place());
        looping.timer(&backend.clock()).timeout(seconds::<B>(1))
    };
    backend.block_on(async {
        let tried = looping().try_gather(boxed(|n| {
            let body = even(&alive, n);
            job(async move { Ok::<u64, String>(body.await) })
        }));
        let tried = tried.await;
        let Err(LoopError::TimedOut { timed_out, .. }) = tried else { panic!("{tried:?}") };
        // On a real clock, any body may time out.
        assert!(timed_out[0] == 1 || !B::EXACT);
        assert_eq!(alive.now(), 0);
        let tried = looping().try_for_each(boxed(|n| {
            let body = even(&alive, n);
            job(async move {
                body.await;
                Ok::<(), String>(())
            })
        }));
        assert!(tried.await.unwrap_err().timed_out()[0] == 1 || !B::EXACT);
    });
}

/// TMO-2, law 5: With a timeout of zero each body is polled once, and one of `Duration::MAX` never passes.
pub fn a_timeout_may_be_zero_or_infinite<B: Backend>(backend: B) {
    let clock = backend.clock();
    backend.block_on(async {
        let looping = each(0..3).sequential().at(backend.place());
        let outcomes = looping.timer(&clock).timeout(Duration::ZERO).gather(|n: u64| match n {
            1 => job(std::future::pending()),
            _ => job(async move { n }),
        });
        let outcomes = outcomes.await;
        // Every body is polled at least once.
        assert!(matches!(outcomes[..], [Outcome::Ok(0), Outcome::TimedOut, Outcome::Ok(2)]));
        let looping = each(0..3).sequential().at(backend.place());
        let outcomes = looping.timer(&clock).timeout(Duration::MAX).gather(boxed(|n: u64| {
            job(async move {
                yields(2).await;
                n
            })
        }));
        assert!(outcomes.await.iter().all(Outcome::is_ok));
    });
}

/// Law 2: A task that completes while it times out has one outcome: its value or the timeout.
pub fn many_short_timeouts_lose_and_duplicate_nothing<B: Backend>(backend: B) {
    let (alive, gate) = (Alive::default(), Gate::default());
    let clock = backend.clock();
    let looping = each(0..300).limit(16).unwrap().at(backend.place());
    let looping = looping.timer(&clock).timeout(Duration::from_millis(1));
    let outcomes = backend.block_on(looping.gather(boxed(|n: u64| {
        let (guard, gate, clock) = (alive.guard(), gate.clone(), clock.clone());
        job(async move {
            let _alive = guard;
            match n % 3 {
                0 => yields(n as usize % 7).await,
                1 => clock.sleep(Duration::from_millis(1)).await,
                _ => gate.passed().await,
            }
            n
        })
    })));
    assert_eq!((outcomes.len(), alive.now(), alive.ever()), (300, 0, 300));
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Outcome::Ok(n) => assert!(n == index as u64 && n % 3 != 2),
            Outcome::TimedOut => assert!(index % 3 != 0 || !B::EXACT),
            other => panic!("{other:?} at {index}"),
        }
    }
}

/// TMO-2, law 9: Timeouts fire while hundreds of bodies wake themselves, also if their number is that of the polls
/// in one turn.
pub fn a_timeout_fires_despite_busy_bodies<B: Backend>(backend: B) {
    for bodies in [257, 300] {
        let clock = TickingClock::default();
        let looping = each(0..bodies).unbounded().at(backend.place());
        let looping = looping.timer(&clock).timeout(Duration::from_millis(500));
        let outcomes = backend.block_on(looping.gather(|n: u64| match n {
            0 => job(std::future::pending::<u64>()),
            _ => job(async {
                loop {
                    yields(1).await;
                }
            }),
        }));
        assert_eq!(outcomes.len() as u64, bodies);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::TimedOut)));
    }
}

/// PAN-1, TMO-2: If the destructor of a timed-out body panics, the panic propagates, or is its outcome with
/// `catch_panics`.
pub fn a_timed_out_body_whose_destructor_panics_stops_the_loop<B: Backend>(backend: B) {
    let alive = Alive::default();
    let clock = backend.clock();
    let body = |n: u64| {
        let guard = alive.guard();
        let panics = (n == 1).then(|| PanicOnDrop);
        job(async move {
            let _both = (guard, panics);
            std::future::pending::<u64>().await
        })
    };
    let looping =
        || each(0..3).unbounded().at(backend.place()).timer(&clock).timeout(seconds::<B>(1));
    let caught = catch_unwind(AssertUnwindSafe(|| backend.block_on(looping().gather(body))));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(alive.now(), 0);
    let outcomes = backend.block_on(looping().catch_panics().gather(body));
    assert!(matches!(outcomes[..], [Outcome::TimedOut, Outcome::Panicked(_), Outcome::TimedOut]));
}

/// TMO-2, law 8: A timed-out body keeps its permit until the tasks that it had started have stopped.
pub fn a_timed_out_body_keeps_its_permit_until_its_tasks_have_stopped<B: Spawning>(backend: B) {
    let (alive, clock) = (Alive::default(), backend.clock());
    let looping = each(0..50).sequential().timer(&clock).timeout(Duration::ZERO);
    let outcomes = backend.block_on(looping.gather(async |_: u64| {
        assert_eq!(alive.now(), 0, "a task of the previous body is still running");
        let guard = alive.guard();
        let task = backend.spawn(job(async move {
            let _alive = guard;
            std::future::pending::<()>().await;
        }));
        let _cancelled = task.await;
    }));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::TimedOut)));
    assert_eq!((outcomes.len(), alive.now(), alive.ever()), (50, 0, 50));
}

/// TMO-2: A timeout fires when the clock has passed it, even if the timer never wakes the loop.
pub fn a_timeout_fires_by_the_clock_even_if_the_timer_never_wakes(in_task: Inline) {
    #[derive(Clone, Default)]
    struct Late(TickingClock);

    impl Timer for Late {
        fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + use<> {
            std::future::pending()
        }

        fn now(&self) -> Duration {
            self.0.now()
        }
    }

    let busy = async |_: u64| {
        loop {
            yields(1).await;
        }
    };
    let clock = Late::default();
    let looping = || each(0..2).unbounded();
    let outcomes =
        in_task.block_on(looping().timer(&clock).timeout(Duration::from_millis(20)).gather(busy));
    let outcomes: Vec<Outcome<()>> = outcomes;
    assert!(matches!(outcomes[..], [Outcome::TimedOut, Outcome::TimedOut]));
    let returned = in_task
        .block_on(looping().timer(&clock).deadline(Duration::from_millis(20)).for_each(busy));
    assert!(returned.is_err());
}

/// TMO-2, law 2: A body that was woken in time is polled before it times out, even if the results are polled late.
pub fn a_body_that_was_ready_in_time_keeps_its_value_if_polled_late<B: Backend>(backend: B) {
    let (clock, timeout, alive) =
        (VirtualClock::default(), Duration::from_secs(1), Alive::default());
    backend.block_on(async {
        let gates: Vec<_> = (0..2).map(|_| Gate::default()).collect();
        let looping = each(0..2).unbounded().at(backend.place()).timer(&clock).timeout(timeout);
        let mut results = looping.as_completed(boxed(|n: u64| {
            let (guard, gate) = (alive.guard(), gates[n as usize].clone());
            job(async move {
                let _alive = guard;
                gate.passed().await;
                n
            })
        }));
        assert!(futures_lite::future::poll_once(results.next()).await.is_none());
        gates[0].open();
        assert!(matches!(results.next().await, Some((0, Outcome::Ok(0)))));
        gates[1].open();
        if B::SPAWNED {
            long_after(&backend, || alive.now() == 0).await;
        }
        // The consumer takes longer than the timeout.
        clock.advance(2 * timeout);
        assert!(matches!(results.next().await, Some((1, Outcome::Ok(1)))));
        assert!(results.next().await.is_none());
    });
}
