//! The runtimes that a program can be started on, by name.

/// A runtime to start a program on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    #[cfg(feature = "tokio")]
    TokioMultiThread,
    #[cfg(feature = "tokio")]
    TokioCurrentThread,
    #[cfg(feature = "smol")]
    Smol,
    #[cfg(feature = "async-std")]
    AsyncStd,
    #[cfg(feature = "sim")]
    Sim,
}

/// Every flavor of this build by name, the default first.
pub(crate) const FLAVORS: &[(&str, Flavor)] = &[
    #[cfg(feature = "tokio")]
    ("tokio-multi-thread", Flavor::TokioMultiThread),
    #[cfg(feature = "tokio")]
    ("tokio-current-thread", Flavor::TokioCurrentThread),
    #[cfg(feature = "smol")]
    ("smol", Flavor::Smol),
    #[cfg(feature = "async-std")]
    ("async-std", Flavor::AsyncStd),
    #[cfg(feature = "sim")]
    ("sim", Flavor::Sim),
];

/// The values of `FORLOOP_RUNTIME` that this build accepts.
pub(crate) fn names() -> Vec<&'static str> {
    FLAVORS.iter().map(|&(name, _)| name).collect()
}
