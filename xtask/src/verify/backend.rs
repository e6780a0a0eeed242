//! The columns of the matrix.

/// The simulated runtime, and the feature that adds it.
pub(crate) const SIM: &str = "sim";

/// Something that runs an example, or does the same job in its own way.
///
/// A further one is a variant, its place in [`Backend::ALL`], its name and its source; nothing else knows
/// them one by one, but for the simulated runtime, which has schedules instead of rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// smol's global executor.
    Smol,
    /// async-std's global executor.
    AsyncStd,
    /// tokio on the thread of `main`.
    TokioCurrentThread,
    /// tokio on worker threads.
    TokioMultiThread,
    /// The simulated runtime, under many schedules.
    Sim,
    /// CPython's own event loop, which runs the Python twin of the example.
    Asyncio,
    /// The tool `sha256sum`, for examples that do its job.
    Sha256sum,
}

/// Where the programs of a backend come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A build of the examples with this feature.
    Feature(&'static str),
    /// A Python that knows task groups, and `NAME.py`.
    Python,
    /// The tool of that name.
    Sha256sum,
}

impl Backend {
    /// Every backend, in the order of the columns.
    pub const ALL: [Self; 7] = [
        Self::Smol,
        Self::AsyncStd,
        Self::TokioCurrentThread,
        Self::TokioMultiThread,
        Self::Sim,
        Self::Asyncio,
        Self::Sha256sum,
    ];

    /// The name of its column, for `--runtime` and for `FORLOOP_RUNTIME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
            Self::TokioCurrentThread => "tokio-current-thread",
            Self::TokioMultiThread => "tokio-multi-thread",
            Self::Sim => SIM,
            Self::Asyncio => "asyncio",
            Self::Sha256sum => "sha256sum",
        }
    }

    /// The backend of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::Smol => Source::Feature("smol"),
            Self::AsyncStd => Source::Feature("async-std"),
            // One build: the program picks between the two by `FORLOOP_RUNTIME`.
            Self::TokioCurrentThread | Self::TokioMultiThread => Source::Feature("tokio"),
            Self::Sim => Source::Feature(SIM),
            Self::Asyncio => Source::Python,
            Self::Sha256sum => Source::Sha256sum,
        }
    }
}

/// The names of several backends, separated.
pub(crate) fn names(backends: &[Backend], separator: &str) -> String {
    backends.iter().map(|backend| backend.name()).collect::<Vec<_>>().join(separator)
}
