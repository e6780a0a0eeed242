//! A program with threads of its own: the simulation waits for their wakes.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use forloop_core::{BlockOn, spawn};
use forloop_sim::Sim;
use futures_util::future::join;
use tokio::sync::oneshot;

/// What a missed wake costs: far more than all of the wakes take.
const DEADLOCK_TIMEOUT: Duration = Duration::from_secs(60);

#[test]
fn no_wake_of_another_thread_is_missed() {
    let (requests, work) = mpsc::channel::<oneshot::Sender<u32>>();
    let helper = thread::spawn(move || {
        for (n, answer) in (0..).zip(work) {
            answer.send(n).expect("the program waits for each answer");
        }
    });
    let sim = Sim::new().with_deadlock_timeout(DEADLOCK_TIMEOUT);
    let start = Instant::now();
    let answers = sim.block_on(async {
        let mut answers = Vec::new();
        for _ in 0..5_000 {
            // One is awaited by the program itself, one by a task.
            let [(here, first), (there, second)] = [oneshot::channel(), oneshot::channel()];
            for sender in [here, there] {
                requests.send(sender).expect("the helper runs");
            }
            let task = spawn(&sim, second);
            let (first, second) = join(first, task).await;
            answers.extend([first, second.expect("the task was not cancelled")]);
            // Without a wake the simulation finds out by itself, but only then.
            assert!(start.elapsed() < DEADLOCK_TIMEOUT, "a wake was missed");
        }
        answers
    });
    drop(requests);
    helper.join().expect("the helper has not panicked");
    assert!(answers.into_iter().eq((0..10_000).map(Ok)));
}
