//! A chart of the times: a group for each kind of loop, a panel for each workload, a bar for each peer.

use std::fmt::Write;

use crate::cell::{Cell, Measured, Time};
use crate::peers::{Kind, Peer};

use crate::report::machine;
use crate::report::table::short;

/// A group of panels: loops of one kind, beside what else does the same.
struct Group {
    title: &'static str,
    kind: Kind,
    /// The blocks shown, with the titles of their panels.
    panels: &'static [(&'static str, &'static str)],
}

const GROUPS: [Group; 3] = [
    Group {
        title: "in the caller's task: processor time per item on one thread",
        kind: Kind::Inline,
        panels: &[
            ("W1-1k", "ready at the first poll, 1,000"),
            ("W2-10k", "each yields four times, 10,000"),
            ("W3s-10k", "woken by the same thread, 10,000"),
            ("W3t-100k", "woken by another thread, 100,000"),
            ("W4-64", "lazy items, at most 64 at once"),
            ("W4-1024", "lazy items, at most 1,024 at once"),
            ("W5-tokio", "timers of 1 to 50 ms on tokio"),
            ("W8", "all queue on one tokio Mutex"),
        ],
    },
    Group {
        title: "a task for each body: processor time per item on one thread",
        kind: Kind::OneThread,
        panels: &[
            ("W1-1k", "ready at the first poll, 1,000"),
            ("W2-10k", "each yields four times, 10,000"),
            ("W4-64", "lazy items, at most 64 at once"),
            ("W5-tokio", "timers of 1 to 50 ms on tokio"),
        ],
    },
    Group {
        title: "on two cores: time per item by the wall clock",
        kind: Kind::TwoThreads,
        panels: &[
            ("W1-100k", "ready at the first poll, 100,000"),
            ("W4-64", "lazy items, at most 64 at once"),
            ("W6", "twenty microseconds of compute each"),
            ("W9", "a million cheap items, summed"),
        ],
    },
];

const PANEL: f64 = 430.0;
const NAMES: f64 = 168.0;
const BARS: f64 = 202.0;
const BAR: f64 = 15.0;
/// The time at the left edge of the bars in nanoseconds, and their length in powers of ten.
const FROM: f64 = 1.0;
const POWERS: f64 = 5.0;

/// Draws an SVG picture, for light and dark pages.
pub(crate) fn chart(measured: &Measured) -> String {
    let (mut panels, mut height) = (String::new(), 62.0);
    for Group { title, kind, panels: blocks } in GROUPS {
        let mut below = [height + 24.0; 2];
        let mut group = String::new();
        for &(name, panel_title) in blocks {
            let cells = measured.cells.iter().filter(|cell| cell.block.name == name);
            let mut rows: Vec<&Cell> = cells.filter(|cell| is_shown(cell, kind)).collect();
            if rows.is_empty() {
                continue;
            }
            rows.sort_by(|a, b| length(a).total_cmp(&length(b)));
            // The next panel goes to the shorter column.
            let column = usize::from(below[1] < below[0]);
            let left = 10.0 + column as f64 * PANEL;
            below[column] += panel(&mut group, (left, below[column]), (name, panel_title), &rows);
        }
        if !group.is_empty() {
            let _ = writeln!(
                panels,
                "<text class=\"name\" x=\"10\" y=\"{height}\">{title}</text>{group}"
            );
            height = below[0].max(below[1]) + 14.0;
        }
    }
    let (width, height) = (2.0 * PANEL + 20.0, height + 12.0);
    format!(
        "\
<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">
<title>What a concurrent loop costs: nanoseconds per item, by workload and library</title>
<style>{STYLE}</style>
<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>
<text class=\"title\" x=\"10\" y=\"24\">What a concurrent loop costs</text>
<text class=\"faint\" x=\"10\" y=\"42\">logarithmic; shorter is better</text>
{panels}<text class=\"faint\" x=\"10\" y=\"{}\">{}, {}; cargo xtask bench</text>
</svg>
",
        height - 10.0,
        machine::RUSTC,
        machine::target(),
    )
}

const STYLE: &str = "
.page{fill:#fff}text{fill:#24292f}.title{font-size:16px;font-weight:600}.name{font-weight:600}
.faint{fill:#57606a}.bar{fill:#afb8c1}.ours{fill:#0969da}.floor{fill:none;stroke:#afb8c1}
.grid{stroke:#d0d7de;stroke-width:.5}.mine{font-weight:600}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.faint{fill:#8d96a0}
.bar{fill:#484f58}.ours{fill:#4493f8}.floor{stroke:#484f58}.grid{stroke:#30363d}}
";

/// Draws a panel and returns its height.
fn panel(
    svg: &mut String,
    (left, top): (f64, f64),
    (name, title): (&str, &str),
    rows: &[&Cell],
) -> f64 {
    let _ = writeln!(svg, "<text class=\"name\" x=\"{left}\" y=\"{top}\">{name}: {title}</text>");
    let (bars, height) = (left + NAMES, rows.len() as f64 * BAR);
    for power in 0..=POWERS as i32 {
        let x = bars + BARS * f64::from(power) / POWERS;
        let (y1, y2) = (top + 6.0, top + 10.0 + height);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x} {y1}V{y2}\"/>");
        let unit =
            ["1 ns", "10 ns", "100 ns", "1 \u{b5}s", "10 \u{b5}s", "100 \u{b5}s"][power as usize];
        let _ = writeln!(
            svg,
            "<text class=\"faint\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"9\">{unit}</text>",
            y2 + 9.0,
        );
    }
    for (i, row) in rows.iter().enumerate() {
        let y = top + 8.0 + i as f64 * BAR;
        let class = match row.peer {
            peer if peer.is_ours() => "ours",
            Peer::Sequential => "floor",
            _ => "bar",
        };
        let (long, label) = (BARS * length(row), label(row));
        let mine = if row.peer.is_ours() { "mine" } else { "" };
        let _ = writeln!(
            svg,
            "<text class=\"{mine}\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{bars}\" y=\"{}\" width=\"{long:.1}\" height=\"{}\"/>\
             <text class=\"{mine}\" x=\"{:.1}\" y=\"{}\">{label}</text>",
            bars - 6.0,
            y + 11.0,
            row.peer.name(),
            y + 2.0,
            BAR - 4.0,
            bars + long + 4.0,
            y + 11.0,
        );
    }
    height + 46.0
}

/// Whether a cell is shown in a group: every form of a library, because the best form depends on the work. Beside tasks
/// and cores stands our loop in the caller's task.
fn is_shown(cell: &Cell, kind: Kind) -> bool {
    let is_here = match cell.peer {
        Peer::Forloop | Peer::Sequential => true,
        Peer::LocalExecutor => false,
        peer => peer.kind() == kind,
    };
    is_here && (cell.nanos().is_some() || cell.time == Time::TimedOut)
}

/// Returns the length of a bar, as a fraction of the longest possible.
fn length(cell: &Cell) -> f64 {
    let nanos = cell.nanos().unwrap_or(f64::INFINITY);
    ((nanos / FROM).log10() / POWERS).clamp(0.005, 1.0)
}

fn label(cell: &Cell) -> String {
    match cell.nanos() {
        Some(nanos) if nanos < 1000.0 => format!("{} ns", short(nanos)),
        Some(nanos) => format!("{} \u{b5}s", short(nanos / 1000.0)),
        None => "over the time limit".to_owned(),
    }
}
