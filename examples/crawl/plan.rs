//! Which pages the local site has: each page's fate is in its path.

use std::error::Error;
use std::fmt;

use hyper::StatusCode;

use crate::{End, Url};

/// What becomes of a request for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// There is a page.
    Good,
    /// There is none: 404.
    Missing,
    /// The host is in trouble: 500.
    Error,
    /// It fails once or twice, with 503 or a reset connection, and then there is a page.
    Flaky,
    /// The first request is not answered in any time that a client waits, the next one is at once.
    Slow,
    /// No request is ever answered, or only half.
    Stalled,
    /// The connection is reset instead of an answer.
    Reset,
    /// The host shuts its half of the connection down amid the page.
    HalfClosed,
    /// Nobody listens there.
    Refused,
    /// It is no URL.
    Malformed,
}

impl Kind {
    /// Every kind that can be asked for in a [`Mix`]: the others are good.
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

    /// Its name, on the command line and in paths.
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

    /// How a crawl that tries often enough ends at such a page.
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

/// Of a hundred pages, how many are of which kind.
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

    /// More than a third of all pages are bad in some way.
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

    /// Reads shares in percent, as in `refused=5,reset=5`; nothing at all is only good pages.
    ///
    /// # Errors
    ///
    /// [`BadMix`] for a kind that there is not, for what is no whole number of percents, for a kind that is
    /// named twice, and for more than a hundred percent.
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

    /// The kind of a page: of each hundred in a row so many are of each, and they are spread out.
    pub fn kind(&self, index: usize) -> Kind {
        // 37 and 100 have no common divisor, so each place of a hundred is taken once.
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

/// Why this is no mix of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadMix {
    /// There is no kind of that name.
    NoKind(String),
    /// It is not of the form `KIND=PERCENT`.
    NoShare(String),
    /// The kind is there twice.
    Twice(Kind),
    /// The shares are that much together.
    TooMuch(usize),
}

impl fmt::Display for BadMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind(name) => {
                let kinds = Kind::FAULTS.map(Kind::name).join(", ");
                write!(f, "no kind of page is called `{name}`: there are {kinds}")
            }
            Self::NoShare(part) => write!(f, "`{part}` is not KIND=PERCENT, as in `reset=5`"),
            Self::Twice(kind) => write!(f, "`{}` is there twice", kind.name()),
            Self::TooMuch(all) => write!(f, "the shares are {all} percent together"),
        }
    }
}

impl Error for BadMix {}

/// The hosts whose pages can be asked for.
pub(crate) const HOSTS: [&str; 5] =
    ["north.test", "east.test", "south.test", "west.test", "centre.test"];

/// The host where nobody listens.
pub(crate) const CLOSED: &str = "closed.test";

/// So many pages of such a mix.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many.
    pub count: usize,
    /// Of which kinds.
    pub mix: Mix,
    /// Whether the page in the middle is one over which the client panics.
    pub panic: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { count: 1000, mix: Mix::default(), panic: false }
    }
}

impl Plan {
    /// The URLs of its pages.
    pub fn urls(&self) -> impl Iterator<Item = Url> + '_ {
        (0..self.count).map(|index| self.url(index))
    }

    /// The URL of a page.
    pub fn url(&self, index: usize) -> Url {
        // Pages of one kind are on all hosts.
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

    /// How the crawl is to end at that page.
    pub fn end(&self, index: usize) -> End {
        if self.panics(index) { End::Panicked } else { self.mix.kind(index).end() }
    }

    fn panics(&self, index: usize) -> bool {
        self.panic && index == self.count / 2
    }
}

/// How long a page is.
pub(crate) fn length(index: usize) -> usize {
    100 + index % LONGEST * 7919 % LONGEST
}

/// No page is longer by more than a hundred.
pub(crate) const LONGEST: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hundred_pages_have_the_shares_that_were_asked_for() {
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
    fn a_bad_mix_says_what_is_wrong_with_it() {
        let why = |text: &str| Mix::parse(text).unwrap_err().to_string();
        assert!(why("resett=5").contains("`resett`: there are missing, "), "{}", why("resett=5"));
        for text in ["reset", "reset=", "reset=-1", "reset=1.5", "reset=x"] {
            assert!(why(text).contains("KIND=PERCENT"), "{}", why(text));
        }
        assert!(why("reset=1,reset=2").contains("twice"));
        assert!(why("reset=60,slow=41").contains("101 percent"));
        assert!(why(&format!("reset={0},slow={0}", usize::MAX)).contains("percent"));
    }
}
