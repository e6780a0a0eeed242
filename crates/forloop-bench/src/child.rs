//! One measurement, printed as lines of a name and a number.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::Heap;
use crate::meter::{Clock, Measure, Meter, Reading};
use crate::peers::{Kind, Peer};
use crate::workloads::Block;

/// How long to go on taking samples of a time.
const LONG_ENOUGH: Duration = Duration::from_millis(80);
const MOST_SAMPLES: usize = 15;

/// Measures what the arguments say: a block, a peer, what to measure, and how many items.
pub(crate) fn main(arguments: impl Iterator<Item = String>, heap: Option<&dyn Heap>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let Some((block, peer, measure, n)) = understood(&arguments) else {
        eprintln!("error: not a measurement: {}", arguments.join(" "));
        return ExitCode::from(2);
    };
    let clock = match peer.kind() {
        Kind::Inline | Kind::OneThread => Clock::Cpu,
        Kind::TwoThreads => Clock::Wall,
    };
    let mut meter = Meter::new(measure, clock, heap);
    match measure {
        Measure::Time => time(&block, peer, n, &mut meter),
        _ => exact(&block, peer, n, &mut meter),
    }
    ExitCode::SUCCESS
}

fn understood(arguments: &[String]) -> Option<(Block, Peer, Measure, usize)> {
    let [block, peer, measure, n] = arguments else { return None };
    let peer = Peer::ALL.into_iter().find(|one| one.name() == peer)?;
    let measure = Measure::ALL.into_iter().find(|one| one.name() == measure)?;
    Some((Block::named(block)?, peer, measure, n.parse().ok()?))
}

/// The median of several runs behind one that warms up.
fn time(block: &Block, peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let repeats = block.repeats(n);
    let mut once = || {
        block.run(peer, n, repeats, meter);
        match meter.take() {
            Some(Reading::Time(time)) => time.as_secs_f64() * 1e9 / (n * repeats) as f64,
            other => unreachable!("asked for a time, got {other:?}"),
        }
    };
    let begun = Instant::now();
    let first = once();
    let mut samples = Vec::new();
    while samples.len() < MOST_SAMPLES && begun.elapsed() < LONG_ENOUGH {
        samples.push(once());
    }
    if samples.is_empty() {
        // So long a run warms up itself.
        samples.push(first);
    }
    println!("time {}", median(&mut samples));
}

fn exact(block: &Block, peer: Peer, n: usize, meter: &mut Meter<'_>) {
    // What is made once per process or thread is made before anything is counted.
    let measure = std::mem::replace(&mut meter.measure, Measure::Nothing);
    block.run(peer, n.min(10), 1, meter);
    meter.measure = measure;
    block.run(peer, n, 1, meter);
    match meter.take() {
        Some(Reading::Polls(mut counted)) => {
            // A turn may have been interrupted by what else the machine does: the shortest of a few.
            for _ in 0..2 {
                block.run(peer, n, 1, meter);
                if let Some(Reading::Polls(again)) = meter.take() {
                    counted.longest_turn = counted.longest_turn.min(again.longest_turn);
                }
            }
            println!("polls {}", counted.polls);
            println!("longest-turn {}", counted.longest_turn);
            println!("most-polls {}", counted.most_polls);
        }
        Some(Reading::Heap { allocations, bytes }) => {
            println!("allocations {allocations}");
            println!("bytes {bytes}");
        }
        _ => {}
    }
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() % 2 {
        0 => f64::midpoint(samples[middle - 1], samples[middle]),
        _ => samples[middle],
    }
}
