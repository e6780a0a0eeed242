//! The client: one connection for each page, and no background tasks.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_lite::future;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use serde::{Deserialize, Serialize};

use crate::error::{BadUrl, FetchError};
use crate::hosts::Hosts;
use crate::sockets::Sockets;
use crate::url::{Target, Url};

/// A fetched page. Its content is counted and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The length of the page in bytes.
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
    /// Creates a client that uses these sockets. It knows the addresses of `hosts`, and looks others up.
    pub fn new(sockets: Sockets, hosts: Hosts) -> Self {
        Self { sockets, hosts, may_panic: false, attempts: AtomicUsize::new(0) }
    }

    /// Makes the client panic on a page whose path begins with `/panic/`.
    pub fn that_may_panic(self) -> Self {
        Self { may_panic: true, ..self }
    }

    /// Returns the number of attempts started.
    pub fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Fetches a page.
    ///
    /// # Errors
    ///
    /// Returns why this attempt did not receive the whole page.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes its connection, and leaves no task behind.
    pub async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let target = url.target().map_err(FetchError::BadUrl)?;
        assert!(!self.may_panic || !url.path().starts_with("/panic/"), "the page {url}");

        let (host, port) = match self.hosts.find(target.name()) {
            Some(address) => (&address.ip().to_string()[..], address.port()),
            None => (target.name(), target.port()),
        };
        let socket = self
            .sockets
            .connect(host, port)
            .await
            .map_err(|error| FetchError::Connect(error.to_string()))?;
        let (sender, connection) = http1::handshake(socket).await.map_err(FetchError::of_head)?;
        // Both futures are polled here, so dropping this one leaves nothing behind. An error of the
        // connection is also returned by the request.
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
        // Parsed hosts and paths are valid in a request.
        .map_err(|_| FetchError::BadUrl(BadUrl::Malformed))?;
    let response = sender.send_request(request).await.map_err(FetchError::of_head)?;
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let bytes = count(response.into_body()).await.map_err(FetchError::of_body)?;
    Ok(Page { bytes })
}

/// Reads a body of unknown length to its end, without keeping it.
async fn count(body: Incoming) -> Result<u64, hyper::Error> {
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}
