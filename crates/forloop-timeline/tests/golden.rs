//! One picture and one trace for each strategy, on a virtual clock.
//!
//! `FORLOOP_BLESS=1 cargo test -p forloop-timeline --test golden` updates the files; review the changes.

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use forloop_conformance::VirtualClock;
use forloop_core::{BlockOn, Outcome, Timer, each};
use forloop_timeline::{EventKind, Recorder, Schedule, Timeline};
use futures_lite::future::{poll_once, zip};

/// A request that takes `millis` milliseconds between two pieces of work; it fails unless `works`.
async fn request(clock: &VirtualClock, (millis, works): (u64, bool)) -> Result<u64, &'static str> {
    clock.advance(Duration::from_millis(2));
    clock.sleep(Duration::from_millis(millis)).await;
    clock.advance(Duration::from_millis(6));
    if works { Ok(millis) } else { Err("not found") }
}

const WORKS: bool = true;
const FAILS: bool = false;

/// Runs `record` on a virtual clock, and compares the timeline with the golden files.
fn golden(
    name: &str,
    title: &str,
    record: impl AsyncFnOnce(&VirtualClock, &Recorder),
) -> Vec<EventKind> {
    let clock = VirtualClock::default();
    let recorder = Recorder::new(&clock);
    clock.block_on(record(&clock, &recorder));
    let timeline = recorder.timeline().titled(title);
    matches_golden(&format!("{name}.svg"), &timeline.to_svg());
    matches_golden(&format!("{name}.json"), &timeline.to_chrome_trace());
    outcomes(&timeline)
}

/// Returns how each body completed, in the order of bodies.
fn outcomes(timeline: &Timeline) -> Vec<EventKind> {
    let mut outcomes: Vec<_> =
        timeline.events().filter(|event| event.kind.is_completion()).collect();
    outcomes.sort_by_key(|event| event.body);
    outcomes.into_iter().map(|event| event.kind).collect()
}

fn matches_golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if env::var_os("FORLOOP_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    assert!(before == text, "{file} differs; set FORLOOP_BLESS=1 to update it:\n{text}");
}

#[test]
fn sequential_bodies_run_one_after_another() {
    let title = "each(urls).sequential().gather(fetch)";
    let outcomes = golden("sequential", title, async |clock, recorder| {
        let fetch = recorder.watch("fetch", |millis| request(clock, (millis, WORKS)));
        each([30, 12, 24, 18]).sequential().gather(fetch).await;
    });
    assert_eq!(outcomes, [EventKind::Completed; 4]);
}

#[test]
fn gathered_bodies_overlap_in_time() {
    let title = "each(urls).unbounded().gather(fetch)";
    let outcomes = golden("gather", title, async |clock, recorder| {
        let fetch = recorder.watch("fetch", |millis| request(clock, (millis, WORKS)));
        each([30, 48, 24, 60, 36]).unbounded().gather(fetch).await;
    });
    assert_eq!(outcomes, [EventKind::Completed; 5]);
}

#[test]
fn a_limit_lets_three_run_and_a_failure_stops_none_of_them() {
    let title = "each(urls).limit(3)?.settle(fetch)";
    let outcomes = golden("limit_3", title, async |clock, recorder| {
        let urls = [
            (60, WORKS),
            (25, WORKS),
            (44, WORKS),
            (83, WORKS),
            (18, FAILS),
            (52, WORKS),
            (31, WORKS),
            (40, WORKS),
        ];
        let fetch = recorder.try_watch("fetch", |url| request(clock, url));
        let settled = each(urls).limit(3).unwrap().settle(fetch).await;
        assert!(matches!(settled[4], Outcome::Err("not found")));
    });
    assert_eq!(outcomes.iter().filter(|&&outcome| outcome == EventKind::Failed).count(), 1);
}

#[test]
fn bodies_run_while_the_consumer_is_busy() {
    let title = "each(urls).limit(3)?.as_completed(fetch).for_each(save)";
    golden("as_completed", title, async |clock, recorder| {
        let fetch = recorder.watch("fetch", |millis| request(clock, (millis, WORKS)));
        let save = recorder.watch("save", |_| clock.sleep(Duration::from_millis(15)));
        let pages = each([50, 20, 35, 28, 44]).limit(3).unwrap().as_completed(fetch);
        pages.for_each(save).await;
    });
}

