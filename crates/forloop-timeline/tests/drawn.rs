//! Pictures and traces of unusual timelines are well-formed and correct.

use std::time::Duration;

use forloop_conformance::VirtualClock;
use forloop_core::{BlockOn, Timer, each};
use forloop_timeline::{Recorder, Timeline};
use futures_lite::future::{block_on, yield_now};
use serde_json::Value;

fn trace(timeline: &Timeline) -> Vec<Value> {
    let trace: Value = serde_json::from_str(&timeline.to_chrome_trace()).unwrap();
    trace["traceEvents"].as_array().unwrap().clone()
}

fn height(svg: &str) -> f64 {
    svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
}

/// Runs `bodies` bodies one after another, each for a millisecond.
fn stairs(bodies: u64) -> Timeline {
    let clock = VirtualClock::default();
    let recorder = Recorder::new(&clock);
    let body = recorder.watch("body", |_| clock.sleep(Duration::from_millis(1)));
    clock.block_on(each(0..bodies).sequential().for_each(body));
    recorder.timeline()
}

#[test]
fn a_timeline_without_bodies_has_a_picture_and_a_trace() {
    let timeline = Recorder::new(&VirtualClock::default()).timeline();
    assert!(timeline.is_empty());
    assert!(timeline.to_svg().contains("no bodies"));
    assert_eq!(trace(&timeline).len(), 1);
}

#[test]
fn a_timeline_that_took_no_time_has_a_picture_and_a_trace() {
    let recorder = Recorder::new(&VirtualClock::default());
    block_on(each(0..3).unbounded().for_each(recorder.watch("body", |_| yield_now())));
    let svg = recorder.timeline().to_svg();
    assert!(svg.contains("3 bodies in 0 s"), "{svg}");
    let trace = trace(&recorder.timeline());
    assert!(trace.iter().filter(|event| event["ph"] == "X").all(|event| event["dur"] == 0));
}

#[test]
fn time_starts_at_the_first_body_in_a_picture_and_at_the_recorder_in_a_trace() {
    let clock = VirtualClock::default();
    let recorder = Recorder::new(&clock);
    clock.advance(Duration::from_secs(1000));
    block_on(recorder.watch_future("body", async { clock.advance(Duration::from_nanos(2_500)) }));
    let svg = recorder.timeline().to_svg();
    assert!(svg.contains(">0 µs</text>") && svg.contains(">2.5 µs</text>"), "{svg}");
    let trace = trace(&recorder.timeline());
    let life = trace.iter().find(|event| event["cat"] == "life").unwrap();
    assert_eq!(life["ts"], 1_000_000_000);
    assert_eq!(life["dur"], 2.5);
}

#[test]
fn any_name_is_escaped() {
    let recorder = Recorder::new(&VirtualClock::default());
    let name = "</title><script>&\"'\\\n\u{1}";
    block_on(recorder.watch_future(name, async {}));
    let svg = recorder.timeline().to_svg();
    assert!(!svg.contains("<script>") && !svg.contains('\u{1}'), "{svg}");
    assert!(svg.contains("&lt;/title&gt;&lt;script&gt;&amp;&quot;&#39;\\ \u{fffd}"), "{svg}");
    let trace = trace(&recorder.timeline());
    assert_eq!(trace.iter().filter(|event| event["args"]["name"] == name).count(), 2);
}

#[test]
fn rows_get_thinner_when_there_are_many() {
    let few = height(&stairs(40).to_svg());
    let many = height(&stairs(100).to_svg());
    let crowd = stairs(900).to_svg();
    assert!(many <= few + 22.0 && height(&crowd) <= few + 22.0);
    assert_eq!(height(&stairs(2000).to_svg()) - height(&crowd), 1100.0);
    // Labels are shown where they fit, and no row is left out.
    let labels = crowd.matches("text-anchor=\"end\"").count();
    assert!(50 < labels && labels < 80, "{labels}");
    assert_eq!(crowd.matches("class=\"wait\"").count(), 900 + 1);
}

#[test]
fn a_row_has_at_most_one_part_per_pixel_however_often_it_was_polled() {
    let clock = VirtualClock::default();
    let recorder = Recorder::new(&clock);
    clock.block_on(recorder.watch_future("body", async {
        for _ in 0..100_000 {
            clock.sleep(Duration::from_micros(1)).await;
            clock.advance(Duration::from_micros(1));
        }
    }));
    assert!(recorder.timeline().to_svg().len() < 100_000);
}

#[test]
fn polls_lie_within_the_lifetime_of_their_body_in_a_trace() {
    let events = trace(&stairs(5));
    let named = |cat: &'static str| events.iter().filter(move |event| event["cat"] == cat);
    assert_eq!(named("life").count(), 5);
    assert_eq!(named("poll").count(), 10);
    assert_eq!(named("wake").count(), 5);
    let number = |event: &Value, field: &str| event[field].as_f64().unwrap();
    for poll in named("poll") {
        let life = named("life").find(|life| life["tid"] == poll["tid"]).unwrap();
        let end = |event| number(event, "ts") + number(event, "dur");
        assert!(number(life, "ts") <= number(poll, "ts") && end(poll) <= end(life));
        assert_eq!(poll["pid"], 1);
    }
}
