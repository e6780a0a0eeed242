//! What the status of a real server says, and when a run expires.

use std::time::Duration;

use forloop_core::{BlockOn, Timer};
use forloop_remote::{Bodies, Body, End, Engine, Job, JobKey, Remote, Status};
use forloop_smol::Smol;

use crate::server::Server;

const SQUARE: Body<u64, u64> = Body::named("square", 2);

const LEASE: Duration = Duration::from_millis(300);

fn job(index: u64) -> std::sync::Arc<Job> {
    Job::new(JobKey { index, attempt: 1 }, SQUARE.id(), false, b"1".to_vec()).into()
}

async fn status(server: &Server) -> Status {
    Remote::connect(&Smol, &server.url(), &Bodies::new()).await.unwrap().status().await.unwrap()
}

#[test]
fn the_status_has_runs_bodies_and_workers_with_what_they_hold() {
    let Some(server) = Server::start() else { return };
    Smol.block_on(async {
        assert_eq!(status(&server).await, Status::default());
        let remote = Remote::connect(&Smol, &server.url(), &Bodies::new()).await.unwrap();
        let (engine, ids) = (remote.engine().unwrap(), [SQUARE.id()]);
        assert!(engine.hold("march", "producer", LEASE * 200, None).await.unwrap());
        let jobs: Vec<_> = (0..70).map(job).collect();
        engine.submit("march", "producer", &jobs).await.unwrap();
        let before = status(&server).await;
        assert!(!before.bodies[0].is_served && before.workers.is_empty(), "{before}");

        assert!(engine.reclaim("north", &ids, 5, LEASE * 200).await.unwrap().is_empty());
        let taken = engine.take("north", &ids, 5, LEASE, LEASE).await.unwrap();
        engine.take("south", &ids, 3, LEASE, LEASE).await.unwrap();
        let ends: Vec<_> = taken[..2].iter().map(|job| (job.id.clone(), End::Lost)).collect();
        engine.complete("north", &ends).await.unwrap();

        let now = status(&server).await;
        let [run] = &now.runs[..] else { panic!("{now}") };
        assert_eq!((&*run.name, run.is_held, run.jobs, run.expires_in), ("march", true, 70, None));
        let [body] = &now.bodies[..] else { panic!("{now}") };
        assert_eq!((&body.body, body.is_served), (&ids[0], true));
        assert_eq!((body.queued, body.held, body.deaths), (62, 6, 0));
        // Servers before version 7 do not count.
        assert!(body.completed.is_none_or(|completed| completed == 2), "{now}");
        let workers: Vec<_> = now.workers.iter().map(|w| (&*w.name, w.held)).collect();
        assert_eq!(workers, [("north", 3), ("south", 3)]);

        // What the worker in the south held is taken over.
        Smol.sleep(LEASE * 2).await;
        let over = engine.reclaim("north", &ids, 100, LEASE).await.unwrap();
        assert_eq!(over.len(), 6);
        let after = status(&server).await;
        assert_eq!((after.bodies[0].deaths, after.workers[0].held), (6, 6), "{after}");
        engine.forget("march", "producer").await.unwrap();
        assert!(status(&server).await.runs.is_empty());
    });
}

/// Waits until a worker has deleted a run, and returns whether it did within a time.
async fn is_deleted(engine: &dyn Engine, server: &Server, time: Duration) -> bool {
    let start = Smol.now();
    while Smol.now() - start < time {
        engine.reclaim("worker", &[SQUARE.id()], 10, LEASE * 200).await.unwrap();
        if status(server).await.runs.is_empty() {
            return true;
        }
        Smol.sleep(Duration::from_millis(20)).await;
    }
    false
}

#[test]
fn a_run_expires_when_its_producer_has_ended_and_not_before() {
    let Some(server) = Server::start() else { return };
    Smol.block_on(async {
        let remote = Remote::connect(&Smol, &server.url(), &Bodies::new()).await.unwrap();
        let (engine, ids) = (remote.engine().unwrap(), [SQUARE.id()]);
        let jobs: Vec<_> = (0..200).map(job).collect();
        assert!(engine.hold("march", "producer", LEASE * 200, Some(LEASE)).await.unwrap());
        engine.submit("march", "producer", &jobs).await.unwrap();
        let taken = engine.take("worker", &ids, 5, LEASE, LEASE).await.unwrap();
        engine.complete("worker", &[(taken[0].id.clone(), End::Lost)]).await.unwrap();
        // Its lease is longer than its expiry.
        assert!(!is_deleted(&*engine, &server, LEASE * 3).await);
        assert!(status(&server).await.runs[0].expires_in.is_some());

        // It continues as one that does not expire, and then as one that does and has ended.
        assert!(engine.hold("march", "producer", LEASE, None).await.unwrap());
        engine.release("march", "producer").await.unwrap();
        assert!(!is_deleted(&*engine, &server, LEASE * 3).await);
        assert!(engine.hold("march", "producer", LEASE, Some(LEASE)).await.unwrap());
        engine.release("march", "producer").await.unwrap();
        assert!(is_deleted(&*engine, &server, Duration::from_secs(20)).await);
        let left = server.keys();
        let is_of_run = |key: &String| key.contains("march");
        assert!(!left.iter().any(is_of_run), "{left:?}");
        assert_eq!(server.command(&[b"XLEN", b"{forloop}:jobs:square@2"]), ":0\r\n");
    });
}
