//! The backends, which are the columns of the matrix.

/// The name of the simulated runtime, and of the feature that adds it.
pub(crate) const SIM: &str = "sim";

/// A runtime that runs an example, or a program that does the same job.
///
/// A new backend needs a variant, its position in [`Backend::ALL`], its name and its source. The rest of
/// `verify` treats all backends alike, except the simulated runtime, which has schedules instead of rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// The global executor of smol.
    Smol,
    /// The global executor of async-std.
    AsyncStd,
    /// tokio's current-thread runtime.
    TokioCurrentThread,
    /// tokio's multi-threaded runtime.
    TokioMultiThread,
    /// The simulated runtime, under many schedules.
    Sim,
    /// CPython's event loop, which runs the Python twin of the example.
    Asyncio,
    /// The tool `sha256sum`, for examples that do the same.
    Sha256sum,
    /// A producer and three workers on three runtimes, behind a `redis-server`, for examples whose bodies have names.
    Redis,
}

/// Where the programs of a backend come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A build of the examples with this feature.
    Feature(&'static str),
    /// A Python with task groups, which runs `NAME.py`.
    Python,
    /// The tool `sha256sum`.
    Sha256sum,
    /// The builds of the examples with [`WORKER_FEATURES`], and `redis-server`.
    Redis,
}

/// The builds of the workers; that of the first is the producer's, too.
const WORKER_FEATURES: [&str; 3] = ["smol", "async-std", "tokio"];

impl Backend {
    /// Every backend, in the order of the columns.
    pub const ALL: [Self; 8] = [
        Self::Smol,
        Self::AsyncStd,
        Self::TokioCurrentThread,
        Self::TokioMultiThread,
        Self::Sim,
        Self::Asyncio,
        Self::Sha256sum,
        Self::Redis,
    ];

    /// The backend's name, in the matrix, for `--runtime` and for `FORLOOP_RUNTIME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
            Self::TokioCurrentThread => "tokio-current-thread",
            Self::TokioMultiThread => "tokio-multi-thread",
            Self::Sim => SIM,
            Self::Asyncio => "asyncio",
            Self::Sha256sum => "sha256sum",
            Self::Redis => "redis",
        }
    }

    /// Returns the backend with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::Smol => Source::Feature("smol"),
            Self::AsyncStd => Source::Feature("async-std"),
            // One build has both: `FORLOOP_RUNTIME` selects one of them.
            Self::TokioCurrentThread | Self::TokioMultiThread => Source::Feature("tokio"),
            Self::Sim => Source::Feature(SIM),
            Self::Asyncio => Source::Python,
            Self::Sha256sum => Source::Sha256sum,
            Self::Redis => Source::Redis,
        }
    }

    /// Returns the features that the examples are built with for this backend, each a build of its own.
    pub(crate) fn features(self) -> Vec<&'static str> {
        match self.source() {
            Source::Feature(feature) => vec![feature],
            Source::Redis => WORKER_FEATURES.to_vec(),
            Source::Python | Source::Sha256sum => Vec::new(),
        }
    }
}

/// Returns the names of backends, joined by `separator`.
pub(crate) fn names(backends: &[Backend], separator: &str) -> String {
    backends.iter().map(|backend| backend.name()).collect::<Vec<_>>().join(separator)
}
