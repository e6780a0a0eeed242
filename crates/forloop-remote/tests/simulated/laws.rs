//! The promises of the table of faults.

use std::time::Duration;

use forloop_core::{Outcome, Spawn, Timer, each};
use forloop_remote::{Bodies, Body, OnRemote, Remote};
use forloop_sim::Sim;

use crate::broker::{Broker, Faults};
use crate::process::Process;
use crate::world::{
    ABORTS, FAILS, LEASE, PANICS, SLOW, WORK, World, check, explore, is_not_served,
};

#[test]
fn each_item_has_one_outcome_under_every_fault() {
    let items: Vec<u64> = (1..40).chain([FAILS, PANICS, SLOW]).collect();
    explore(60, |sim, seed| {
        let items = items.clone();
        async move {
            let faults = Faults { delivered_twice: 10, ..Faults::MANY };
            let world = World::new(&sim, faults, seed);
            for _ in 0..3 {
                world.start_worker(Process::new(&sim), 4);
            }
            let outcomes = world.settle(&Process::new(&sim), WORK, &items, 9).await;
            check(&items, &outcomes);
            assert_eq!(world.broker.left(), (0, 0));
        }
    });
}

#[test]
fn an_outcome_whose_report_is_lost_is_received_after_a_lease() {
    explore(20, |sim, seed| async move {
        // Without any error that would make the producer reconcile.
        let world = World::new(&sim, Faults { never_reported: 40, ..Faults::default() }, seed);
        world.start_worker(Process::new(&sim), 4);
        let items = [1, 2, 3, 4, 5, 6, 7, 8];
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 3).await;
        check(&items, &outcomes);
        assert!(items.iter().all(|&n| world.started(n) == 1));
    });
}

#[test]
fn an_item_that_aborts_its_process_is_lost_and_its_neighbours_are_not() {
    let items = [1, 2, 3, ABORTS, 4, 5, 6, 7, 8];
    explore(40, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        for _ in 0..2 {
            world.start_worker(Process::new(&sim), 5);
        }
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 9).await;
        check(&items, &outcomes);
        assert_eq!(world.started(ABORTS), 4, "twice with others, and twice alone");
        assert_eq!(world.broker.accompanied(), 0);
    });
}

#[test]
fn an_item_that_runs_alone_is_not_blamed_for_the_deaths_of_others() {
    let items = [1, ABORTS, 2, ABORTS + 1, 3, ABORTS + 2, 4, ABORTS + 3, 5, ABORTS + 4, SLOW];
    explore(20, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        for _ in 0..2 {
            world.start_worker(Process::new(&sim), 3);
        }
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 5).await;
        check(&items, &outcomes);
        assert_eq!(world.broker.accompanied(), 0);
    });
}

#[test]
fn bodies_longer_than_a_lease_run_once() {
    explore(20, |sim, seed| async move {
        let world = World::new(&sim, Faults { late: 20, ..Faults::default() }, seed);
        for _ in 0..2 {
            world.start_worker(Process::new(&sim), 2);
        }
        let outcomes = world.settle(&Process::new(&sim), WORK, &[SLOW, 1, 2, 3], 4).await;
        check(&[SLOW, 1, 2, 3], &outcomes);
        assert_eq!(world.started(SLOW), 1);
    });
}

#[test]
fn a_worker_that_is_frozen_past_its_lease_harms_nothing() {
    explore(40, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        let frozen = Process::new(&sim);
        world.start_worker(frozen.clone(), 3);
        world.start_worker(Process::new(&sim), 3);
        let clock = sim.clone();
        sim.spawn(async move {
            clock.sleep(Duration::from_millis(100 + 37 * seed)).await;
            frozen.freeze(LEASE * 2);
        });
        let items = [1, 2, 3, 4, 5, SLOW, 6, 7];
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 6).await;
        check(&items, &outcomes);
        assert_eq!(world.broker.left(), (0, 0));
    });
}

