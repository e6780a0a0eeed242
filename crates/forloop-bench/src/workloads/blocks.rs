//! The blocks: each workload at each of its sizes, in the order of the table.

use super::teardown::End;
use super::timers::Clockwork;
use crate::peers::options::Options;

/// A block of the table: one workload at one size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// The name that selects the block.
    pub(crate) name: &'static str,
    /// What its bodies do.
    pub(crate) title: &'static str,
    /// The number of items.
    pub(crate) n: usize,
    pub(crate) work: Work,
}

/// What the bodies do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Ready,
    ReadyWide,
    Yields,
    YieldsInTokio,
    WokenBySame,
    WokenByOther,
    Lazy { limit: usize },
    Timers(Clockwork),
    Compute,
    Teardown(End),
    Mutex,
    Sum,
    Options(Options),
}

impl Block {
    /// Returns the block with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        BLOCKS.iter().copied().find(|block| block.name == name)
    }
}

const fn block(name: &'static str, n: usize, work: Work, title: &'static str) -> Block {
    Block { name, title, n, work }
}

const fn with_options(name: &'static str, options: Options, title: &'static str) -> Block {
    block(name, 100_000, Work::Options(options), title)
}

/// All blocks.
pub(crate) const BLOCKS: &[Block] = &[
    block("W1-10", 10, Work::Ready, "ten bodies, ready at their first poll"),
    block("W1-1k", 1000, Work::Ready, "1,000 bodies, ready at their first poll"),
    block("W1-100k", 100_000, Work::Ready, "100,000 bodies, ready at their first poll"),
    block("W1-wide", 1000, Work::ReadyWide, "1,000 bodies of 256 bytes, ready at their first poll"),
    block("W2-1k", 1000, Work::Yields, "1,000 bodies, each yields four times"),
    block("W2-10k", 10_000, Work::Yields, "10,000 bodies, each yields four times"),
    block("W2-100k", 100_000, Work::Yields, "100,000 bodies, each yields four times"),
    block(
        "W2-tokio",
        10_000,
        Work::YieldsInTokio,
        "10,000 bodies inside tokio, each yields four times",
    ),
    block("W3s-1k", 1000, Work::WokenBySame, "1,000 bodies, woken one by one by the same thread"),
    block(
        "W3s-10k",
        10_000,
        Work::WokenBySame,
        "10,000 bodies, woken one by one by the same thread",
    ),
    block(
        "W3s-100k",
        100_000,
        Work::WokenBySame,
        "100,000 bodies, woken one by one by the same thread",
    ),
    block("W3t-100k", 100_000, Work::WokenByOther, "100,000 bodies, woken by another thread"),
    block(
        "W4-64",
        1_000_000,
        Work::Lazy { limit: 64 },
        "a million lazy items, at most 64 at once, one yield each",
    ),
    block(
        "W4-1024",
        1_000_000,
        Work::Lazy { limit: 1024 },
        "a million lazy items, at most 1,024 at once, one yield each",
    ),
    block(
        "W5-tokio",
        10_000,
        Work::Timers(Clockwork::Tokio),
        "10,000 timers of 1 to 50 ms on tokio",
    ),
    block(
        "W5-async-io",
        10_000,
        Work::Timers(Clockwork::AsyncIo),
        "10,000 timers of 1 to 50 ms on async-io",
    ),
    block(
        "W5-async-std",
        10_000,
        Work::Timers(Clockwork::AsyncStd),
        "10,000 timers of 1 to 50 ms on async-std",
    ),
    block("W6", 10_000, Work::Compute, "10,000 bodies, twenty microseconds of compute each"),
    block(
        "W7-fail-10k",
        10_000,
        Work::Teardown(End::Fails),
        "one of 10,000 bodies in flight fails",
    ),
    block(
        "W7-fail-100k",
        100_000,
        Work::Teardown(End::Fails),
        "one of 100,000 bodies in flight fails",
    ),
    block(
        "W7-cancel-10k",
        10_000,
        Work::Teardown(End::Cancelled),
        "a loop with 10,000 bodies in flight is cancelled",
    ),
    block(
        "W7-cancel-100k",
        100_000,
        Work::Teardown(End::Cancelled),
        "a loop with 100,000 bodies in flight is cancelled",
    ),
    block(
        "W7-drop-10k",
        10_000,
        Work::Teardown(End::Dropped),
        "a loop with 10,000 bodies in flight is dropped",
    ),
    block(
        "W7-drop-100k",
        100_000,
        Work::Teardown(End::Dropped),
        "a loop with 100,000 bodies in flight is dropped",
    ),
    block("W8", 10_000, Work::Mutex, "10,000 bodies queue on one tokio Mutex"),
    block(
        "W9",
        1_000_000,
        Work::Sum,
        "a million cheap items, summed by a program that is not async",
    ),
    with_options("W10-none", Options::None, "at most 64 lazy items at once, without an option"),
    with_options("W10-timeout", Options::Timeout, "the same with a time-out for each body"),
    with_options("W10-retry", Options::Retry, "the same with a retry"),
    with_options("W10-limit-by", Options::LimitBy, "the same with a limit for each of eight keys"),
    with_options("W10-all", Options::All, "the same with all three"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::Peer;

    #[test]
    fn every_block_has_a_name_of_its_own_and_our_loop_in_it() {
        for (i, block) in BLOCKS.iter().enumerate() {
            assert!(BLOCKS[..i].iter().all(|other| other.name != block.name), "{}", block.name);
            assert!(block.is_for(Peer::Forloop), "{}", block.name);
        }
    }
}
