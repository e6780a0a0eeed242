//! The measured figures: a cell for each peer in each block.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::child::median;
use crate::peers::{Kind, Peer};
use crate::workloads::Block;

/// All figures of a run, in the order of the table.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) cells: Vec<Cell>,
    /// The time limit of one measurement.
    pub(crate) limit: Duration,
    /// Why no instructions were counted, if none were.
    pub(crate) no_instructions: Option<String>,
    pub(crate) quick: bool,
}

/// The time per item, in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Time {
    /// One sample for each repetition.
    Samples(Vec<f64>),
    /// The measurement exceeded its time limit.
    TimedOut,
    /// The measurement failed; the error was printed then.
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) block: Block,
    pub(crate) peer: Peer,
    /// The number of items in the timed runs.
    pub(crate) n: usize,
    pub(crate) time: Time,
    /// The number of items in the counted runs.
    pub(crate) exact_n: usize,
    /// The exact figures, by the names that the child prints, each for all items together.
    pub(crate) exact: BTreeMap<String, f64>,
    pub(crate) instructions: Option<f64>,
}

impl Cell {
    pub(crate) fn new(block: Block, peer: Peer, n: usize) -> Self {
        let time = Time::Samples(Vec::new());
        Self { block, peer, n, time, exact_n: n, exact: BTreeMap::new(), instructions: None }
    }

    pub(crate) fn add_time(&mut self, figures: &BTreeMap<String, f64>) {
        if let (Time::Samples(samples), Some(&time)) = (&mut self.time, figures.get("time")) {
            samples.push(time);
        }
    }

    pub(crate) fn add_exact(&mut self, figures: &BTreeMap<String, f64>, n: usize) {
        self.exact_n = n;
        self.exact.extend(figures.iter().map(|(name, &figure)| (name.clone(), figure)));
    }

    /// Returns the median time, in nanoseconds per item.
    pub(crate) fn nanos(&self) -> Option<f64> {
        match &self.time {
            Time::Samples(samples) if !samples.is_empty() => Some(median(&mut samples.clone())),
            _ => None,
        }
    }

    /// Whether the time was read from the wall clock.
    pub(crate) fn is_wall_time(&self) -> bool {
        self.peer.kind() == Kind::TwoThreads
    }

    pub(crate) fn allocations(&self) -> Option<f64> {
        Some(self.exact.get("allocations")? / self.exact_n as f64)
    }

    pub(crate) fn polls(&self) -> Option<f64> {
        // Polls of bodies that fail or are cancelled do not describe the teardown of the loop.
        self.block.due_polls()?;
        Some(self.exact.get("polls")? / self.exact_n as f64)
    }

    /// Returns the most bytes held per body that is pending at once, beyond the futures, and beyond the
    /// outputs if the loop returns them together.
    pub(crate) fn bytes(&self) -> Option<f64> {
        if self.peer == Peer::Sequential {
            return None;
        }
        let (pending, size) = self.block.pending(self.exact_n)?;
        let outputs =
            if self.peer.keeps_outputs() { self.block.output_bytes(self.exact_n) } else { 0 };
        let own = (pending * size + outputs) as f64;
        // A loop that polls each body before it takes the next may never hold all of them.
        Some((self.exact.get("bytes")? - own).max(0.0) / pending as f64)
    }

    /// Returns the longest poll of the loop in microseconds, if the loop polls its bodies itself.
    pub(crate) fn longest_poll(&self) -> Option<f64> {
        self.polls_bodies()?;
        Some(self.exact.get("longest-poll")? / 1000.0)
    }

    /// Returns the most polls of bodies in one poll of the loop, if the loop polls its bodies itself.
    pub(crate) fn most_polls(&self) -> Option<f64> {
        self.polls_bodies()?;
        self.exact.get("most-polls").copied()
    }

    fn polls_bodies(&self) -> Option<()> {
        (self.peer.kind() == Kind::Inline && *self.exact.get("longest-poll")? > 0.0).then_some(())
    }
}
