//! The targets, and the figures that were reached.

use std::fmt::Write;

use crate::cell::{Cell, Measured};
use crate::peers::{Kind, Peer};

use crate::report::table::{growth, short};

/// A figure with a target.
#[derive(Debug, Clone, Copy)]
enum Figure {
    /// The time of the fastest peer that runs bodies in the caller's task, divided by ours.
    BestInTask,
    /// The time of futures-util's `FuturesUnordered`, alone or in its streams, divided by ours.
    FuturesUnordered,
    /// The time on one core, divided by our fastest time on two.
    SpeedUp,
    /// The time of tokio's `JoinSet`, divided by our fastest time, both on two threads.
    JoinSetTwo,
    /// The time of a peer, divided by that of another.
    Time(Peer, Peer),
    /// The same with instructions.
    Instructions(Peer, Peer),
    /// The time of a peer, divided by its time in another block.
    TimeThere(Peer, &'static str),
    Allocations,
    AllocationsInAll,
    Bytes,
    Growth,
    Polls,
    MostPolls,
}

use Figure::{
    Allocations, AllocationsInAll, BestInTask, Bytes, FuturesUnordered, Growth, Instructions,
    JoinSetTwo, MostPolls, Polls, SpeedUp, Time, TimeThere,
};
use Peer::{
    Detached, DetachedTwo, Forloop, ForloopParallelTwo, ForloopSmol, ForloopSmolTwo, ForloopStream,
    ForloopStreamForEach, ForloopTokio, ForloopTokioTwo, ForloopWorkersTokioTwo, FuturesJoinAll,
    JoinSet, RayonTwo,
};

/// A minimum for times of others divided by ours; a maximum for our own costs, and for ours divided by those of others.
const TARGETS: &[(&str, Figure, f64)] = &[
    ("W1-10", BestInTask, 1.0),
    ("W1-10", FuturesUnordered, 9.0),
    ("W1-1k", BestInTask, 10.0),
    ("W1-1k", FuturesUnordered, 30.0),
    ("W1-100k", BestInTask, 10.0),
    ("W1-100k", FuturesUnordered, 30.0),
    ("W1-wide", BestInTask, 8.0),
    ("W1-wide", FuturesUnordered, 20.0),
    ("W2-10k", BestInTask, 5.0),
    ("W2-10k", FuturesUnordered, 12.0),
    ("W2-tokio", BestInTask, 5.0),
    ("W2-tokio", FuturesUnordered, 20.0),
    ("W3s-10k", BestInTask, 1.25),
    ("W3s-10k", FuturesUnordered, 1.7),
    ("W3s-100k", BestInTask, 1.35),
    ("W3s-100k", FuturesUnordered, 2.3),
    ("W3t-100k", BestInTask, 1.2),
    ("W3t-100k", FuturesUnordered, 2.0),
    ("W4-64", BestInTask, 8.0),
    ("W4-64", FuturesUnordered, 20.0),
    ("W4-1024", BestInTask, 8.0),
    ("W4-1024", FuturesUnordered, 20.0),
    ("W5-tokio", BestInTask, 1.0),
    ("W5-tokio", FuturesUnordered, 1.2),
    ("W5-async-io", BestInTask, 1.0),
    ("W5-async-io", FuturesUnordered, 1.2),
    ("W5-async-std", BestInTask, 1.0),
    ("W5-async-std", FuturesUnordered, 1.2),
    ("W8", BestInTask, 1.5),
    ("W8", FuturesUnordered, 2.3),
    ("W1-10", Time(Forloop, FuturesJoinAll), 1.5),
    ("W1-1k", Time(ForloopTokio, JoinSet), 1.0),
    ("W2-10k", Time(ForloopTokio, JoinSet), 1.0),
    ("W4-64", Time(ForloopTokio, JoinSet), 1.0),
    ("W4-1024", Time(ForloopTokio, JoinSet), 1.0),
    ("W5-tokio", Time(ForloopTokio, JoinSet), 1.0),
    ("W8", Time(ForloopTokio, JoinSet), 1.0),
    ("W1-1k", Time(ForloopTokioTwo, Peer::JoinSetTwo), 1.0),
    ("W2-10k", Time(ForloopTokioTwo, Peer::JoinSetTwo), 1.0),
    ("W4-64", Time(ForloopTokioTwo, Peer::JoinSetTwo), 1.0),
    ("W4-1024", Time(ForloopTokioTwo, Peer::JoinSetTwo), 1.0),
    ("W1-1k", Time(ForloopSmol, Detached), 1.1),
    ("W2-10k", Time(ForloopSmol, Detached), 1.1),
    ("W4-64", Time(ForloopSmol, Detached), 1.1),
    ("W4-1024", Time(ForloopSmol, Detached), 1.1),
    ("W5-async-io", Time(ForloopSmol, Detached), 1.1),
    ("W1-1k", Time(ForloopSmolTwo, DetachedTwo), 1.1),
    ("W2-10k", Time(ForloopSmolTwo, DetachedTwo), 1.1),
    ("W4-64", Time(ForloopSmolTwo, DetachedTwo), 1.1),
    ("W4-1024", Time(ForloopSmolTwo, DetachedTwo), 1.1),
    ("W1-1k", Instructions(ForloopTokio, JoinSet), 1.0),
    ("W2-10k", Instructions(ForloopTokio, JoinSet), 1.0),
    ("W4-64", Instructions(ForloopTokio, JoinSet), 1.0),
    ("W8", Instructions(ForloopTokio, JoinSet), 1.0),
    ("W1-1k", Instructions(ForloopSmol, Detached), 1.1),
    ("W2-10k", Instructions(ForloopSmol, Detached), 1.1),
    ("W4-64", Instructions(ForloopSmol, Detached), 1.1),
    ("W1-100k", Time(ForloopStream, Forloop), 1.5),
    ("W1-100k", Time(ForloopStreamForEach, Forloop), 1.5),
    ("W4-64", Time(ForloopStream, Forloop), 1.5),
    ("W4-64", Time(ForloopStreamForEach, Forloop), 1.5),
    ("W1-100k", Time(ForloopWorkersTokioTwo, Forloop), 1.0),
    ("W2-10k", Time(ForloopWorkersTokioTwo, Forloop), 1.0),
    ("W4-64", Time(ForloopWorkersTokioTwo, Forloop), 1.0),
    ("W9", Time(ForloopParallelTwo, RayonTwo), 5.0),
    ("W9", Time(ForloopWorkersTokioTwo, RayonTwo), 5.0),
    ("W10-all", TimeThere(ForloopWorkersTokioTwo, "W10-none"), 2.0),
    ("W10-all", TimeThere(Forloop, "W10-none"), 2.0),
    ("W6", SpeedUp, 1.96),
    ("W4-64", JoinSetTwo, 80.0),
    ("W4-64", Allocations, 0.0005),
    ("W4-1024", Allocations, 0.0005),
    // Eight for each doubling of the number of items: a bound that grows logarithmically.
    ("W1-100k", AllocationsInAll, 133.0),
    ("W2-100k", AllocationsInAll, 133.0),
    ("W3s-100k", AllocationsInAll, 133.0),
    ("W2-100k", Bytes, 4.0),
    ("W3s-100k", Bytes, 4.0),
    ("W4-1024", Bytes, 4.0),
    ("W1-100k", Growth, 1.05),
    ("W2-100k", Growth, 1.05),
    ("W3s-100k", Growth, 1.05),
    ("W7-fail-100k", Growth, 1.05),
    ("W7-cancel-100k", Growth, 1.05),
    ("W7-drop-100k", Growth, 1.05),
    ("W1-100k", Polls, 1.0),
    ("W2-100k", Polls, 5.0),
    ("W3s-100k", Polls, 2.0),
    ("W3t-100k", Polls, 2.0),
    ("W4-64", Polls, 2.0),
    ("W4-1024", Polls, 2.0),
    ("W1-100k", MostPolls, 256.0),
    ("W2-100k", MostPolls, 256.0),
    ("W2-tokio", MostPolls, 256.0),
    ("W3t-100k", MostPolls, 256.0),
    ("W4-1024", MostPolls, 256.0),
    ("W8", MostPolls, 256.0),
];

impl Figure {
    fn title(self) -> String {
        let title = match self {
            Time(of, by) => return format!("time of {} / {}", of.name(), by.name()),
            Instructions(of, by) => {
                return format!("instructions of {} / {}", of.name(), by.name());
            }
            TimeThere(of, there) => return format!("time of {} / in {there}", of.name()),
            BestInTask => "time of the best in-task peer / ours",
            FuturesUnordered => "time of FuturesUnordered / ours",
            SpeedUp => "time of one core / ours on two",
            JoinSetTwo => "time of tokio JoinSet x2 / ours x2",
            Allocations => "allocations per item",
            AllocationsInAll => "allocations in all",
            Bytes => "bytes per pending item",
            Growth => "growth exponent",
            Polls => "polls per item",
            MostPolls => "most body polls in a loop poll",
        };
        title.to_owned()
    }

