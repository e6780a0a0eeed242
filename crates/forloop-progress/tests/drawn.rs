//! The drawing of a bar, on a terminal in memory.

use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{BlockOn, Timer, each};
use forloop_progress::Progress;
use forloop_progress::indicatif::{InMemoryTerm, ProgressBar, ProgressDrawTarget};
use forloop_sim::Sim;

/// Returns the contents of the terminal after a loop over `items`.
fn drawn(items: impl Iterator<Item = u64>) -> String {
    let terminal = InMemoryTerm::new(3, 160);
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 1);
    let progress = Progress::on(ProgressBar::with_draw_target(None, target)).named("parse");
    let bar = progress.bar();
    let sim = Sim::new();
    let again = ConstantBuilder::default().with_max_times(1);
    let looping = each(items).unbounded().retry(&sim, again).observe(&sim, progress);
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
fn nothing_is_drawn_without_a_terminal() {
    // stderr is a terminal if the tests run in one with `--nocapture`.
    let progress = Progress::new();
    assert_eq!(progress.bar().is_hidden(), !std::io::IsTerminal::is_terminal(&std::io::stderr()));
}
