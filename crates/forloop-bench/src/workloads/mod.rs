//! The workloads: one file for each, and a [`Block`] of the table for each size or kind.

mod blocks;
mod compute;
mod lazy;
mod mutex;
mod ready;
mod sum;
mod teardown;
mod timers;
mod with_options;
mod woken;
mod yields;

use crate::body::{SMALL, Silent, Wide, Woken, Yields};
use crate::meter::Meter;
use crate::peers::{Kind, Peer, failing, options};

pub(crate) use self::blocks::{BLOCKS, Block, Work};
use self::teardown::End;

impl Block {
    /// Whether the peer has a loop for this block, and the result is meaningful.
    pub(crate) fn is_for(&self, peer: Peer) -> bool {
        let (kind, sequential) = (peer.kind(), peer == Peer::Sequential);
        match self.work {
            Work::Ready => peer.runs_all() || peer == Peer::RayonTwo,
            Work::Yields => peer.runs_all(),
            Work::ReadyWide => peer.runs_all() && kind == Kind::Inline,
            Work::YieldsInTokio | Work::Mutex => peer.runs_all() && runs_in_tokio(peer),
            Work::WokenBySame => peer.runs_all() && !sequential && kind != Kind::TwoThreads,
            Work::WokenByOther => peer.runs_all() && !sequential,
            Work::Lazy { .. } => peer.runs_bounded(),
            Work::Timers(clockwork) => clockwork.is_for(peer),
            Work::Compute => peer.runs_all() && kind != Kind::OneThread || peer == Peer::RayonTwo,
            Work::Sum => sum::is_for(peer),
            Work::Options(_) => options::has_them(peer),
            Work::Teardown(End::Fails) => failing::has_one(peer),
            Work::Teardown(_) => peer.runs_all() && kind == Kind::Inline && !sequential,
        }
    }

    /// Returns how often a body must be polled: once, and once for each wake. `None` if that is not known.
    pub(crate) fn due_polls(&self) -> Option<u64> {
        match self.work {
            Work::Ready | Work::ReadyWide | Work::Compute => Some(1),
            Work::Yields | Work::YieldsInTokio => Some(5),
            Work::WokenBySame | Work::WokenByOther | Work::Lazy { .. } | Work::Options(_) => {
                Some(2)
            }
            Work::Timers(_) | Work::Teardown(_) | Work::Mutex | Work::Sum => None,
        }
    }

    /// Returns how many of `n` bodies are pending at once, and the size of each, if that is known.
    pub(crate) fn pending(&self, n: usize) -> Option<(usize, usize)> {
        match self.work {
            Work::Ready => Some((n, SMALL)),
            Work::ReadyWide => Some((n, size_of::<Wide<false>>())),
            Work::Yields | Work::YieldsInTokio => Some((n, size_of::<Yields>())),
            Work::WokenBySame => Some((n, size_of::<Woken>())),
            Work::Lazy { limit } => Some((limit, size_of::<Silent>())),
            _ => None,
        }
    }

    /// Returns the bytes of the outputs that a loop over `n` bodies returns, if it returns them together.
    pub(crate) fn output_bytes(&self, n: usize) -> usize {
        match self.work {
            Work::Lazy { .. } | Work::Sum | Work::Options(_) => 0,
            _ => n * size_of::<usize>(),
        }
    }

    /// Whether each run takes the same instructions.
    pub(crate) fn is_exact(&self) -> bool {
        !matches!(self.work, Work::WokenByOther | Work::Timers(_) | Work::Compute)
    }

    /// Runs the workload once with `n` items.
    pub(crate) fn run(&self, peer: Peer, n: usize, repeats: usize, meter: &mut Meter<'_>) {
        match self.work {
            Work::Ready => ready::small(peer, n, repeats, meter),
            Work::ReadyWide => ready::wide(peer, n, repeats, meter),
            Work::Yields => yields::run(peer, peer.host(), n, meter),
            Work::YieldsInTokio => yields::run(peer, crate::host::Host::tokio(), n, meter),
            Work::WokenBySame => woken::by_the_same_thread(peer, n, meter),
            Work::WokenByOther => woken::by_another_thread(peer, n, meter),
            Work::Lazy { limit } => lazy::run(peer, n, limit, meter),
            Work::Timers(clockwork) => timers::run(peer, clockwork, n, meter),
            Work::Compute => compute::run(peer, n, meter),
            Work::Teardown(end) => teardown::run(peer, end, n, meter),
            Work::Mutex => mutex::run(peer, n, meter),
            Work::Sum => sum::run(peer, n, meter),
            Work::Options(options) => with_options::run(peer, options, n, meter),
        }
    }

    /// Returns how often a loop runs for one reading: a short one many times, to exceed the resolution of
    /// the clock.
    pub(crate) fn repeats(&self, n: usize) -> usize {
        match self.work {
            Work::Ready | Work::ReadyWide => (10_000 / n).max(1),
            _ => 1,
        }
    }
}

/// Whether the peer's loop can be polled by a tokio runtime on one thread.
fn runs_in_tokio(peer: Peer) -> bool {
    match peer.kind() {
        Kind::Inline => true,
        Kind::OneThread => {
            matches!(peer, Peer::ForloopTokio | Peer::JoinSet | Peer::TaskTracker)
        }
        Kind::TwoThreads => false,
    }
}
