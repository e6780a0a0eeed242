//! The client: one page, one connection, nothing in the background.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_lite::future;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, USER_AGENT};

use crate::url::Target;
use crate::{FetchError, Hosts, Sockets, Url};

/// What was fetched. The page itself is counted and let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How long it was.
    pub bytes: u64,
}

/// Fetches pages.
#[derive(Debug)]
pub struct Client {
    sockets: Sockets,
    hosts: Hosts,
    may_panic: bool,
    attempts: AtomicUsize,
}

impl Client {
    /// Makes a client that uses these sockets, and knows where these hosts are; others it looks up.
    pub fn new(sockets: Sockets, hosts: Hosts) -> Self {
        Self { sockets, hosts, may_panic: false, attempts: AtomicUsize::new(0) }
    }

    /// Makes a client that panics over a page whose path begins with `/panic/`.
    pub fn that_may_panic(self) -> Self {
        Self { may_panic: true, ..self }
    }

    /// How many attempts were begun.
    pub fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Fetches a page.
    ///
    /// # Errors
    ///
    /// What kept this attempt from the whole page.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, its connection is closed, and nothing of it is left.
    pub async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let target = url.target().map_err(FetchError::BadUrl)?;
        assert!(!self.may_panic || !url.path().starts_with("/panic/"), "the page {url}");

        let (host, port) = match self.hosts.find(target.name()) {
            Some(address) => (&address.ip().to_string()[..], address.port()),
            None => (target.name(), target.port()),
        };
        let socket = self.sockets.connect(host, port).await.map_err(FetchError::Connect)?;
        let (sender, connection) = http1::handshake(socket).await.map_err(FetchError::of_head)?;
        // Both are driven here, so that nothing is left of them when this future is dropped. What the
        // connection fails with, the request is told.
        let driven = async {
            let _ = connection.await;
            future::pending().await
        };
        future::or(ask(sender, target), driven).await
    }
}

async fn ask(mut sender: SendRequest<String>, target: &Target) -> Result<Page, FetchError> {
    let request = Request::get(&target.path)
        .header(HOST, target.authority.as_str())
        .header(USER_AGENT, "forloop-crawl")
        .header(CONNECTION, "close")
        .body(String::new())
        // A path and a host that were parsed can be sent.
        .map_err(|_| FetchError::BadUrl(crate::BadUrl::Malformed))?;
    let response = sender.send_request(request).await.map_err(FetchError::of_head)?;
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status()));
    }
    let bytes = count(response.into_body()).await.map_err(FetchError::of_body)?;
    Ok(Page { bytes })
}

/// Reads a body to its end. It is not kept, because nobody knows how long it is.
async fn count(body: Incoming) -> Result<u64, hyper::Error> {
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}
