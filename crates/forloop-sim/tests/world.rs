//! What the simulated world does, step by step, in its first-in, first-out schedule.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::{BlockOn, Spawn, TaskSet, Timer, wait};
use forloop_sim::Sim;

const INSTANT: Duration = Duration::from_millis(50);

#[test]
fn timers_of_one_instant_fire_in_the_order_in_which_they_were_made() {
    // The program is the first task. It makes its timer before, between and after those of two others.
    for place in 0..3 {
        let sim = Sim::new();
        let order = Arc::new(Mutex::new(Vec::new()));
        sim.block_on(async {
            let mut own = None;
            for task in 0..3 {
                let nap = sim.sleep(INSTANT);
                if task == place {
                    own = Some(nap);
                    continue;
                }
                let order = order.clone();
                sim.spawn(async move {
                    nap.await;
                    order.lock().unwrap().push(task);
                });
            }
            own.expect("it is one of the three").await;
            order.lock().unwrap().push(place);
            sim.sleep(INSTANT).await;
        });
        assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
    }
}

#[test]
fn a_wait_that_times_out_returns_what_completed_before_it_at_the_same_instant() {
    for tasks in [1, 3] {
        let sim = Sim::new();
        sim.block_on(async {
            let naps = (0..tasks).map(|_| sim.sleep(INSTANT));
            let mut set = TaskSet::spawn(&sim, naps);
            let (done, pending) = wait(&mut set).timer(&sim).timeout(INSTANT).await;
            assert_eq!((done.len(), pending.len(), sim.now()), (tasks, 0, INSTANT));
        });
    }
}

/// Panics when it is dropped, and so does the payload of that panic, ten times over.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 < 10 {
            panic_any(Self(self.0 + 1));
        }
    }
}

#[test]
fn payloads_that_panic_when_they_are_dropped_do_not_keep_other_tasks_alive() {
    let sim = Sim::new();
    let tasks = Arc::new(());
    for _ in 0..3 {
        let (task, bomb) = (tasks.clone(), Bomb(0));
        sim.spawn(async move {
            let (_task, _bomb) = (task, bomb);
            std::future::pending::<()>().await;
        });
    }
    let dropped = catch_unwind(AssertUnwindSafe(|| sim.drop_tasks()));
    // The first payload; the others were dropped.
    let payload = dropped.expect_err("a destructor panics");
    assert_eq!(payload.downcast_ref::<Bomb>().map(|bomb| bomb.0), Some(1));
    std::mem::forget(payload);
    assert_eq!(Arc::strong_count(&tasks), 1);
}