#[test]
fn a_broker_that_has_been_away_or_has_forgotten_is_reconciled() {
    explore(60, |sim, seed| async move {
        let world = World::new(&sim, Faults { late: 20, ..Faults::default() }, seed);
        for _ in 0..2 {
            world.start_worker(Process::new(&sim), 3);
        }
        let (clock, broker) = (sim.clone(), world.broker.clone());
        sim.spawn(async move {
            clock.sleep(Duration::from_millis(200 + 23 * seed)).await;
            let restore = broker.restore_later();
            clock.sleep(Duration::from_millis(400)).await;
            // What has happened since is lost, and it is away for a second.
            restore();
            broker.go_away(Duration::from_secs(1));
        });
        let items: Vec<u64> = (1..30).collect();
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 6).await;
        check(&items, &outcomes);
        assert_eq!(world.broker.left(), (0, 0));
    });
}

#[test]
fn a_worker_without_a_connection_stops_before_its_jobs_run_elsewhere() {
    explore(30, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        // A second broker object with the same state would be a cut cable; here all are cut, for longer than a lease.
        for _ in 0..2 {
            world.start_worker(Process::new(&sim), 2);
        }
        let (clock, broker, watched) = (sim.clone(), world.broker.clone(), world.clone());
        sim.spawn(async move {
            clock.sleep(Duration::from_millis(500 + 11 * seed)).await;
            broker.go_away(LEASE * 2);
            clock.sleep(LEASE).await;
            assert_eq!(watched.running(), 0, "each worker has stopped its bodies");
        });
        let items = [SLOW, SLOW + 1, SLOW + 2, 1, 2];
        let outcomes = world.settle(&Process::new(&sim), WORK, &items, 4).await;
        check(&items, &outcomes);
        assert_eq!(world.overlaps(), 0);
    });
}

#[test]
fn a_body_that_no_worker_serves_is_said_after_the_patience() {
    const OTHER: Body<u64, u64> = Body::named("work", 2);
    explore(5, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 2);
        let patience = Duration::from_secs(20);
        let remote = world.remote(&Process::new(&sim)).patience(patience);
        let run = remote.run("run").await.unwrap();
        let start = sim.now();
        let outcomes =
            each([1, 2]).limit(2).unwrap().on_remote(&run).settle(|n| OTHER.call(n)).await;
        assert!(outcomes.iter().all(is_not_served), "{outcomes:?}");
        let error = outcomes[0].to_string();
        assert_eq!(error, "failed: no worker serves work@2; served: once@1, work@1");
        let waited = sim.now() - start;
        assert!(patience <= waited && waited < patience + LEASE, "{waited:?}");
        run.forget().await.unwrap();
        assert_eq!(world.broker.left(), (0, 0));
    });
}

#[test]
fn a_broker_that_stays_away_is_an_error_of_what_waits_and_the_run_continues_later() {
    explore(5, |sim, seed| async move {
        let world = World::new(&sim, Faults::default(), seed);
        world.start_worker(Process::new(&sim), 1);
        let patience = Duration::from_secs(30);
        let process = Process::new(&sim);
        let remote = world.remote(&process).patience(patience);
        let run = remote.run("run").await.unwrap();
        let (clock, broker) = (sim.clone(), world.broker.clone());
        sim.spawn(async move {
            clock.sleep(Duration::from_millis(450)).await;
            broker.go_away(Duration::from_secs(100));
        });
        let outcomes =
            each([1, 2, 3]).limit(3).unwrap().on_remote(&run).settle(|n| WORK.call(n)).await;
        let away = "the broker is unavailable: the broker is unavailable: the broker is away";
        assert_eq!(outcomes[0], Outcome::Ok(10));
        assert_eq!(outcomes[2], Outcome::Err(away.to_owned()));
        drop(run);
        sim.sleep(Duration::from_secs(120)).await;
        let outcomes = world.settle(&process, WORK, &[1, 2, 3], 3).await;
        check(&[1, 2, 3], &outcomes);
    });
}

#[test]
fn a_worker_needs_a_limit() {
    let sim = Sim::new();
    let broker = Broker::new(&sim, Faults::default(), 0);
    let remote = Remote::with_engine(&sim, broker, &Bodies::new());
    assert!(remote.work().unwrap().limit(0).is_err());
}

#[test]
fn the_simulated_broker_keeps_the_contract_of_an_engine() {
    explore(3, |sim, seed| async move {
        let engine = Broker::new(&sim, Faults::default(), seed);
        crate::engine::Contract { engine, clock: sim, lease: LEASE }.check().await;
    });
}
