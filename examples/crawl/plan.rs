//! The pages of the local site; the path of a page determines what happens to a request for it.

use std::error::Error;
use std::fmt;

use hyper::StatusCode;

use crate::tally::End;
use crate::url::Url;

/// What happens to a request for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The page exists.
    Good,
    /// The page does not exist: 404.
    Missing,
    /// The host fails: 500.
    Error,
    /// The first one or two requests fail, with 503 or a reset connection; the next one succeeds.
    Flaky,
    /// The first request gets no response within any timeout; the next one gets it at once.
    Slow,
    /// A request gets no response, or half of one.
    Stalled,
    /// The connection is reset instead of a response.
    Reset,
    /// The host shuts down its half of the connection within the page.
    HalfClosed,
    /// The port of the host is closed.
    Refused,
    /// The URL is malformed.
    Malformed,
}

impl Kind {
    /// Every kind that a [`Mix`] can request; the rest of the pages are good.
    pub const FAULTS: [Self; 9] = [
        Self::Missing,
        Self::Error,
        Self::Flaky,
        Self::Slow,
        Self::Stalled,
        Self::Reset,
        Self::HalfClosed,
        Self::Refused,
        Self::Malformed,
    ];

    /// Returns the name used on the command line and in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Missing => "missing",
            Self::Error => "error",
            Self::Flaky => "flaky",
            Self::Slow => "slow",
            Self::Stalled => "stalled",
            Self::Reset => "reset",
            Self::HalfClosed => "half-closed",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::FAULTS.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns how a crawl with enough retries ends at such a page.
    fn end(self) -> End {
        match self {
            Self::Good | Self::Flaky | Self::Slow => End::Fetched,
            Self::Missing => End::Status(StatusCode::NOT_FOUND.as_u16()),
            Self::Error => End::Status(StatusCode::INTERNAL_SERVER_ERROR.as_u16()),
            Self::Stalled => End::TimedOut,
            Self::Reset => End::Reset,
            Self::HalfClosed => End::Truncated,
            Self::Refused => End::Refused,
            Self::Malformed => End::BadUrl,
        }
    }
}

/// The number of pages of each kind, of a hundred pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    shares: Vec<(Kind, usize)>,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            shares: vec![
                (Kind::Missing, 3),
                (Kind::Error, 2),
                (Kind::Flaky, 10),
                (Kind::Slow, 1),
                (Kind::Stalled, 1),
                (Kind::Reset, 1),
                (Kind::HalfClosed, 1),
                (Kind::Refused, 1),
                (Kind::Malformed, 1),
            ],
        }
    }
}

impl Mix {
    /// All pages are good.
    pub fn none() -> Self {
        Self { shares: Vec::new() }
    }

    /// More than a third of all pages are bad.
    pub fn hard() -> Self {
        Self {
            shares: vec![
                (Kind::Missing, 3),
                (Kind::Error, 5),
                (Kind::Flaky, 10),
                (Kind::Slow, 1),
                (Kind::Stalled, 1),
                (Kind::Reset, 5),
                (Kind::HalfClosed, 5),
                (Kind::Refused, 5),
                (Kind::Malformed, 1),
            ],
        }
    }

    /// Parses shares in percent, as in `refused=5,reset=5`. The empty text means that all pages are good.
    ///
    /// # Errors
    ///
    /// Returns [`BadMix`] for an unknown kind, a share that is not a whole number, a kind that is given
    /// twice, and for more than a hundred percent.
    pub fn parse(text: &str) -> Result<Self, BadMix> {
        let mut shares: Vec<(Kind, usize)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, share) = part.split_once('=').ok_or_else(|| BadMix::NoShare(part.into()))?;
            let kind = Kind::named(name.trim()).ok_or_else(|| BadMix::NoKind(name.into()))?;
            let share = share.trim().parse().map_err(|_| BadMix::NoShare(part.into()))?;
            if shares.iter().any(|&(known, _)| known == kind) {
                return Err(BadMix::Twice(kind));
            }
            shares.push((kind, share));
        }
        let all = shares.iter().fold(0_usize, |all, &(_, share)| all.saturating_add(share));
        if 100 < all { Err(BadMix::TooMuch(all)) } else { Ok(Self { shares }) }
    }

    /// Returns the kind of a page. Any hundred consecutive pages have the requested shares, spread evenly.
    pub fn kind(&self, index: usize) -> Kind {
        // 37 and 100 are coprime, so the multiples of 37 visit each of a hundred places once.
        let mut place = index % 100 * 37 % 100;
        for &(kind, share) in &self.shares {
            if place < share {
                return kind;
            }
            place -= share;
        }
        Kind::Good
    }
}

