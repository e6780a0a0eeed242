//! The errors of fetching a page.

use std::error::Error;
use std::{fmt, io};

use forloop::remote::CallError;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};

/// Why an attempt to fetch a page failed. It can be sent: others' errors are their messages.
#[derive(Debug, Serialize, Deserialize)]
pub enum FetchError {
    /// The client cannot fetch this URL.
    BadUrl(BadUrl),
    /// The host has no address, or its port is closed.
    Connect(String),
    /// The host responded with an error status.
    Status(u16),
    /// The connection was reset or closed before or within the response.
    Reset(String),
    /// The host ended its data before the page was complete.
    Truncated(String),
    /// The response is not HTTP.
    Garbled(String),
    /// The page was to be fetched by another process, and the call has failed on its way.
    Call(CallError),
}

impl FetchError {
    /// Whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::BadUrl(_) | Self::Garbled(_) | Self::Call(_) => false,
            Self::Status(status) => {
                (500..600).contains(status) || *status == StatusCode::TOO_MANY_REQUESTS.as_u16()
            }
            Self::Connect(_) | Self::Reset(_) | Self::Truncated(_) => true,
        }
    }

    /// Classifies an error before the first byte of the page.
    pub(crate) fn of_head(error: hyper::Error) -> Self {
        let message = message(&error);
        if error.is_parse() { Self::Garbled(message) } else { Self::Reset(message) }
    }

    /// Classifies an error within the page.
    pub(crate) fn of_body(error: hyper::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let message = message(&error);
        match io_kind(&error) {
            Some(UnexpectedEof) => Self::Truncated(message),
            // A malformed chunk.
            Some(InvalidData | InvalidInput) => Self::Garbled(message),
            _ if error.is_incomplete_message() => Self::Truncated(message),
            _ if error.is_parse() => Self::Garbled(message),
            _ => Self::Reset(message),
        }
    }
}

/// The message of an error, and those of its sources.
fn message(error: &(dyn Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |&error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

impl From<CallError> for FetchError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl(why) => why.fmt(f),
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Status(status) => match StatusCode::from_u16(*status) {
                Ok(status) => write!(f, "status {status}"),
                Err(_) => write!(f, "status {status}"),
            },
            Self::Reset(error) => write!(f, "the connection broke: {error}"),
            Self::Truncated(error) => write!(f, "the page ends too early: {error}"),
            Self::Garbled(error) => write!(f, "no HTTP: {error}"),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl Error for FetchError {}

/// Why a URL cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadUrl {
    /// It is not an absolute URL.
    Malformed,
    /// Its scheme is not `http`, the only one supported.
    NotHttp(String),
    /// It contains a user name, which must not be sent to the host.
    WithUser,
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a URL of the form http://HOST/PATH"),
            Self::NotHttp(scheme) => write!(f, "`{scheme}` is not supported, only `http`"),
            Self::WithUser => f.write_str("a URL with a user name is not fetched"),
        }
    }
}

impl Error for BadUrl {}
