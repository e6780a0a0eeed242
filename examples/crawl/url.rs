//! A URL as a line of a list gives it, valid or not.

use std::fmt;

use hyper::Uri;
use hyper::http::uri::{Authority, Scheme};

use crate::error::BadUrl;

/// The address of a page. If it is not valid, fetching it fails.
#[derive(Debug, Clone)]
pub struct Url {
    text: String,
    target: Result<Target, BadUrl>,
}

/// The host to connect to, and the path to request.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) authority: Authority,
    pub(crate) path: String,
}

impl Url {
    /// Keeps a URL as it is written.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let target = target(&text);
        Self { text, target }
    }

    /// Returns the host and port as the URL has them, the key of the limit per host; empty if it has none.
    pub fn host(&self) -> &str {
        self.target.as_ref().map_or("", |target| target.authority.as_str())
    }

    /// Returns the path on its host, with the query; empty if the URL has no host.
    pub fn path(&self) -> &str {
        self.target.as_ref().map_or("", |target| &target.path)
    }

    pub(crate) fn target(&self) -> Result<&Target, BadUrl> {
        self.target.as_ref().map_err(Clone::clone)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn target(text: &str) -> Result<Target, BadUrl> {
    let uri: Uri = text.parse().map_err(|_| BadUrl::Malformed)?;
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => {}
        Some(scheme) => return Err(BadUrl::NotHttp(scheme.to_string())),
        None => return Err(BadUrl::Malformed),
    }
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let authority = authority.ok_or(BadUrl::Malformed)?.clone();
    // A user name would be sent to the host as a part of its name.
    if authority.as_str().contains('@') {
        return Err(BadUrl::WithUser);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Target { authority, path })
}

impl Target {
    /// Returns the name to look up; an IPv6 address loses its brackets.
    pub(crate) fn name(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(80)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_a_path() {
        let url = Url::new("http://example.org:81/a?b=c");
        assert_eq!((url.host(), url.path()), ("example.org:81", "/a?b=c"));
        let target = url.target().unwrap();
        assert_eq!((target.name(), target.port()), ("example.org", 81));
        let bare = Url::new("http://[::1]");
        let target = bare.target().unwrap();
        assert_eq!((target.name(), target.port(), bare.path()), ("::1", 80, "/"));
    }

    #[test]
    fn an_invalid_url_is_refused_with_the_reason() {
        let why = |text: &str| Url::new(text).target().unwrap_err();
        for text in ["", "example.org/", "/a", "http://", "http:///a", "http://example.org/a page"]
        {
            assert_eq!(why(text), BadUrl::Malformed, "{text}");
        }
        assert_eq!(why("https://example.org/"), BadUrl::NotHttp("https".to_owned()));
        assert_eq!(why("http://me:secret@example.org/"), BadUrl::WithUser);
    }
}
