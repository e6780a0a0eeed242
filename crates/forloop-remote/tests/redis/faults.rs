//! Each fault of the table, with real processes.

use std::thread;
use std::time::{Duration, Instant};

use forloop_core::{BlockOn, Outcome, each};
use forloop_remote::OnRemote;
use forloop_smol::Smol;

use crate::processes::{
    ABORTS, LEASE, ONCE, Process, check_empty, connect, items, settle, signal_process,
};
use crate::server::Server;

/// Some workers on three runtimes.
fn workers(server: &Server, count: usize) -> Vec<Process> {
    (0..count).map(|number| Process::worker(server, number)).collect()
}

/// Waits until this many jobs were submitted, so that a fault happens in the middle of a run.
fn wait_for_submissions(server: &Server, count: u64) {
    let start = Instant::now();
    loop {
        let info = server.command(&[b"XINFO", b"STREAM", b"{forloop}:jobs:work@1"]);
        let mut lines = info.lines().skip_while(|line| *line != "entries-added").skip(1);
        let added = lines.next().and_then(|line| line.strip_prefix(':')?.parse::<u64>().ok());
        if added.is_some_and(|added| added >= count) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{info}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Settles the items while something happens.
fn settle_while(server: &mut Server, items: Vec<u64>, fault: impl FnOnce(&mut Server)) {
    let url = server.url();
    let settling = thread::spawn(move || Smol.block_on(settle(&Smol, &url, items)));
    wait_for_submissions(server, 2_000);
    fault(server);
    settling.join().unwrap();
    check_empty(server);
}

#[test]
fn half_of_the_workers_are_killed() {
    let Some(mut server) = Server::start() else { return };
    let mut workers = workers(&server, 4);
    settle_while(&mut server, items(), |_| workers[..2].iter_mut().for_each(Process::kill));
}

#[test]
fn a_worker_is_frozen_past_its_lease() {
    let Some(mut server) = Server::start() else { return };
    let workers = workers(&server, 3);
    settle_while(&mut server, items(), |_| {
        workers[0].signal("STOP");
        thread::sleep(LEASE * 2);
        workers[0].signal("CONT");
    });
}

#[test]
fn an_item_that_aborts_its_process_is_lost_and_no_other() {
    let Some(server) = Server::start() else { return };
    let mut workers = workers(&server, 3);
    let mut items = items();
    items.insert(2_500, ABORTS);
    let url = server.url();
    let settling = thread::spawn(move || Smol.block_on(settle(&Smol, &url, items)));
    let mut deaths = 0;
    while !settling.is_finished() {
        for (number, worker) in workers.iter_mut().enumerate() {
            if worker.has_ended() {
                deaths += 1;
                *worker = Process::worker(&server, number);
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(settling.join().unwrap().lost, 1);
    assert_eq!(deaths, 4, "twice with others, and twice alone");
    check_empty(&server);
}

#[test]
fn a_once_body_is_lost_with_its_worker_and_does_not_begin_again() {
    let Some(server) = Server::start() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    let start = |_| Process::worker_with_file(&server, file.path());
    let mut workers: Vec<_> = (0..4).map(start).collect();
    let url = server.url();
    let settling = thread::spawn(move || {
        Smol.block_on(async {
            let run = connect(&Smol, &url).await.run("chaos").await.unwrap();
            let items = each(0..3_000).limit(150).unwrap().on_remote(&run);
            let settled = items.settle(|n| ONCE.call(n)).await.into_vec();
            run.forget().await.unwrap();
            settled
        })
    });
    let count = || std::fs::read_to_string(file.path()).unwrap().lines().count();
    while count() < 1_000 {
        thread::sleep(Duration::from_millis(5));
    }
    workers[..2].iter_mut().for_each(Process::kill);
    let settled = settling.join().unwrap();
    let mut times = vec![0; settled.len()];
    for line in std::fs::read_to_string(file.path()).unwrap().lines() {
        times[line.parse::<usize>().unwrap()] += 1;
    }
    for (n, outcome) in settled.iter().enumerate() {
        let expected = *outcome == Outcome::Ok(n as u64) && times[n] == 1;
        // The worker may have died between the mark and the first line.
        assert!(expected || *outcome == Outcome::Lost && times[n] <= 1, "{n}: {outcome}");
    }
    let lost = settled.iter().filter(|outcome| **outcome == Outcome::Lost).count();
    assert!(0 < lost && lost <= 100, "{lost}");
}

#[test]
fn the_producer_is_killed_and_resumes_its_run() {
    let Some(server) = Server::start() else { return };
    let _workers = workers(&server, 3);
    let mut first = Process::producer(&server);
    wait_for_submissions(&server, 2_000);
    first.kill();
    let (has_succeeded, printed) = Process::producer(&server).output();
    assert!(has_succeeded && printed.contains("settled: "), "{printed}");
    check_empty(&server);
    // What was known was not submitted again.
    let info = server.command(&[b"XINFO", b"STREAM", b"{forloop}:jobs:work@1"]);
    let mut lines = info.lines().skip_while(|line| *line != "entries-added").skip(1);
    assert_eq!(lines.next(), Some(":6000"), "{info}");
}

#[test]
fn the_broker_is_killed_and_comes_back() {
    let Some(mut server) = Server::start() else { return };
    let _workers = workers(&server, 3);
    settle_while(&mut server, items(), |server| {
        server.kill();
        thread::sleep(Duration::from_secs(1));
        server.restart();
    });
}

#[test]
fn the_broker_comes_back_without_the_end_of_its_log() {
    let Some(mut server) = Server::start() else { return };
    let _workers = workers(&server, 3);
    settle_while(&mut server, items(), |server| {
        server.kill();
        let log = std::fs::OpenOptions::new().write(true).open(server.log()).unwrap();
        let length = log.metadata().unwrap().len();
        log.set_len(length.saturating_sub(300_000)).unwrap();
        thread::sleep(Duration::from_secs(1));
        server.restart();
    });
}

#[test]
fn the_broker_is_frozen_past_all_leases() {
    let Some(mut server) = Server::start() else { return };
    let _workers = workers(&server, 3);
    settle_while(&mut server, items(), |server| {
        signal_process(server.pid(), "STOP");
        thread::sleep(LEASE * 2);
        signal_process(server.pid(), "CONT");
    });
}
