//! How a job has ended, as bytes.

use std::any::Any;

use forloop_core::{Outcome, Panic};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call_error::CallError;

/// How a job has ended. Values are JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The body returned this value.
    Ok(Vec<u8>),
    /// The body returned this error.
    Failed(Vec<u8>),
    /// The body panicked, with this message if it had one.
    Panicked(Option<String>),
    /// The body was stopped before it completed.
    Cancelled,
    /// The body was stopped before it began.
    NotRun,
    /// The processes that ran the body died.
    Lost,
    /// The call has failed on its way.
    Call(CallError),
}

impl End {
    /// Encodes the end: a letter, and the value or message behind it.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ok(value) => tagged(b'o', value),
            Self::Failed(error) => tagged(b'f', error),
            Self::Panicked(Some(message)) => tagged(b'p', message.as_bytes()),
            Self::Panicked(None) => tagged(b'q', &[]),
            Self::Cancelled => tagged(b'c', &[]),
            Self::NotRun => tagged(b'n', &[]),
            Self::Lost => tagged(b'l', &[]),
            Self::Call(error) => {
                tagged(b'e', &serde_json::to_vec(error).expect("an error of strings and numbers"))
            }
        }
    }

    /// Decodes an end. Bytes that are none, or more than `limit`, are an end with a [`CallError`].
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Self {
        let Some((tag, rest)) = bytes.split_first() else {
            return Self::Call(CallError::Decode("an empty outcome".into()));
        };
        if rest.len() > limit {
            return Self::Call(CallError::TooLarge { bytes: rest.len(), limit });
        }
        match tag {
            b'o' => Self::Ok(rest.to_vec()),
            b'f' => Self::Failed(rest.to_vec()),
            b'p' => Self::Panicked(Some(String::from_utf8_lossy(rest).into_owned())),
            b'q' => Self::Panicked(None),
            b'c' => Self::Cancelled,
            b'n' => Self::NotRun,
            b'l' => Self::Lost,
            b'e' => Self::Call(decode(rest).unwrap_or_else(|error| error)),
            _ => Self::Call(CallError::Decode(format!("an outcome of the unknown kind {tag}"))),
        }
    }

    /// The end of a body that has returned.
    pub(crate) fn of<T: Serialize, E: Serialize>(returned: &Result<T, E>, limit: usize) -> Self {
        let (encoded, end): (_, fn(Vec<u8>) -> Self) = match returned {
            Ok(value) => (encode(value, limit), Self::Ok),
            Err(error) => (encode(error, limit), Self::Failed),
        };
        encoded.map_or_else(Self::Call, end)
    }

    /// The outcome, with values of these types.
    pub(crate) fn into_outcome<T, E>(self) -> Outcome<Result<T, E>>
    where
        T: DeserializeOwned,
        E: DeserializeOwned + From<CallError>,
    {
        match self {
            Self::Ok(value) => Outcome::Ok(decode(&value).map_err(E::from)),
            Self::Failed(error) => Outcome::Ok(Err(decode(&error).unwrap_or_else(E::from))),
            Self::Panicked(Some(message)) => panicked(Box::new(message)),
            Self::Panicked(None) => panicked(Box::new(())),
            Self::Cancelled => Outcome::Cancelled,
            Self::NotRun => Outcome::NotRun,
            Self::Lost => Outcome::Lost,
            Self::Call(error) => Outcome::Ok(Err(error.into())),
        }
    }
}

/// The outcome of a body that panicked elsewhere: its payload is its message.
fn panicked<T>(payload: Box<dyn Any + Send>) -> Outcome<T> {
    Outcome::Panicked(Panic::from(payload))
}

fn tagged(tag: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rest.len() + 1);
    bytes.push(tag);
    bytes.extend_from_slice(rest);
    bytes
}

/// Encodes a value as JSON.
///
/// # Errors
///
/// If it cannot be encoded, or has more than `limit` bytes.
pub(crate) fn encode(value: &impl Serialize, limit: usize) -> Result<Vec<u8>, CallError> {
    let bytes = serde_json::to_vec(value).map_err(|error| CallError::Encode(error.to_string()))?;
    if bytes.len() > limit {
        return Err(CallError::TooLarge { bytes: bytes.len(), limit });
    }
    Ok(bytes)
}

/// Decodes a value from JSON.
///
/// # Errors
///
/// If the bytes are no value of this type.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(bytes).map_err(|error| CallError::Decode(error.to_string()))
}
