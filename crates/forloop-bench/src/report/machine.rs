//! The origin of the figures: the machine, the compiler, and the versions of the peers.

use std::env::consts;
use std::thread;

/// The compiler of this program.
pub(crate) const RUSTC: &str = env!("FORLOOP_BENCH_RUSTC");

/// The lock file of this program.
const LOCK: &str = include_str!("../../../../Cargo.lock");

const PEERS: [&str; 10] = [
    "futures-util",
    "futures-buffered",
    "futures-concurrency",
    "unicycle",
    "tokio",
    "tokio-util",
    "smol",
    "async-executor",
    "async-std",
    "rayon",
];

/// Returns the architecture and the operating system.
pub(crate) fn target() -> String {
    format!("{}-{}", consts::ARCH, consts::OS)
}

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the name and version of each peer.
pub(crate) fn peers() -> Vec<(&'static str, &'static str)> {
    PEERS.into_iter().filter_map(|name| Some((name, version(name)?))).collect()
}

fn version(name: &str) -> Option<&'static str> {
    let package = LOCK
        .split("[[package]]\n")
        .find(|package| package.lines().next() == Some(&format!("name = \"{name}\"")))?;
    package.lines().nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// Returns the first paragraph of every report.
pub(crate) fn paragraph() -> String {
    let peers: Vec<String> =
        peers().iter().map(|(name, version)| format!("{name} {version}")).collect();
    let (first, second) = peers.split_at(peers.len() / 2);
    format!(
        "\
{} cores, {}, {RUSTC}.
Peers: {},
{}.
Times are processor time per item for loops on one thread, and wall-clock time for rows that end in
\"x2\", which use two. Other work on the machine changes them: read them as ratios of rows that were
measured in turn, in one run. \"x ours\" is a row's time divided by that of \"forloop in-task\", or for
x2 rows by that of the fastest forloop row on two threads. Instructions, allocations, bytes and polls are
counted. \"poll us\" is the longest poll of the loop, \"body polls\" the most polls of bodies in one.
",
        cores(),
        target(),
        first.join(", "),
        second.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        assert_eq!(peers().len(), PEERS.len());
    }
}
