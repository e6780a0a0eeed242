//! Drawing a timeline as an SVG picture.
//!
//! Lengths are integers in hundredths of a pixel, so that a timeline has the same picture on every machine.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use crate::event::EventKind;
use crate::rows::{Row, Span, outcome_name, rows};
use crate::scale::{ClockAdvance, STEP, Scale};
use crate::text::{UNITS, decimal, short, xml};
use crate::timeline::Timeline;

const WRITES: &str = "writing to a string cannot fail";

const STYLE: &str = "
.page{fill:#fff}text{fill:#24292f}.title{font-size:16px;font-weight:600}.faint{fill:#57606a}
.grid{stroke:#d0d7de;stroke-width:.5}.ready{fill:#d8eafe}.wait{fill:#8abaf5}.run{fill:#0a3d91}
.mark{stroke:#fff;stroke-width:1.2}.done{fill:#1a7f37}.panicked{fill:#8250df}
.open{fill:none;stroke-width:5}.cancelled{fill:#fff;stroke:#57606a;stroke-width:2}
.line{fill:none;stroke-width:2.4;stroke-linecap:round}.failed{stroke:#cf222e}.running{stroke:#57606a}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.faint{fill:#8d96a0}
.grid{stroke:#30363d}.ready{fill:#1c2f4a}.wait{fill:#2f62a8}.run{fill:#a5d0ff}
.mark{stroke:#0d1117}.done{fill:#3fb950}.panicked{fill:#ab7df8}.cancelled{fill:#0d1117;stroke:#8d96a0}
.failed{stroke:#f85149}.running{stroke:#8d96a0}}
";

/// Hundredths of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Px(u64);

const fn px(pixels: u64) -> Px {
    Px(pixels * 100)
}

const WIDTH: Px = px(880);
const MARGIN: Px = px(10);
/// The top of the rows, below the title, the summary and the axis.
const TOP: Px = px(80);
/// The average width of a letter in a label.
const LETTER: Px = Px(620);
/// The most letters of a label; a longer name is shortened, but not its index.
const LETTERS: usize = 30;
/// The height of a row, unless there are too many.
const ROW: Px = px(22);
/// The height of all rows together, if there are too many.
const ROWS: Px = px(900);
/// The least distance between two labels.
const LABEL: Px = px(13);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0.into(), 2))
    }
}

impl std::ops::Add for Px {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::Sub for Px {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// The layout of the picture.
struct Plan {
    /// The interval that the time axis shows.
    window: Span,
    left: Px,
    right: Px,
    row: Px,
    bottom: Px,
}

impl Plan {
    fn new(timeline: &Timeline, rows: &[Row<'_>]) -> Self {
        let start = rows.first().map_or(Duration::ZERO, |row| row.lifetime.start);
        let end = rows.iter().map(|row| row.lifetime.end).max().unwrap_or(timeline.duration());
        let count = rows.len() as u64;
        // Rows keep their full height as long as all of them fit.
        let row = if count * ROW.0 <= ROWS.0 { ROW } else { Px((ROWS.0 / count).max(100)) };
        let letters = rows.iter().map(|row| label(row).chars().count()).max().unwrap_or(0) as u64;
        Self {
            window: Span { start, end },
            left: MARGIN + Px(LETTER.0 * letters) + px(12),
            right: WIDTH - px(34),
            row,
            bottom: TOP + Px(row.0 * count.max(1)),
        }
    }

    fn x(&self, at: Duration) -> Px {
        let since = at.saturating_sub(self.window.start).as_nanos();
        let whole = self.window.duration().as_nanos().max(1);
        let across = u128::from((self.right - self.left).0) * since.min(whole) / whole;
        self.left + Px(u64::try_from(across).expect("no more than the picture is wide"))
    }

    /// Returns the left and right edges of spans, each at least `least` wide and inside `within`.
    /// Overlapping spans are merged.
    fn across(&self, spans: &[Span], least: Px, within: (Px, Px)) -> Vec<(Px, Px)> {
        let mut drawn: Vec<(Px, Px)> = Vec::new();
        for span in spans {
            let right = self.x(span.end).max(self.x(span.start) + least).min(within.1);
            let left = self.x(span.start).min(right - least).max(within.0);
            match drawn.last_mut() {
                Some(last) if left <= last.1 => last.1 = last.1.max(right),
                _ => drawn.push((left, right)),
            }
        }
        drawn
    }
}

impl Timeline {
    /// Draws the timeline as an SVG picture, for light and dark pages.
    ///
    /// Each body has a row, from its creation to its completion; the axis starts at the first body. A row
    /// is light where the body is ready (queued, or woken), medium where it is waiting, and dark where it is
    /// being polled. On a dark page the shades are reversed. A poll is at least one pixel wide. The mark at
    /// the end of a row has a different shape for each outcome. A name that only one body has is shown
    /// without a number. If a browser shows the picture by itself, pointing at a row shows its figures.
    ///
    /// A row is 22 pixels high. With more than 40 bodies, rows get thinner instead of the picture taller: 9
    /// pixels at 100 bodies, and one at 900 and more. Labels are then shown where they fit, and marks are
    /// left out below 4 pixels. For many thousand bodies, use [`to_chrome_trace`](Self::to_chrome_trace).
    ///
    /// # Costs
    ///
    /// Time and memory are linear in the number of events. The text takes a few hundred bytes for each row,
    /// and is bounded by the pixels of the row, however often its body was polled.
    pub fn to_svg(&self) -> String {
        draw(self)
    }
}

fn draw(timeline: &Timeline) -> String {
    let rows = rows(timeline);
    let plan = Plan::new(timeline, &rows);
    let title = xml(&timeline.title());
    let summary = xml(&summary(timeline, &rows, plan.window));
    let height = plan.bottom + px(40);
    let mut svg = format!(
        "\
<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">
<title>{title}: {summary}</title>
<style>{STYLE}</style>
<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>
<text class=\"title\" x=\"{MARGIN}\" y=\"26\">{title}</text>
<text class=\"faint\" x=\"{MARGIN}\" y=\"45\">{summary}</text>
"
    );
    match timeline.scale() {
        Scale::Time => time_axis(&mut svg, &plan),
        Scale::Steps(clock) => step_axis(&mut svg, &plan, clock),
    }
    let mut labelled = None;
    for (number, row) in rows.iter().enumerate() {
        let top = TOP + Px(plan.row.0 * number as u64);
        let has_label = labelled.is_none_or(|last| LABEL <= top - last);
        if has_label {
            labelled = Some(top);
        }
        let tip = match timeline.scale() {
            Scale::Time => tip(row, plan.window.start),
            Scale::Steps(_) => step_tip(row),
        };
        body(&mut svg, &plan, row, top, has_label.then(|| label(row)), &tip);
    }
    legend(&mut svg, &rows, plan.bottom + px(26));
    svg.push_str("</svg>\n");
    svg
}

/// Summarises the number of bodies, the total time, the peak of bodies at once, and the outcomes.
fn summary(timeline: &Timeline, rows: &[Row<'_>], window: Span) -> String {
    let (mut now, mut peak) = (0_usize, 0);
    for event in timeline.events() {
        match event.kind {
            EventKind::Queued => now += 1,
            kind if kind.is_completion() => now -= 1,
            _ => {}
        }
        peak = peak.max(now);
    }
    let counts = outcome_counts(rows).into_iter().map(|(name, count)| format!("{count} {name}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    if let Scale::Steps(clock) = timeline.scale() {
        let polls: usize = rows.iter().map(|row| row.runs.len()).sum();
        let took = short(clock.last().map_or(Duration::ZERO, |advance| advance.to));
        return format!(
            "{}, {}, {took}: {counts}",
            plural(rows.len(), "task"),
            plural(polls, "poll")
        );
    }
    let bodies = match rows.len() {
        0 => return "no bodies".to_owned(),
        1 => "1 body".to_owned(),
        many => format!("{many} bodies"),
    };
    format!("{bodies} in {}, at most {peak} at once: {counts}", short(window.duration()))
}

/// Counts the bodies by outcome.
fn outcome_counts(rows: &[Row<'_>]) -> Vec<(&'static str, usize)> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(outcome_name(row.outcome)).or_insert(0) += 1;
    }
    let order = ["done", "failed", "panicked", "cancelled", "running"];
    order.iter().filter_map(|name| Some((*name, *counts.get(name)?))).collect()
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The least distance between two labels of the axis.
const AXIS_LABEL: Px = px(48);

/// Draws a line where the clock has advanced, with the time where that fits.
fn step_axis(svg: &mut String, plan: &Plan, clock: &[ClockAdvance]) {
    let (above, bottom) = (TOP - px(6), plan.bottom + px(4));
    let start = ClockAdvance { at: Duration::ZERO, to: Duration::ZERO };
    let mut labelled: Option<Px> = None;
    let mut drawn = None;
    for advance in [start].iter().chain(clock) {
        let x = plan.x(advance.at);
        if drawn.replace(x) == Some(x) {
            continue;
        }
        write!(svg, "<path class=\"grid\" d=\"M{x} {above}V{bottom}\"/>").expect(WRITES);
        if labelled.is_none_or(|last| AXIS_LABEL <= x - last) {
            labelled = Some(x);
            let (time, y) = (short(advance.to), TOP - px(11));
            write!(
                svg,
                "<text class=\"faint\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{time}</text>"
            )
            .expect(WRITES);
        }
        svg.push('\n');
    }
}

/// Draws grid lines at round times, with their labels.
fn time_axis(svg: &mut String, plan: &Plan) {
    let span = plan.window.duration().as_nanos();
    let (unit, size) = UNITS.into_iter().find(|(_, size)| *size <= span).unwrap_or(("s", 1));
    let step = step(span);
    let (above, bottom) = (TOP - px(6), plan.bottom + px(4));
    let mut at = 0;
    while at <= span {
        let since = Duration::from_secs(u64::try_from(at / 1_000_000_000).unwrap_or(u64::MAX))
            + Duration::from_nanos((at % 1_000_000_000) as u64);
        let x = plan.x(plan.window.start + since);
        // The size of a unit is a power of ten, so the division is exact.
        let value = decimal(at, size.ilog10());
        writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x} {above}V{bottom}\"/>\
             <text class=\"faint\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{value} {unit}</text>",
            TOP - px(11),
        )
        .expect(WRITES);
        at += step;
    }
}

/// Returns the distance of the grid lines in nanoseconds: 1, 2 or 5 times a power of ten, for at most nine
/// lines.
fn step(span: u128) -> u128 {
    let mut power = 1;
    loop {
        for step in [power, 2 * power, 5 * power] {
            if span <= 8 * step {
                return step;
            }
        }
        power *= 10;
    }
}

/// Returns the label of a row, with a shortened name if it is too long.
fn label(row: &Row<'_>) -> String {
    let label = row.label();
    let letters = label.chars().count();
    if letters <= LETTERS {
        return label;
    }
    let name = row.name.chars().count();
    let kept: String =
        row.name.chars().take((name + LETTERS).saturating_sub(letters + 1)).collect();
    let behind: String = label.chars().skip(name).collect();
    format!("{kept}\u{2026}{behind}")
}

/// Draws a body: its label, its bar, and the mark of its outcome.
fn body(svg: &mut String, plan: &Plan, row: &Row<'_>, top: Px, label: Option<String>, tip: &str) {
    let middle = top + Px(plan.row.0 / 2);
    // Thin rows have no gap between them.
    let space = if px(6) <= plan.row { Px(plan.row.0 * 3 / 11) } else { Px(0) };
    let (upper, lower) = (top + Px(space.0 / 2), top + plan.row - Px(space.0 / 2));
    write!(svg, "<g><title>{}</title>", xml(tip)).expect(WRITES);
    if let Some(label) = label {
        write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            plan.left - px(12),
            middle + px(4),
            xml(&label),
        )
        .expect(WRITES);
    }

    let bar = (
        plan.x(row.lifetime.start),
        plan.x(row.lifetime.end).max(plan.x(row.lifetime.start) + px(1)),
    );
    // Parts narrower than half a pixel are not visible, and are left out.
    let is_seen = |part: &(Px, Px)| 50 <= (part.1 - part.0).0;
    let mut ready = plan.across(&row.ready, Px(0), bar);
    ready.retain(is_seen);
    let runs = plan.across(&row.runs, px(1), bar);
    for (class, parts) in [("wait", &vec![bar]), ("ready", &ready), ("run", &runs)] {
        if parts.is_empty() {
            continue;
        }
        write!(svg, "<path class=\"{class}\" d=\"").expect(WRITES);
        for (left, right) in parts {
            write!(svg, "M{left} {upper}H{right}V{lower}H{left}z").expect(WRITES);
        }
        svg.push_str("\"/>");
    }
    if px(4) <= plan.row {
        // The mark is as large as the row allows.
        let radius = Px((plan.row.0 / 4).min(500));
        mark(svg, outcome_name(row.outcome), bar.1, middle, radius);
    }
    svg.push_str("</g>\n");
}

/// As [`tip`], for a task of a schedule.
fn step_tip(row: &Row<'_>) -> String {
    let step = |at: Duration| at.as_nanos() / STEP.as_nanos() + 1;
    let outcome = match row.outcome {
        None => "still running".to_owned(),
        // It has completed at the end of a step, or in the middle of another task's.
        outcome => {
            let end = row.lifetime.end.as_nanos().div_ceil(STEP.as_nanos());
            format!("{} in step {end}", outcome_name(outcome))
        }
    };
    let steps: Vec<_> = row.runs.iter().map(|run| step(run.start).to_string()).collect();
    let polls = match &steps[..] {
        [] => "never polled".to_owned(),
        [one] => format!("polled in step {one}"),
        many if many.len() <= 12 => format!("polled in steps {}", many.join(", ")),
        many => {
            format!("polled in {} steps from {} to {}", many.len(), many[0], many[many.len() - 1])
        }
    };
    format!("{}: spawned in step {}, {polls}, {outcome}", row.label(), step(row.lifetime.start))
}

/// Returns the text shown when the pointer is on a row.
fn tip(row: &Row<'_>, start: Duration) -> String {
    let since = |at: Duration| short(at.saturating_sub(start));
    let polls = match row.runs.len() {
        1 => "1 poll".to_owned(),
        many => format!("{many} polls"),
    };
    let start = match row.started {
        Some(at) if at != row.lifetime.start => format!(", started at {}", since(at)),
        Some(_) => String::new(),
        None => ", never polled".to_owned(),
    };
    format!(
        "{}: queued at {}{start}, {} at {}; {polls}, busy for {}",
        row.label(),
        since(row.lifetime.start),
        outcome_name(row.outcome),
        since(row.lifetime.end),
        short(row.busy()),
    )
}

/// Draws the mark of an outcome: a disc, a cross, a triangle, a hollow square; an arrow for a running body.
fn mark(svg: &mut String, end: &str, x: Px, y: Px, r: Px) {
    let (left, right, upper, lower) = (x - r, x + r, y - r, y + r);
    let (class, path) = match end {
        "done" => (
            "mark done",
            format!("M{left} {y}A{r} {r} 0 1 0 {right} {y}A{r} {r} 0 1 0 {left} {y}z"),
        ),
        "failed" => (
            "line failed",
            format!("M{left} {upper}L{right} {lower}M{right} {upper}L{left} {lower}"),
        ),
        "panicked" => (
            "mark panicked",
            format!("M{x} {}L{} {lower}H{}z", upper - px(1), right + px(1), left - px(1)),
        ),
        "cancelled" => ("cancelled", format!("M{left} {upper}H{right}V{lower}H{left}z")),
        _ => ("line running", format!("M{x} {upper}L{right} {y}L{x} {lower}")),
    };
    if class.starts_with("line") {
        // An outline in the colour of the page keeps a line visible on any background.
        write!(svg, "<path class=\"mark open\" d=\"{path}\"/>").expect(WRITES);
    }
    write!(svg, "<path class=\"{class}\" d=\"{path}\"/>").expect(WRITES);
}

/// Explains the colours, and those marks that occur.
fn legend(svg: &mut String, rows: &[Row<'_>], y: Px) {
    let mut x = MARGIN;
    let text = |svg: &mut String, x: &mut Px, text: &str| {
        writeln!(svg, "<text x=\"{}\" y=\"{}\">{text}</text>", *x, y + px(4)).expect(WRITES);
        *x = *x + Px(580 * text.len() as u64) + px(20);
    };
    let colours = [("ready", "ready"), ("wait", "waiting"), ("run", "being polled")];
    for (class, meaning) in colours {
        let (upper, right, lower) = (y - px(6), x + px(18), y + px(6));
        write!(svg, "<path class=\"{class}\" d=\"M{x} {upper}H{right}V{lower}H{x}z\"/>")
            .expect(WRITES);
        x = right + px(6);
        text(svg, &mut x, meaning);
    }
    for (outcome, _) in outcome_counts(rows) {
        x = x + px(10);
        mark(svg, outcome, x, y, px(5));
        x = x + px(10);
        text(svg, &mut x, if outcome == "running" { "still running" } else { outcome });
    }
}
