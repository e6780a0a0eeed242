//! Runs: resumed, refused, dropped, drained; and time-outs.

use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{Outcome, Spawn, Timer, each};
use forloop_remote::{Bodies, CallError, OnRemote, Remote, RemoteError};
use forloop_sim::Sim;

use crate::broker::Faults;
use crate::process::Process;
use crate::world::{BUSY, FAILS, LEASE, SLOW, WORK, World, check, explore};

#[test]
fn a_run_continues_and_what_is_known_does_not_run_again() {
    explore(20, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 1);
        let first = Process::new(&sim);
        let (clock, dying) = (sim.clone(), first.clone());
        sim.spawn(async move {
            clock.sleep(Duration::from_secs(2)).await;
            dying.kill();
        });
        let items = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        assert!(first.run(world.settle(&first, WORK, &items, 2)).await.is_none());
        let known = items.iter().filter(|&&n| world.started(n) > 0).count();
        assert!((3..10).contains(&known), "{known}");
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 2).await;
        check(&items, &outcomes);
        assert!(items.iter().all(|&n| world.started(n) == 1), "nothing ran twice");
        assert_eq!(world.broker.left(), (0, 0));
    });
}

#[test]
fn a_run_that_continues_with_other_items_has_an_error_for_each() {
    explore(5, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 4);
        let process = Process::new(&sim);
        let run = world.open(&process).await;
        let first = each([1, 2]).limit(2).unwrap().on_remote(&run).settle(|n| WORK.call(n)).await;
        check(&[1, 2], first.as_slice());
        let again = each([1, 3]).limit(2).unwrap().on_remote(&run).settle(|n| WORK.call(n)).await;
        assert_eq!(again[0], Outcome::Ok(10));
        let different = CallError::DifferentItem.to_string();
        assert_eq!(again[1], Outcome::Err(different));
        assert_eq!(world.started(1), 1);
    });
}

#[test]
fn two_producers_of_a_run_are_an_error() {
    explore(10, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        let (one, two) = (Process::new(&sim), Process::new(&sim));
        let run = world.open(&one).await;
        let refused = world.remote(&two).run("run").await;
        assert!(matches!(refused, Err(RemoteError::RunHeld(name)) if name == "run"));
        drop(run);
        // A run that was closed is free at once.
        sim.sleep(Duration::from_millis(1)).await;
        let start = sim.now();
        drop(world.remote(&two).run("run").await.unwrap());
        assert!(sim.now() - start < LEASE);
    });
}

#[test]
fn a_producer_that_was_frozen_and_replaced_is_refused() {
    explore(10, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 1);
        let (old, new) = (Process::new(&sim), Process::new(&sim));
        let (program, process) = (world.clone(), old.clone());
        let replaced = forloop_core::spawn(&sim, async move {
            let run = program.open(&process).await;
            let items = each(1..60_u64).limit(1).unwrap();
            let items = items.on_remote(&run).settle(|n| WORK.call(n));
            process.run(items).await.unwrap().into_vec()
        });
        sim.sleep(Duration::from_secs(1)).await;
        // The new producer has the run when the old one continues.
        old.freeze(LEASE * 2);
        let items: Vec<u64> = (1..60).collect();
        let outcomes = world.settle(&new, WORK, &items, 1).await;
        check(&items, &outcomes);
        let old = replaced.await.unwrap();
        let taken = Outcome::Err(CallError::RunTaken.to_string());
        assert!(old.last() == Some(&taken), "{old:?}");
    });
}

#[test]
fn a_time_out_frees_its_permit_when_the_worker_has_stopped_the_body() {
    explore(20, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 4);
        let run = world.open(&Process::new(&sim)).await;
        let start = sim.now();
        let items =
            each([SLOW, 1, 2]).limit(1).unwrap().timer(&sim).timeout(Duration::from_secs(2));
        let outcomes = items.on_remote(&run).settle(|n| WORK.call(n)).await;
        assert_eq!(outcomes[..], [Outcome::TimedOut, Outcome::Ok(10), Outcome::Ok(20)]);
        assert_eq!(world.most_running(), 1);
        // The worker stops it when it next renews, and no lease must end for that.
        assert!(sim.now() - start < LEASE, "{:?}", sim.now() - start);
        run.forget().await.unwrap();
        assert_eq!(world.broker.left(), (0, 0));
    });
}

#[test]
fn a_dropped_loop_stops_its_bodies_and_continues_later() {
    drop_and_continue(Duration::from_secs(2));
}

#[test]
fn a_dropped_loop_continues_at_once_although_its_bodies_have_not_stopped_yet() {
    drop_and_continue(Duration::ZERO);
}

