//! The loops that are compared.

/// A loop and the runtime it runs on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) title: &'static str,
    /// The name of its file, which selects the loop on the command line.
    pub(super) name: &'static str,
    pub(super) runtime: &'static str,
}

pub(super) const PEERS: [Peer; 4] = [
    Peer { title: "forloop, on tokio", name: "forloop", runtime: "tokio-multi-thread" },
    Peer { title: "forloop, on smol", name: "forloop", runtime: "smol" },
    Peer { title: "tokio's `JoinSet`", name: "join_set", runtime: "tokio-multi-thread" },
    Peer {
        title: "`buffer_unordered`, on tokio",
        name: "buffer_unordered",
        runtime: "tokio-multi-thread",
    },
];
