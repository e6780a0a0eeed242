//! The scripts: each is one atomic step of the protocol.

use ::redis::Script;

/// The name of a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    Hold,
    Release,
    Submit,
    Stop,
    Forget,
    Begin,
    Renew,
    Complete,
    Reclaim,
    Served,
    Discard,
    Status,
}

/// All scripts, with their hashes. The server has them once they have run.
pub(super) struct Scripts {
    scripts: Vec<Script>,
}

macro_rules! source {
    ($file:literal) => {
        concat!(include_str!("scripts/prelude.lua"), include_str!(concat!("scripts/", $file)))
    };
}

/// In the order of the names.
const SOURCES: [&str; 12] = [
    source!("hold.lua"),
    source!("release.lua"),
    source!("submit.lua"),
    source!("stop.lua"),
    source!("forget.lua"),
    source!("begin.lua"),
    source!("renew.lua"),
    source!("complete.lua"),
    source!("reclaim.lua"),
    source!("served.lua"),
    source!("discard.lua"),
    source!("status.lua"),
];

impl Scripts {
    pub(super) fn new() -> Self {
        Self { scripts: SOURCES.iter().map(|source| Script::new(source)).collect() }
    }

    pub(super) fn get(&self, name: Name) -> &Script {
        &self.scripts[name as usize]
    }
}