/// The error of parsing a [`Mix`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadMix {
    /// No kind has this name.
    NoKind(String),
    /// The part is not of the form `KIND=PERCENT`.
    NoShare(String),
    /// The kind is given twice.
    Twice(Kind),
    /// The shares add up to more than a hundred percent.
    TooMuch(usize),
}

impl fmt::Display for BadMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind(name) => {
                let kinds = Kind::FAULTS.map(Kind::name).join(", ");
                write!(f, "no kind of page is called `{name}`: the kinds are {kinds}")
            }
            Self::NoShare(part) => write!(f, "`{part}` is not KIND=PERCENT, as in `reset=5`"),
            Self::Twice(kind) => write!(f, "`{}` is given twice", kind.name()),
            Self::TooMuch(all) => write!(f, "the shares add up to {all} percent"),
        }
    }
}

impl Error for BadMix {}

/// The hosts that serve pages.
pub(crate) const HOSTS: [&str; 5] =
    ["north.test", "east.test", "south.test", "west.test", "centre.test"];

/// The host whose port is closed.
pub(crate) const CLOSED: &str = "closed.test";

/// A number of pages of a mix.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The number of pages.
    pub count: usize,
    /// The kinds of the pages.
    pub mix: Mix,
    /// Whether the client panics on the page in the middle.
    pub panic: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { count: 1000, mix: Mix::default(), panic: false }
    }
}

impl Plan {
    /// Returns the URLs of the pages.
    pub fn urls(&self) -> impl Iterator<Item = Url> + '_ {
        (0..self.count).map(|index| self.url(index))
    }

    /// Returns the URL of a page.
    pub fn url(&self, index: usize) -> Url {
        // The second term spreads the pages of each kind over all hosts.
        let host = HOSTS[(index + index / 100) % HOSTS.len()];
        if self.panics(index) {
            return Url::new(format!("http://{host}/panic/{index}"));
        }
        let kind = self.mix.kind(index);
        Url::new(match kind {
            Kind::Refused => format!("http://{CLOSED}/{}/{index}", kind.name()),
            Kind::Malformed => format!("http://{host}/{} {index}", kind.name()),
            _ => format!("http://{host}/{}/{index}", kind.name()),
        })
    }

    /// Returns how the crawl must end at a page.
    pub fn end(&self, index: usize) -> End {
        if self.panics(index) { End::Panicked } else { self.mix.kind(index).end() }
    }

    fn panics(&self, index: usize) -> bool {
        self.panic && index == self.count / 2
    }
}

/// Returns the length of a page.
pub(crate) fn length(index: usize) -> usize {
    100 + index % LONGEST * 7919 % LONGEST
}

/// The range of lengths: a page has from 100 to 100 + `LONGEST` bytes.
pub(crate) const LONGEST: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hundred_pages_have_the_requested_shares() {
        let mix = Mix::parse("refused=5, stalled=20,error=0").unwrap();
        for hundred in [0..100, 100..200, 1234..1334] {
            let kinds: Vec<_> = hundred.map(|index| mix.kind(index)).collect();
            let count = |kind| kinds.iter().filter(|&&one| one == kind).count();
            let counts = [Kind::Refused, Kind::Stalled, Kind::Error, Kind::Good].map(count);
            assert_eq!(counts, [5, 20, 0, 75]);
        }
        assert_eq!(Mix::parse("").unwrap(), Mix::none());
        assert!((0..100).all(|index| Mix::none().kind(index) == Kind::Good));
    }

    #[test]
    fn a_bad_mix_is_refused_with_the_reason() {
        let why = |text: &str| Mix::parse(text).unwrap_err().to_string();
        assert!(
            why("resett=5").contains("`resett`: the kinds are missing, "),
            "{}",
            why("resett=5")
        );
        for text in ["reset", "reset=", "reset=-1", "reset=1.5", "reset=x"] {
            assert!(why(text).contains("KIND=PERCENT"), "{}", why(text));
        }
        assert!(why("reset=1,reset=2").contains("twice"));
        assert!(why("reset=60,slow=41").contains("101 percent"));
        assert!(why(&format!("reset={0},slow={0}", usize::MAX)).contains("percent"));
    }
}
