//! The errors of a connection and of an engine.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a step of the protocol has no answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EngineError {
    /// The broker could not be reached or did not answer; the step may have happened or not. It is repeated.
    Unavailable(Arc<dyn Error + Send + Sync>),
    /// The run has another producer. Nothing was changed.
    RunTaken,
    /// The broker cannot be used as it is configured, or has answered what this version does not understand.
    Refused(String),
}

impl EngineError {
    /// The broker could not be reached or did not answer.
    pub fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into().into())
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) if f.alternate() => {
                write!(f, "the broker is unavailable: {error}")
            }
            Self::Unavailable(_) => f.write_str("the broker is unavailable"),
            Self::RunTaken => f.write_str("another producer has the run"),
            Self::Refused(why) => write!(f, "the broker cannot be used: {why}"),
        }
    }
}

impl Error for EngineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable(error) => Some(&**error),
            Self::RunTaken | Self::Refused(_) => None,
        }
    }
}

/// Why there is no connection or no run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RemoteError {
    /// The URL has a scheme that this build does not have. The URL itself may contain a password, and is not in here.
    #[non_exhaustive]
    UnknownScheme {
        /// What is before the colon.
        scheme: String,
    },
    /// The name of a run is empty, longer than 200 bytes, or has a character other than letters, digits, `-`, `_` and `.`.
    RunName(String),
    /// Another producer holds the run, and has renewed its lease.
    RunHeld(String),
    /// `local:` has no workers: the bodies run in the producer.
    LocalWorker,
    /// The broker could not be used.
    Engine(EngineError),
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme { scheme } => {
                write!(f, "the scheme `{scheme}:` is unknown, or its feature is not enabled")
            }
            Self::RunName(name) => write!(f, "`{name}` cannot be the name of a run"),
            Self::RunHeld(run) => write!(f, "another producer holds the run `{run}`"),
            Self::LocalWorker => f.write_str("`local:` has no workers"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Engine(error) => error.source(),
            _ => None,
        }
    }
}

impl From<EngineError> for RemoteError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
