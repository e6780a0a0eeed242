//! The report of a failed schedule names a file with its picture.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use forloop_core::{Timer, each};
use forloop_sim::{Explore, Sim, agree, check};

/// The report of a check that fails.
fn report(check: impl FnOnce()) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(check)).unwrap_err();
    *panicked.downcast::<String>().unwrap()
}

/// The picture in the file that a report names.
fn picture(report: &str) -> String {
    let line = report.lines().last().unwrap();
    let path = line.strip_prefix("the schedule as a picture: ").unwrap();
    fs::read_to_string(path).unwrap()
}

/// Two tasks, of which the second waits forever once the first has run for a second.
async fn deadlock(sim: Sim) {
    let timer = sim.clone();
    let stuck = each(0..2).unbounded().on(sim);
    stuck
        .for_each(move |n| {
            let timer = timer.clone();
            async move {
                timer.sleep(Duration::from_secs(1)).await;
                if n == 1 {
                    std::future::pending::<()>().await;
                }
            }
        })
        .await;
}

#[test]
fn a_deadlock_shows_the_tasks_that_wait() {
    let svg = picture(&report(|| _ = check(10, deadlock)));
    assert!(svg.contains("deadlock"), "{svg}");
    assert!(svg.contains("3 tasks, ") && svg.contains("1 done, 2 running"), "{svg}");
    // The clock has advanced to the end of the sleeps.
    assert!(svg.contains(">0 s</text>") && svg.contains(">1 s</text>"), "{svg}");
    assert!(svg.contains("1: body 0") && svg.contains("2: body 1"), "{svg}");
    // Without a file, for other reports.
    let failure = Explore::random(10).run(deadlock).unwrap_err();
    assert_eq!(failure.timeline().to_svg(), svg);
}

#[test]
fn a_panic_shows_the_task_that_panicked() {
    let panics = async |sim: Sim| {
        let looping = each(0..3).unbounded().on(sim);
        looping.for_each(|n| async move { assert_ne!(n, 1, "on purpose") }).await;
    };
    let report = report(|| _ = check(10, panics));
    let svg = picture(&report);
    assert!(svg.contains("on purpose") && svg.contains("panicked in step "), "{svg}");
}

#[test]
fn an_error_is_that_of_the_program() {
    let svg = picture(&report(|| _ = check(10, async |_| Err::<(), _>("no"))));
    assert!(svg.contains("1 task, 1 poll, 0 s: 1 failed"), "{svg}");
}

#[test]
fn outputs_that_differ_have_the_schedule_of_the_second() {
    let order = |sim: Sim| async move {
        each(0..2).unbounded().on(sim).race(|n| async move { n }).await.unwrap()
    };
    let report = report(|| _ = agree(100, order));
    assert!(report.contains("the outputs differ"), "{report}");
    assert!(picture(&report).contains("the outputs differ"), "{report}");
}