#[test]
fn the_first_failure_cancels_its_siblings() {
    let title = "each(urls).limit(4)?.try_gather(fetch)";
    let outcomes = golden("try_gather", title, async |clock, recorder| {
        let urls = [(20, WORKS), (70, WORKS), (38, FAILS), (90, WORKS), (55, WORKS), (30, WORKS)];
        let fetch = recorder.try_watch("fetch", |url| request(clock, url));
        let failed = each(urls).limit(4).unwrap().try_gather(fetch).await;
        assert_eq!(failed.unwrap_err().first().unwrap().index, Some(2));
    });
    use EventKind::{Cancelled, Completed, Failed};
    assert_eq!(outcomes, [Completed, Cancelled, Failed, Cancelled, Cancelled]);
}

#[test]
fn a_race_has_one_winner() {
    let title = "each(mirrors).unbounded().race(ask)";
    let outcomes = golden("race", title, async |clock, recorder| {
        let ask = recorder.watch("ask", |millis| request(clock, (millis, WORKS)));
        let first = each([70, 45, 90, 52]).unbounded().race(ask).await;
        assert_eq!(first, Ok((1, Ok(45))));
    });
    assert_eq!(outcomes.iter().filter(|&&outcome| outcome == EventKind::Completed).count(), 1);
}

#[test]
fn every_outcome_has_its_own_mark() {
    let clock = VirtualClock::default();
    let recorder = Recorder::new(&clock);
    let sleep = |millis| clock.sleep(Duration::from_millis(millis));
    let timeline = clock.block_on(async {
        let done = recorder.try_watch_future("done", async {
            sleep(20).await;
            futures_lite::future::yield_now().await;
            clock.advance(Duration::from_millis(5));
            Ok::<(), ()>(())
        });
        let failed = recorder.try_watch_future("failed", async {
            sleep(30).await;
            Err::<(), ()>(())
        });
        let panicked = recorder.watch_future("panicked <&>", async {
            sleep(40).await;
            std::panic::resume_unwind(Box::new("by design"))
        });
        let mut running = Box::pin(recorder.watch_future("running", sleep(100)));
        let unpolled = recorder.watch_future("under a name that is much too long", sleep(1));
        assert!(poll_once(&mut running).await.is_none());
        let (done, failed) = zip(done, failed).await;
        assert!(done.is_ok() && failed.is_err());
        drop(unpolled);
        each([panicked]).sequential().catch_panics().gather(|body| body).await;
        recorder.timeline().titled("recorder.watch_future(name, future)")
    });
    matches_golden("ends.svg", &timeline.to_svg());
    matches_golden("ends.json", &timeline.to_chrome_trace());
    use EventKind::{Cancelled, Completed, Failed, Panicked};
    assert_eq!(outcomes(&timeline), [Completed, Failed, Panicked, Cancelled]);
}

/// A task that waits for a lock, one that holds it, and one that panics: what a simulation passes on.
#[test]
fn a_schedule_has_a_row_for_each_task_and_a_step_for_each_poll() {
    let mut schedule = Schedule::new();
    schedule.spawned(0, "0: main");
    schedule.polled(0);
    schedule.spawned(1, "1: body 0");
    schedule.spawned(2, "2: body 1");
    schedule.polled(2);
    schedule.polled(1);
    schedule.clock_advanced(Duration::from_millis(1500));
    schedule.woken(1);
    schedule.polled(1);
    schedule.woken(0);
    schedule.completed(1);
    schedule.polled(0);
    schedule.spawned(3, "3: body 2");
    schedule.clock_advanced(Duration::from_secs(4));
    schedule.polled(3);
    schedule.panicked(3);
    let timeline = schedule.timeline().titled("deadlock: 2 tasks wait");
    matches_golden("schedule.svg", &timeline.to_svg());
    let ends = timeline.events().filter(|event| event.kind.is_completion());
    let ends: Vec<_> = ends.map(|event| (event.body, event.kind)).collect();
    assert_eq!(ends, [(1, EventKind::Completed), (3, EventKind::Panicked)]);
}
