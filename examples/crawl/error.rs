//! The errors of fetching a page.

use std::error::Error;
use std::{fmt, io};

use hyper::StatusCode;

/// Why an attempt to fetch a page failed.
#[derive(Debug)]
pub enum FetchError {
    /// The client cannot fetch this URL.
    BadUrl(BadUrl),
    /// The host has no address, or its port is closed.
    Connect(io::Error),
    /// The host responded with an error status.
    Status(StatusCode),
    /// The connection was reset or closed before or within the response.
    Reset(hyper::Error),
    /// The host ended its data before the page was complete.
    Truncated(hyper::Error),
    /// The response is not HTTP.
    Garbled(hyper::Error),
}

impl FetchError {
    /// Whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::BadUrl(_) | Self::Garbled(_) => false,
            Self::Status(status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Connect(_) | Self::Reset(_) | Self::Truncated(_) => true,
        }
    }

    /// Classifies an error before the first byte of the page.
    pub(crate) fn of_head(error: hyper::Error) -> Self {
        if error.is_parse() { Self::Garbled(error) } else { Self::Reset(error) }
    }

    /// Classifies an error within the page.
    pub(crate) fn of_body(error: hyper::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match io_kind(&error) {
            Some(UnexpectedEof) => Self::Truncated(error),
            // A malformed chunk.
            Some(InvalidData | InvalidInput) => Self::Garbled(error),
            _ if error.is_incomplete_message() => Self::Truncated(error),
            _ if error.is_parse() => Self::Garbled(error),
            _ => Self::Reset(error),
        }
    }
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

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl(why) => why.fmt(f),
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Reset(_) => f.write_str("the connection broke"),
            Self::Truncated(_) => f.write_str("the page ends too early"),
            Self::Garbled(error) => write!(f, "no HTTP: {error}"),
        }
    }
}

/// The source is what the message does not include.
impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Reset(error) | Self::Truncated(error) => Some(error),
            Self::BadUrl(_) | Self::Connect(_) | Self::Status(_) | Self::Garbled(_) => None,
        }
    }
}

/// Why a URL cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
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
