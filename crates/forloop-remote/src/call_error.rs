//! Why a call has no outcome of its body.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::BodyId;

/// Why a call has failed on its way, and not in its body: an error of one item.
///
/// The error type of a [`Body`](crate::Body) is made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallError {
    /// The item, or what its body has returned, is larger than the limit. Nothing was sent.
    #[non_exhaustive]
    TooLarge {
        /// The size as JSON.
        bytes: usize,
        /// The limit of the process that has the value.
        limit: usize,
    },
    /// The item, or what its body has returned, cannot be encoded.
    Encode(String),
    /// The item, or what its body has returned, cannot be decoded as the type that the receiver expects.
    Decode(String),
    /// No worker has had this name and version for the time of the patience.
    #[non_exhaustive]
    NotServed {
        /// The body that was called.
        body: BodyId,
        /// What the workers have.
        served: Vec<BodyId>,
    },
    /// The broker was unavailable for the time of the patience. The run is kept, and may be resumed later.
    Unavailable(String),
    /// Another producer has the run.
    RunTaken,
    /// The run has had another item, name or version at this index.
    DifferentItem,
    /// A loop that has not ended uses this run: a run is for one loop at a time.
    RunInUse,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "a value of {bytes} bytes exceeds the limit of {limit}")
            }
            Self::Encode(error) => write!(f, "a value cannot be encoded: {error}"),
            Self::Decode(error) => write!(f, "a value cannot be decoded: {error}"),
            Self::NotServed { body, served } => {
                write!(f, "no worker serves {body}")?;
                let mut separator = "; served: ";
                for id in served {
                    write!(f, "{separator}{id}")?;
                    separator = ", ";
                }
                Ok(())
            }
            Self::Unavailable(error) => write!(f, "the broker is unavailable: {error}"),
            Self::RunTaken => f.write_str("another producer has the run"),
            Self::DifferentItem => f.write_str("the run has had another item at this index"),
            Self::RunInUse => f.write_str("another loop uses the run"),
        }
    }
}

impl Error for CallError {}

/// For bodies whose errors are texts.
impl From<CallError> for String {
    fn from(error: CallError) -> Self {
        error.to_string()
    }
}
