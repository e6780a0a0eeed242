//! One measurement, printed as lines of a name and a number.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::meter::{Clock, Heap, Measure, Meter, Reading};
use crate::peers::{Kind, Peer};
use crate::workloads::Block;

/// How long samples of a time are taken.
const SAMPLING_TIME: Duration = Duration::from_millis(80);
const MAX_SAMPLES: usize = 15;

/// Runs the measurement that the arguments select: a block, a peer, a measure, and the number of items.
pub(crate) fn main(arguments: impl Iterator<Item = String>, heap: Option<&dyn Heap>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let Some((block, peer, measure, n)) = parse(&arguments) else {
        eprintln!("error: not a measurement: {}", arguments.join(" "));
        return ExitCode::from(2);
    };
    let clock = match peer.kind() {
        Kind::Inline | Kind::OneThread => Clock::Cpu,
        Kind::TwoThreads => Clock::Wall,
    };
    let mut meter = Meter::new(measure, clock, heap);
    match measure {
        // For the exact figures no time passes: loops yield when a turn has lasted long, as it may on a busy machine.
        Measure::Time => {
            forloop_budget::follow_system();
            time(&block, peer, n, &mut meter);
        }
        _ => exact(&block, peer, n, &mut meter),
    }
    ExitCode::SUCCESS
}

fn parse(arguments: &[String]) -> Option<(Block, Peer, Measure, usize)> {
    let [block, peer, measure, n] = arguments else { return None };
    let peer = Peer::ALL.into_iter().find(|one| one.name() == peer)?;
    let measure = Measure::ALL.into_iter().find(|one| one.name() == measure)?;
    Some((Block::named(block)?, peer, measure, n.parse().ok()?))
}

/// Prints the median time of several runs after a warm-up run.
fn time(block: &Block, peer: Peer, n: usize, meter: &mut Meter<'_>) {
    let repeats = block.repeats(n);
    let mut once = || {
        block.run(peer, n, repeats, meter);
        match meter.take() {
            Some(Reading::Time(time)) => time.as_secs_f64() * 1e9 / (n * repeats) as f64,
            other => unreachable!("measured a time, got {other:?}"),
        }
    };
    let start = Instant::now();
    let first = once();
    let mut samples = Vec::new();
    while samples.len() < MAX_SAMPLES && start.elapsed() < SAMPLING_TIME {
        samples.push(once());
    }
    if samples.is_empty() {
        // A run this long needs no warm-up.
        samples.push(first);
    }
    println!("time {}", median(&mut samples));
}

fn exact(block: &Block, peer: Peer, n: usize, meter: &mut Meter<'_>) {
    // Run once before counting, so that allocations per process or thread are not counted.
    let measure = std::mem::replace(&mut meter.measure, Measure::Nothing);
    block.run(peer, n.min(10), 1, meter);
    meter.measure = measure;
    block.run(peer, n, 1, meter);
    match meter.take() {
        Some(Reading::Polls(mut counted)) => {
            // Other work may interrupt a poll of the loop, so the shortest of a few runs counts.
            for _ in 0..2 {
                block.run(peer, n, 1, meter);
                if let Some(Reading::Polls(again)) = meter.take() {
                    counted.longest_poll = counted.longest_poll.min(again.longest_poll);
                }
            }
            println!("polls {}", counted.polls);
            println!("longest-poll {}", counted.longest_poll);
            println!("most-polls {}", counted.most_polls);
        }
        Some(Reading::Heap { allocations, bytes }) => {
            println!("allocations {allocations}");
            println!("bytes {bytes}");
        }
        _ => {}
    }
}

/// Returns the middle sample, or the mean of the two in the middle.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() % 2 {
        0 => f64::midpoint(samples[middle - 1], samples[middle]),
        _ => samples[middle],
    }
}
