//! The responses of the local site, and its ways of not responding.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::future::pending;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use async_net::TcpStream;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Response, StatusCode};
use socket2::SockRef;

use crate::plan::{Kind, LONGEST, length};

/// The number of requests so far for each page whose response depends on it.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    counts: RefCell<HashMap<(Kind, usize), usize>>,
}

impl Visits {
    pub(crate) async fn answer(
        &self,
        path: String,
        socket: &TcpStream,
    ) -> Result<Response<Answer>, Broken> {
        let Some((kind, index)) = page(&path) else { return Ok(status(StatusCode::NOT_FOUND)) };
        match kind {
            Kind::Good => Ok(whole(index)),
            Kind::Error => Ok(status(StatusCode::INTERNAL_SERVER_ERROR)),
            Kind::Flaky if self.is_early((kind, index), 1 + index % 2) => match index / 2 % 2 {
                0 => Ok(status(StatusCode::SERVICE_UNAVAILABLE)),
                _ => reset(socket),
            },
            Kind::Slow if self.is_early((kind, index), 1) => pending().await,
            Kind::Flaky | Kind::Slow => Ok(whole(index)),
            Kind::Stalled if index.is_multiple_of(2) => pending().await,
            Kind::Stalled => Ok(half(index, socket, Then::Stall)),
            Kind::Reset => reset(socket),
            Kind::HalfClosed => Ok(half(index, socket, Then::ShutDown)),
            // The site receives no request of the last two kinds.
            Kind::Missing | Kind::Refused | Kind::Malformed => Ok(status(StatusCode::NOT_FOUND)),
        }
    }

    /// Whether this is one of the first `visits` requests for a page. The request after those removes the
    /// entry, so that memory does not grow with the crawl.
    fn is_early(&self, page: (Kind, usize), visits: usize) -> bool {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(page).or_default();
        *count += 1;
        let early = *count <= visits;
        if !early {
            counts.remove(&page);
        }
        early
    }
}

fn page(path: &str) -> Option<(Kind, usize)> {
    let (kind, index) = path.strip_prefix('/')?.split_once('/')?;
    let kind = match kind {
        "good" | "panic" => Kind::Good,
        name => Kind::named(name)?,
    };
    Some((kind, index.parse().ok()?))
}

static FILLER: [u8; 100 + LONGEST] = [b'.'; 100 + LONGEST];

fn whole(index: usize) -> Response<Answer> {
    Response::new(Answer::Whole(Some(Bytes::from_static(&FILLER[..length(index)]))))
}

fn status(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    *response.status_mut() = status;
    response
}

fn half(index: usize, socket: &TcpStream, then: Then) -> Response<Answer> {
    let first = Some(Bytes::from_static(&FILLER[..length(index) / 2]));
    Response::new(Answer::Half { promised: length(index), first, socket: socket.clone(), then })
}

/// Resets the connection when it is dropped.
fn reset(socket: &TcpStream) -> Result<Response<Answer>, Broken> {
    SockRef::from(socket).set_linger(Some(Duration::ZERO)).map_err(|_| Broken)?;
    Err(Broken)
}

/// The error of a connection that the site breaks on purpose.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is broken on purpose")
    }
}

impl Error for Broken {}

/// The body of a response.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The whole page.
    Whole(Option<Bytes>),
    /// Half of the announced length.
    Half { promised: usize, first: Option<Bytes>, socket: TcpStream, then: Then },
}

/// What follows the first half.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// Nothing, forever.
    Stall,
    /// The site shuts down its half of the connection, once the data sent so far has left.
    ShutDown,
    /// The data has left.
    ShutDownNow,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Half { first, socket, then, .. } => {
                if let Some(bytes) = first.take() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                match then {
                    Then::Stall => {}
                    // hyper flushes its buffer before it polls again.
                    Then::ShutDown => {
                        *then = Then::ShutDownNow;
                        cx.waker().wake_by_ref();
                    }
                    Then::ShutDownNow => {
                        *then = Then::Stall;
                        // It fails if the client has disconnected.
                        let _ = socket.shutdown(Shutdown::Write);
                    }
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Half { promised, .. } => *promised as u64,
        })
    }
}