    /// Whether a larger figure is better.
    fn is_ratio(self) -> bool {
        matches!(self, BestInTask | FuturesUnordered | SpeedUp | JoinSetTwo)
    }

    /// Returns the figure, and the name of the peer that it is compared with.
    fn reached(self, block: &[&Cell], measured: &Measured) -> Option<(f64, &'static str)> {
        let ours = block.iter().find(|cell| cell.peer == Peer::Forloop);
        let nanos = |peer| block.iter().find(|cell| cell.peer == peer)?.nanos();
        let fastest = |is: &dyn Fn(Peer) -> bool| {
            let cells = block.iter().filter(|cell| is(cell.peer));
            let times = cells.filter_map(|cell| Some((cell.nanos()?, cell.peer.name())));
            times.min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let ours_two = || fastest(&|peer| peer.is_ours() && peer.kind() == Kind::TwoThreads);
        let unnamed = |figure: Option<f64>| figure.map(|figure| (figure, ""));
        match self {
            BestInTask => {
                let (time, name) = fastest(&is_in_task_peer)?;
                Some((time / ours?.nanos()?, name))
            }
            FuturesUnordered => {
                let is = |peer| matches!(peer, Peer::FuturesUnordered | Peer::FuturesForEach);
                let (time, name) = fastest(&is)?;
                Some((time / ours?.nanos()?, name))
            }
            SpeedUp => {
                ours_two().and_then(|(ours, name)| Some((nanos(Peer::Sequential)? / ours, name)))
            }
            JoinSetTwo => {
                ours_two().and_then(|(ours, name)| Some((nanos(Peer::JoinSetTwo)? / ours, name)))
            }
            Time(of, by) => unnamed(nanos(of).and_then(|of| Some(of / nanos(by)?))),
            Instructions(of, by) => {
                let instructions = |peer| block.iter().find(|cell| cell.peer == peer)?.instructions;
                unnamed(instructions(of).and_then(|of| Some(of / instructions(by)?)))
            }
            TimeThere(of, there) => {
                let is_there = |cell: &&Cell| cell.peer == of && cell.block.name == there;
                let there = measured.cells.iter().find(is_there)?.nanos()?;
                unnamed(nanos(of).map(|here| here / there))
            }
            Allocations => unnamed(ours?.allocations()),
            AllocationsInAll => unnamed(ours?.exact.get("allocations").copied()),
            Bytes => unnamed(ours?.bytes()),
            Growth => unnamed(growth(ours?, measured)),
            Polls => unnamed(ours?.polls()),
            MostPolls => unnamed(ours?.most_polls()),
        }
    }
}

fn is_in_task_peer(peer: Peer) -> bool {
    peer.kind() == Kind::Inline && !peer.is_ours() && peer != Peer::Sequential
}

/// Formats a line for each target whose block was measured.
pub(crate) fn targets(measured: &Measured) -> String {
    let mut text = String::from("\nTargets\n");
    for &(name, figure, target) in TARGETS {
        let block: Vec<&Cell> =
            measured.cells.iter().filter(|cell| cell.block.name == name).collect();
        if block.is_empty() {
            continue;
        }
        let (sign, unit) = if figure.is_ratio() { (">=", "x") } else { ("<=", "") };
        let (reached, verdict, by) = match figure.reached(&block, measured) {
            None => ("-".to_owned(), "not measured", ""),
            Some((reached, by)) => {
                let is_met = if figure.is_ratio() { target <= reached } else { reached <= target };
                (precise(reached), if is_met { "met" } else { "MISSED" }, by)
            }
        };
        let by = if by.is_empty() { String::new() } else { format!(" ({by})") };
        let _ = writeln!(
            text,
            "  {name:<15}{:<62}{sign} {:>7}{unit:<2}{reached:>9}{unit:<3}{verdict}{by}",
            figure.title(),
            precise(target),
        );
    }
    text
}

fn precise(n: f64) -> String {
    match n {
        n if n.fract() == 0.0 => format!("{n}"),
        n if n.abs() < 0.01 => format!("{n:.4}"),
        n => short(n),
    }
}
