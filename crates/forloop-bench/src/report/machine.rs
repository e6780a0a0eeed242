//! Where the figures come from: the machine, the compiler, the peers' versions.

use std::env::consts;
use std::thread;

/// The compiler that made this program.
pub(crate) const RUSTC: &str = env!("FORLOOP_BENCH_RUSTC");

/// What this program was built from.
const LOCK: &str = include_str!("../../../../Cargo.lock");

const PEERS: [&str; 9] = [
    "futures-util",
    "futures-buffered",
    "futures-concurrency",
    "unicycle",
    "tokio",
    "tokio-util",
    "smol",
    "async-executor",
    "async-std",
];

/// The architecture and the system, in a word.
pub(crate) fn target() -> String {
    format!("{}-{}", consts::ARCH, consts::OS)
}

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Each peer's name and version.
pub(crate) fn peers() -> Vec<(&'static str, &'static str)> {
    PEERS.into_iter().filter_map(|name| Some((name, version(name)?))).collect()
}

fn version(name: &str) -> Option<&'static str> {
    let package = LOCK
        .split("[[package]]\n")
        .find(|package| package.lines().next() == Some(&format!("name = \"{name}\"")))?;
    package.lines().nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// The first paragraph of every report.
pub(crate) fn paragraph() -> String {
    let peers: Vec<String> =
        peers().iter().map(|(name, version)| format!("{name} {version}")).collect();
    let (first, second) = peers.split_at(peers.len() / 2);
    format!(
        "\
{} cores, {}, {RUSTC}.
Peers: {},
{}.
Times are processor time per item for loops on one thread, and time on the wall for rows that end in
\"x2\", which use two. Other work on the machine changes them: read them as ratios of rows that were
measured by turns, in one run. \"x ours\" is a row's time by that of \"forloop in-task\", or for x2 rows
by that of the best forloop row on two threads. Instructions, allocations, bytes and polls are counted.
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