fn drop_and_continue(pause: Duration) {
    explore(20, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 2);
        let run = world.open(&Process::new(&sim)).await;
        let slow = each([1, SLOW, SLOW + 5]).limit(3).unwrap();
        let mut slow = Box::pin(slow.on_remote(&run).settle(|n| WORK.call(n)));
        let timer = sim.clone();
        let late = async move { timer.sleep(Duration::from_secs(1)).await };
        let mut late = Box::pin(late);
        std::future::poll_fn(|cx| {
            assert!(slow.as_mut().poll(cx).is_pending());
            late.as_mut().poll(cx)
        })
        .await;
        drop(slow);
        if !pause.is_zero() {
            sim.sleep(pause).await;
            assert_eq!(world.running(), 0);
        }
        let items = [1, SLOW, SLOW + 5];
        let again = each(items).limit(3).unwrap().on_remote(&run).settle(|n| WORK.call(n)).await;
        check(&items, again.as_slice());
        assert_eq!(world.started(1), 1, "its outcome was known");
        run.forget().await.unwrap();
        assert_eq!(world.broker.left(), (0, 0));
    });
}

#[test]
fn a_worker_that_drains_completes_what_it_has() {
    explore(10, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        let process = Process::new(&sim);
        let work = world.remote(&process).work().unwrap().limit(2).unwrap();
        let signal = {
            let sim = sim.clone();
            async move { sim.sleep(Duration::from_secs(1)).await }
        };
        let draining = forloop_core::spawn(&sim, async move { work.drain_on(signal).await });
        let run = world.open(&process).await;
        let settling = world.clone();
        let settled = forloop_core::spawn(&sim, async move {
            let items = each([SLOW, 1, 2, 3, 4]).limit(2).unwrap();
            let outcomes = items.on_remote(&run).settle(|n| WORK.call(n)).await.into_vec();
            (settling.started(SLOW), outcomes)
        });
        draining.await.unwrap().unwrap();
        assert_eq!(world.running(), 0);
        world.start_worker(Process::new(&sim), 2);
        let (started, outcomes) = settled.await.unwrap();
        check(&[SLOW, 1, 2, 3, 4], &outcomes);
        assert_eq!(started, 1);
    });
}

#[test]
fn a_loop_whose_runtime_has_ended_is_cancelled_and_does_not_wait() {
    explore(5, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        // A runtime of its own, that is dropped while the loop waits.
        let process = Sim::new();
        let remote = Remote::with_engine(&process, world.broker.clone(), &Bodies::new());
        let run = remote.run("run").await.unwrap();
        let forgetting = run.clone();
        let items = each([1, 2]).limit(2).unwrap().timer(&sim).deadline(LEASE);
        let mut settled = Box::pin(items.on_remote(&run).settle(|n| WORK.call(n)));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(settled.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        process.drop_tasks();
        let settled = settled.await;
        assert_eq!(settled[0], Outcome::Cancelled, "{settled:?}");
        assert_eq!(settled.interrupted().unwrap().cause, forloop_core::Cause::Cancelled);
        assert!(forgetting.forget().await.is_err());
    });
}

#[test]
fn a_worker_without_bodies_waits_until_it_drains() {
    explore(3, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        let remote = Remote::with_engine(&sim, world.broker.clone(), &Bodies::new());
        let signal = forloop_core::Timer::sleep(&sim, Duration::from_secs(3));
        remote.work().unwrap().drain_on(signal).await.unwrap();
        assert_eq!(sim.now(), Duration::from_secs(3));
    });
}

#[test]
fn a_run_that_is_forgotten_stops_its_bodies() {
    explore(10, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 2);
        let run = world.open(&Process::new(&sim)).await;
        let forgetting = run.clone();
        let items = each([SLOW, SLOW + 1]).limit(2).unwrap().on_remote(&run);
        let settled = forloop_core::spawn(&sim, items.settle(|n| WORK.call(n)));
        sim.sleep(Duration::from_secs(2)).await;
        assert_eq!(world.running(), 2);
        forgetting.forget().await.unwrap();
        sim.sleep(Duration::from_secs(2)).await;
        assert_eq!(world.running(), 0);
        let taken = || Outcome::Err(CallError::RunTaken.to_string());
        assert_eq!(settled.await.unwrap()[..], [taken(), taken()]);
    });
}

#[test]
fn a_retry_is_a_job_of_its_own_and_a_resumed_run_does_not_repeat_it() {
    explore(10, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 2);
        let items = [1, BUSY, FAILS];
        // The second producer knows all outcomes, and makes the same retries.
        for producer in 0..2 {
            let process = Process::new(&sim);
            let settling = async {
                let run = world.open(&process).await;
                let backoff =
                    ConstantBuilder::new().with_delay(Duration::from_secs(1)).with_max_times(2);
                let retried = each(items).limit(3).unwrap().timer(&sim).retry(backoff);
                let settled = retried.on_remote(&run).settle(|n| WORK.call(n)).await;
                if producer == 0 {
                    process.kill();
                }
                settled
            };
            let settled = settling.await;
            check(&items, settled.as_slice());
            assert_eq!([0, 1, 2].map(|index| settled.attempts(index)), [1, 2, 3]);
            assert_eq!(items.map(|n| world.started(n)), [1, 2, 3]);
        }
    });
}
