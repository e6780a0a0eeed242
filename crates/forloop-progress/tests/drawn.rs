//! The drawing of a bar, on a terminal in memory.

use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{BlockOn, Timer, each};
use forloop_progress::Progress;
use forloop_progress::indicatif::{InMemoryTerm, ProgressBar, ProgressDrawTarget};
use forloop_sim::Sim;

/// Returns the contents of the terminal after a loop over `items`.
fn drawn(items: impl Iterator<Item = u64>) -> String {
    drawn_as(None, items, |progress| progress)
}

/// Returns the contents of the terminal after a loop over `items`, with a bar of that length.
fn drawn_as(
    length: Option<u64>,
    items: impl Iterator<Item = u64>,
    options: impl FnOnce(Progress) -> Progress,
) -> String {
    let terminal = InMemoryTerm::new(3, 160);
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 1);
    let bar = ProgressBar::with_draw_target(length, target);
    let progress = options(Progress::on(bar).named("parse"));
    let bar = progress.bar();
    let sim = Sim::new();
    let again = ConstantBuilder::default().with_max_times(1);
    let looping = each(items).unbounded().timer(&sim).retry(again).observe(progress);
    let settled = sim.block_on(looping.settle(async |n| {
        sim.sleep(Duration::from_secs(n)).await;
        if n == 2 { Err("no") } else { Ok(n) }
    }));
    assert_eq!(settled.errors().count(), 1);
    bar.force_draw();
    terminal.contents()
}

#[test]
fn a_bar_shows_how_many_items_completed_run_and_failed() {
    let drawn = drawn(0..4);
    assert!(drawn.starts_with("parse ") && drawn.contains(" 4/4 · "), "{drawn}");
    assert!(drawn.contains(" · 0 running · 1 failed · 1 retried · ETA "), "{drawn}");
}

#[test]
fn without_a_known_total_there_is_no_bar() {
    let drawn = drawn((0..9).filter(|n| n % 2 == 0).chain(std::iter::from_fn(|| None)));
    assert!(drawn.contains(" 5 · "), "{drawn}");
    assert!(drawn.contains(" · 0 running · 1 failed · 1 retried · "), "{drawn}");
}

#[test]
fn an_upper_bound_is_not_a_total() {
    for drawn in [
        drawn((0..1000).filter(|n| n % 200 == 2)),
        drawn((0..1000).take_while(|&n| n < 5)),
        drawn((0..1000).map_while(|n| (n < 5).then_some(n))),
    ] {
        assert!(drawn.contains(" 5 · ") && !drawn.contains("1000"), "{drawn}");
        assert!(!drawn.contains("ETA"), "{drawn}");
    }
}

#[test]
fn the_total_can_be_said() {
    let even = || (0..9).filter(|n| n % 2 == 0);
    for drawn in [
        drawn_as(None, even(), |progress| progress.total(5)),
        drawn_as(Some(5), even(), |progress| progress),
        drawn_as(Some(0), 0..5, |progress| progress),
        // What is said comes before what the source hints at.
        drawn_as(Some(7), 0..5, |progress| progress.total(5)),
    ] {
        assert!(drawn.contains(" 5/5 · ") && drawn.contains(" · ETA "), "{drawn}");
    }
    let stopped = drawn_as(Some(8), 0..5, |progress| progress);
    assert!(stopped.contains(" 5/8 · "), "{stopped}");
}

#[test]
fn a_bar_moves_by_the_weight_of_each_item() {
    let sizes = [1 << 10, 1 << 20, 3 << 20, 0, 0];
    let weighted = |progress: Progress| progress.weight_by(move |index| sizes[index]);
    let total = sizes.iter().sum();
    let known = drawn_as(None, 0..5, |progress| weighted(progress).total(total).bytes());
    assert!(known.contains(" 4.00 MiB/4.00 MiB · ") && known.contains(" · ETA "), "{known}");
    // The size hint counts items, not weights.
    let unknown = drawn_as(None, 0..5, weighted);
    assert!(unknown.contains(&format!(" {total} · ")) && !unknown.contains("ETA"), "{unknown}");
    let by_bodies = drawn_as(None, 0..5, |progress| {
        progress.bar().inc(42);
        progress.total(50).weight_by(|_| 0)
    });
    assert!(by_bodies.contains(" 42/50 · "), "{by_bodies}");
}

#[test]
fn nothing_is_drawn_without_a_terminal() {
    // stderr is a terminal if the tests run in one with `--nocapture`.
    let progress = Progress::new();
    assert_eq!(progress.bar().is_hidden(), !std::io::IsTerminal::is_terminal(&std::io::stderr()));
}
