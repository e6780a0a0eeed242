//! Why a page could not be fetched.

use std::error::Error;
use std::{fmt, io};

use hyper::StatusCode;

/// Why one attempt to fetch a page failed.
#[derive(Debug)]
pub enum FetchError {
    /// There is nothing to ask: the URL is none that this client can fetch.
    BadUrl(BadUrl),
    /// The host has no address, or nobody listens there.
    Connect(io::Error),
    /// The host has answered, but with no page.
    Status(StatusCode),
    /// The connection was reset or closed before there was an answer, or in the middle of one.
    Reset(hyper::Error),
    /// The host said that it had nothing more to send before the page was whole.
    Truncated(hyper::Error),
    /// What came is not HTTP.
    Garbled(hyper::Error),
}

impl FetchError {
    /// Whether another attempt may end better.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::BadUrl(_) | Self::Garbled(_) => false,
            Self::Status(status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Connect(_) | Self::Reset(_) | Self::Truncated(_) => true,
        }
    }

    /// What happened before the first byte of the page.
    pub(crate) fn of_head(error: hyper::Error) -> Self {
        if error.is_parse() { Self::Garbled(error) } else { Self::Reset(error) }
    }

    /// What happened amid the page.
    pub(crate) fn of_body(error: hyper::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match io_kind(&error) {
            Some(UnexpectedEof) => Self::Truncated(error),
            // Chunks that are none.
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

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::BadUrl(why) => Some(why),
            Self::Connect(error) => Some(error),
            Self::Status(_) => None,
            Self::Reset(error) | Self::Truncated(error) | Self::Garbled(error) => Some(error),
        }
    }
}

/// Why a URL cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadUrl {
    /// It is no absolute URL.
    Malformed,
    /// It has this scheme, and only `http` is spoken here.
    NotHttp(String),
    /// It has a user's name in it, which is nobody else's business.
    WithUser,
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a URL of the form http://HOST/PATH"),
            Self::NotHttp(scheme) => write!(f, "`{scheme}` is not spoken here, only `http`"),
            Self::WithUser => f.write_str("a URL with a user's name in it is not fetched"),
        }
    }
}

impl Error for BadUrl {}
