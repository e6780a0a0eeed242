//! A row of the table: one peer in one block, and what was measured of it.

use std::collections::BTreeMap;

use crate::child::median;
use crate::peers::{Kind, Peer};
use crate::workloads::Block;

/// Nanoseconds per item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Time {
    /// What each repetition said.
    Samples(Vec<f64>),
    /// It was stopped at its time limit.
    OverLimit,
    /// It did not end well; why was said when it happened.
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) block: Block,
    pub(crate) peer: Peer,
    /// How many items its times are for.
    pub(crate) n: usize,
    pub(crate) time: Time,
    /// How many items the exact figures are for.
    pub(crate) exact_n: usize,
    /// The exact figures, by the names the child gives them, for all items together.
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

    /// The median of its times, in nanoseconds per item.
    pub(crate) fn nanos(&self) -> Option<f64> {
        match &self.time {
            Time::Samples(samples) if !samples.is_empty() => Some(median(&mut samples.clone())),
            _ => None,
        }
    }

    /// Whether its time is that on the wall.
    pub(crate) fn is_wall_time(&self) -> bool {
        self.peer.kind() == Kind::TwoThreads
    }

    pub(crate) fn allocations(&self) -> Option<f64> {
        Some(self.exact.get("allocations")? / self.exact_n as f64)
    }

    pub(crate) fn polls(&self) -> Option<f64> {
        // The polls of a body that fails or is stopped are none of the loop's cost at its end.
        self.block.due_polls()?;
        Some(self.exact.get("polls")? / self.exact_n as f64)
    }

    /// The most bytes held above the futures, and above the outputs if the loop returns them
    /// together, for each body that is pending at once.
    pub(crate) fn bytes(&self) -> Option<f64> {
        if self.peer == Peer::Sequential {
            return None;
        }
        let (pending, size) = self.block.pending(self.exact_n)?;
        let outputs =
            if self.peer.keeps_outputs() { self.block.output_bytes(self.exact_n) } else { 0 };
        let own = (pending * size + outputs) as f64;
        // A loop that polls a body before it takes the next may never hold them all.
        Some((self.exact.get("bytes")? - own).max(0.0) / pending as f64)
    }

    /// The longest turn in microseconds, where the loop polls its bodies itself.
    pub(crate) fn longest_turn(&self) -> Option<f64> {
        self.turns()?;
        Some(self.exact.get("longest-turn")? / 1000.0)
    }

    /// The most polls of bodies in one turn, where the loop polls its bodies itself.
    pub(crate) fn most_polls(&self) -> Option<f64> {
        self.turns()?;
        self.exact.get("most-polls").copied()
    }

    fn turns(&self) -> Option<()> {
        (self.peer.kind() == Kind::Inline && *self.exact.get("longest-turn")? > 0.0).then_some(())
    }
}
