//! A timeline in the Chrome trace event format.

use std::fmt::Write;
use std::time::Duration;

use crate::rows::{Row, Span, outcome_name, rows};
use crate::text::{decimal, json};
use crate::timeline::Timeline;

impl Timeline {
    /// Writes the timeline in the Chrome trace event format: JSON that <https://ui.perfetto.dev> and
    /// `chrome://tracing` open.
    ///
    /// Each body is a thread with one slice for its lifetime. Inside it are slices for the time before the
    /// first poll and for each poll; a wake is an instant event. Times are in microseconds since the
    /// recorder was created, with three decimals. The arguments of a lifetime contain the index of the
    /// body and how it completed; the name of the slice contains that too, unless it is `Completed`.
    pub fn to_chrome_trace(&self) -> String {
        write(self)
    }
}

/// Writes one object with one event per line.
fn write(timeline: &Timeline) -> String {
    let mut trace = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    let process = json(&timeline.title());
    write!(trace, r#"{{"ph":"M","pid":1,"name":"process_name","args":{{"name":{process}}}}}"#)
        .expect(WRITES);
    for (number, row) in rows(timeline).iter().enumerate() {
        body(&mut trace, number + 1, row);
    }
    trace.push_str("\n]}\n");
    trace
}

const WRITES: &str = "writing to a string cannot fail";

fn body(trace: &mut String, thread: usize, row: &Row<'_>) {
    let label = row.label();
    let event = |trace: &mut String, what: &str, name: &str, rest: &str| {
        let name = json(name);
        write!(trace, ",\n{{\"ph\":\"{what}\",\"pid\":1,\"tid\":{thread},\"name\":{name},{rest}}}")
            .expect(WRITES);
    };
    let slice = |span: Span| {
        let (start, duration) = (micros(span.start), micros(span.duration()));
        format!(r#""ts":{start},"dur":{duration}"#)
    };

    event(trace, "M", "thread_name", &format!(r#""args":{{"name":{}}}"#, json(&label)));
    event(trace, "M", "thread_sort_index", &format!(r#""args":{{"sort_index":{thread}}}"#));

    let outcome = outcome_name(row.outcome);
    let name = if outcome == "done" { label } else { format!("{label} ({outcome})") };
    let args = format!(r#""cat":"life","args":{{"index":{},"end":"{outcome}"}}"#, row.index);
    event(trace, "X", &name, &format!("{},{args}", slice(row.lifetime)));

    let queued = Span { start: row.lifetime.start, end: row.started.unwrap_or(row.lifetime.end) };
    if queued.duration() != Duration::ZERO {
        event(trace, "X", "queued", &format!(r#"{},"cat":"queued""#, slice(queued)));
    }
    for &run in &row.runs {
        event(trace, "X", "poll", &format!(r#"{},"cat":"poll""#, slice(run)));
    }
    for &wake in &row.wakes {
        event(trace, "i", "wake", &format!(r#""ts":{},"s":"t","cat":"wake""#, micros(wake)));
    }
}

fn micros(time: Duration) -> String {
    decimal(time.as_nanos(), 3)
}
