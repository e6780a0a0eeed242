//! The number of pages by how they ended.

use std::collections::BTreeMap;
use std::fmt;

use forloop::Outcome;

use crate::client::Page;
use crate::error::FetchError;

/// How a page ended, in the order of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It was fetched.
    Fetched,
    /// Its URL is not valid.
    BadUrl,
    /// The host has no address, or its port is closed.
    Refused,
    /// The host responded with another status.
    Status(u16),
    /// The connection was reset or closed.
    Reset,
    /// The host ended the page too early.
    Truncated,
    /// The response was not HTTP.
    Garbled,
    /// No worker could be called.
    NotCalled,
    /// Every attempt timed out.
    TimedOut,
    /// The body of the loop panicked.
    Panicked,
    /// The processes that fetched it died.
    Lost,
    /// The loop was stopped while the page was being fetched.
    Cancelled,
    /// The loop was stopped before the page was started.
    NotRun,
}

impl End {
    /// Returns how a page ended.
    pub fn of(outcome: &Outcome<Page, FetchError>) -> Self {
        match outcome {
            Outcome::Ok(_) => Self::Fetched,
            Outcome::Err(FetchError::BadUrl(_)) => Self::BadUrl,
            Outcome::Err(FetchError::Connect(_)) => Self::Refused,
            Outcome::Err(FetchError::Status(status)) => Self::Status(*status),
            Outcome::Err(FetchError::Reset(_)) => Self::Reset,
            Outcome::Err(FetchError::Truncated(_)) => Self::Truncated,
            Outcome::Err(FetchError::Garbled(_)) => Self::Garbled,
            Outcome::Err(FetchError::Call(_)) => Self::NotCalled,
            Outcome::Panicked(_) => Self::Panicked,
            Outcome::Lost => Self::Lost,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Cancelled => Self::Cancelled,
            _ => Self::NotRun,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fetched => "fetched",
            Self::BadUrl => "no URL",
            Self::Refused => "no connection",
            Self::Status(status) => return f.pad(&format!("status {status}")),
            Self::Reset => "connection broke",
            Self::Truncated => "ended too early",
            Self::Garbled => "no HTTP",
            Self::NotCalled => "not called",
            Self::TimedOut => "timed out",
            Self::Panicked => "panicked",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
            Self::NotRun => "not run",
        })
    }
}

/// The ends of many pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    ends: BTreeMap<End, usize>,
    bytes: u64,
}

impl Tally {
    /// Counts a page.
    pub fn add(&mut self, outcome: &Outcome<Page, FetchError>) {
        *self.ends.entry(End::of(outcome)).or_default() += 1;
        if let Outcome::Ok(page) = outcome {
            self.bytes += page.bytes;
        }
    }

    /// Counts pages, and prints the failures on stderr.
    pub fn log<'a>(
        &mut self,
        urls: impl IntoIterator<Item = impl fmt::Display>,
        outcomes: impl IntoIterator<Item = &'a Outcome<Page, FetchError>>,
    ) {
        for (index, (url, outcome)) in urls.into_iter().zip(outcomes).enumerate() {
            self.add(outcome);
            match outcome {
                // After Ctrl-C there may be many of these.
                Outcome::Ok(_) | Outcome::Cancelled | Outcome::NotRun => {}
                Outcome::Err(error) => eprintln!("{index}: {url}: {error}"),
                other => eprintln!("{index}: {url}: {other}"),
            }
        }
    }

    /// Returns the number of pages counted.
    pub fn pages(&self) -> usize {
        self.ends.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:16} {:>8}", "pages", self.pages())?;
        for (end, count) in &self.ends {
            writeln!(f, "  {end:16} {count:>6}")?;
        }
        writeln!(f, "{:16} {:>8}", "bytes", self.bytes)
    }
}
